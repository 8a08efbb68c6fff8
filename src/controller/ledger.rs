//! The lock-out ledger among concurrent reconciles, and over restarts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::error::Error;
use super::journal::Journal;
use super::task;
use crate::clock;
use crate::oauth::rejection::Rejection;
use crate::token_source::attempts::{Admission, Answered, Ledger, Presented, Proof, Standing};

/// The lock-out ledger among concurrent reconciles.
#[derive(Clone)]
pub struct Attempts(Arc<Shared>);

struct Shared {
    ledger: Mutex<Ledger>,
    settled: Notify,
    journal: Option<Journal>,
    taking_back: AtomicBool,
}

/// What is answered is taken back so much later, all at once.
const TAKEN_BACK_AFTER: Duration = Duration::from_secs(1);

/// What could not be written is tried again so much later.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Credentials that are under way: [`Permit::settle`] says what became of them.
pub struct Permit {
    attempts: Attempts,
    presented: Presented,
    sent: Timestamp,
    recorded: bool,
    settled: bool,
}

/// Credentials that are not sent, because they were refused too often.
#[derive(Debug, Clone, Copy)]
pub struct Withheld {
    /// When they may be sent again.
    pub until: Timestamp,
    /// What the last refusal said.
    pub rejection: Rejection,
}

/// Why credentials are not sent now.
pub enum NotAdmitted {
    /// They were refused too often.
    Withheld(Withheld),
    /// Their sending could not be recorded.
    Error(Error),
}

impl Attempts {
    /// A ledger; without a journal it lasts as long as the process.
    pub fn new(journal: Option<Journal>) -> Self {
        Self(Arc::new(Shared { ledger: Mutex::default(), settled: Notify::new(), journal, taking_back: AtomicBool::new(false) }))
    }

    /// Takes in what other processes have left, dead or alive.
    pub async fn recall(&self) -> Result<(), Error> {
        let Some(journal) = &self.0.journal else { return Ok(()) };
        let records = journal.read().await?;
        self.ledger().restore(&records);
        Ok(())
    }

    /// Writes what the next process must know.
    pub async fn record(&self) -> Result<(), Error> {
        match &self.0.journal {
            Some(journal) => journal.write(|| self.ledger().records(clock::precise())).await,
            None => Ok(()),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these credentials are held back, without counting anything. `proofs`: what the tokens that are there prove.
    pub async fn withheld(&self, presented: &Presented, proofs: impl Fn() -> Vec<Proof>) -> Result<Option<Withheld>, Error> {
        let look = || self.ledger().withheld(presented, clock::precise());
        let is_open = || matches!(look(), Some(Admission::Withheld { is_open: true, .. }));
        let take_in = || proofs().iter().for_each(|proof| self.proved(presented, proof));
        if is_open() {
            take_in();
        }
        if is_open() {
            // What others had sent may be answered by now.
            self.recall().await?;
            take_in();
        }
        Ok(match look() {
            Some(Admission::Withheld { until, rejection, .. }) => Some(Withheld { until, rejection }),
            Some(Admission::Send { .. } | Admission::Busy) | None => None,
        })
    }

    /// Takes in what a token that is there proves, and leaves word of it.
    pub fn proved(&self, presented: &Presented, proof: &Proof) {
        if self.ledger().proved(presented, proof) {
            self.take_back();
        }
    }

    /// Waits until the ledger lets these credentials go out, or says until when it does not.
    pub async fn admit(&self, presented: &Presented, standing: Standing) -> Result<Permit, NotAdmitted> {
        loop {
            let settled = self.0.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            let now = clock::precise();
            let admission = self.ledger().admit(presented, standing, now);
            match admission {
                Admission::Send { recorded } => return self.permit(presented, now, recorded).await,
                Admission::Withheld { until, rejection, .. } => return Err(NotAdmitted::Withheld(Withheld { until, rejection })),
                Admission::Busy => settled.await,
            }
        }
    }

    /// Lets a client be probed, if that could not break the promise.
    pub async fn admit_probe(&self, client: &Presented) -> Option<Permit> {
        let now = clock::precise();
        let admitted = self.ledger().admit_probe(client, now);
        if admitted { self.permit(client, now, true).await.ok() } else { None }
    }

    /// Tells whether it is worth trying again.
    async fn try_record(&self) -> bool {
        match self.record().await {
            // The next leader knows what went out, and takes what it does not know for refused.
            Ok(()) | Err(Error::NotLeading) => false,
            Err(error) => {
                tracing::warn!(error = %super::chain(&error), "the lock-out ledger could not be written");
                true
            }
        }
    }

    /// Takes records back that are answered, and tells which of others are, without making anybody wait.
    fn take_back(&self) {
        if self.0.taking_back.swap(true, Ordering::SeqCst) {
            return;
        }
        let attempts = self.clone();
        task::spawn(async move {
            let mut wait = TAKEN_BACK_AFTER;
            loop {
                sleep(wait).await;
                attempts.0.taking_back.store(false, Ordering::SeqCst);
                // What is left standing counts as lost for whoever comes next.
                let is_done = !attempts.try_record().await;
                if is_done || attempts.0.taking_back.swap(true, Ordering::SeqCst) {
                    return;
                }
                wait = TRIED_AGAIN_AFTER;
            }
        });
    }

    /// The permit, once the next process would know of it.
    async fn permit(&self, presented: &Presented, sent: Timestamp, recorded: bool) -> Result<Permit, NotAdmitted> {
        let permit = Permit { attempts: self.clone(), presented: presented.clone(), sent, recorded, settled: false };
        if recorded && let Err(error) = self.record().await {
            // Nothing is sent: dropped, it would count as sent and lost.
            permit.settle(Answered::Unjudged).await;
            return Err(NotAdmitted::Error(error));
        }
        Ok(permit)
    }
}

impl Permit {
    /// When the request counts as sent, in milliseconds, as its record tells it.
    pub fn sent(&self) -> Timestamp {
        Timestamp::from_millisecond(self.sent.as_millisecond()).unwrap_or(self.sent)
    }

    /// Takes in the answer, and records a refusal at once. What can't be recorded is recorded some time later.
    pub async fn settle(mut self, answered: Answered) {
        self.end(answered);
        if let Answered::Refused(_) = answered
            && self.attempts.try_record().await
        {
            self.attempts.take_back();
        }
    }

    fn end(&mut self, answered: Answered) {
        if !std::mem::replace(&mut self.settled, true) {
            self.attempts.ledger().settle(&self.presented, self.sent, answered, clock::precise());
            self.attempts.0.settled.notify_waiters();
            match answered {
                Answered::Accepted | Answered::Unjudged if self.recorded => self.attempts.take_back(),
                Answered::Accepted | Answered::Unjudged | Answered::Refused(_) | Answered::Lost => {}
            }
        }
    }
}

/// Whoever is stopped while a request is under way does not learn what it came to.
impl Drop for Permit {
    fn drop(&mut self) {
        self.end(Answered::Lost);
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;
    use tower::service_fn;

    use super::*;
    use crate::controller::leadership::Leadership;
    use crate::token_source::attempts::{Record, Said};
    use crate::token_source::digest::Digest;

    /// A ledger whose Secret can't be reached.
    fn away() -> Attempts {
        let away =
            service_fn(|_: Request<Body>| async { Ok::<_, std::io::Error>(Response::builder().status(503).body(Body::empty()).unwrap()) });
        Attempts::new(Some(Journal::new(&Client::new(away, "own"), Leadership::for_good())))
    }

    fn presented() -> Presented {
        let digest = Digest::parse(&"a".repeat(32)).unwrap();
        Presented { whole: digest.clone(), client: digest }
    }

    #[tokio::test]
    async fn what_could_not_be_recorded_was_not_sent_and_does_not_count() {
        let (attempts, presented) = (away(), presented());
        for _ in 0..3 {
            assert!(matches!(attempts.admit(&presented, Standing::Unknown).await, Err(NotAdmitted::Error(_))));
        }
    }

    #[tokio::test]
    async fn what_others_have_sent_holds_nothing_back_before_it_was_read_again() {
        let (attempts, presented) = (away(), presented());
        let sent = Record { credentials: presented.whole.clone(), time: clock::precise(), said: Said::Sent };
        attempts.ledger().restore(&[sent.clone(), sent.clone()]);
        assert!(attempts.withheld(&presented, Vec::new).await.is_err(), "an hour for one failed read");
        let proof = Proof { credentials: presented.whole.clone(), requested_at: sent.time };
        assert!(matches!(attempts.withheld(&presented, || vec![proof.clone()]).await, Ok(None)), "a token has answered it");
    }
}
