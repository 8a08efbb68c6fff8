//! The lock-out ledger among concurrent reconciles, and over restarts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::error::Error;
use super::journal::Journal;
use crate::clock;
use crate::oauth::rejection::Rejection;
use crate::token_source::attempts::{Admission, Answered, Ledger, Presented, Standing};

/// The lock-out ledger among concurrent reconciles.
pub struct Attempts {
    ledger: Mutex<Ledger>,
    settled: Notify,
    journal: Option<Journal>,
}

/// Credentials that are under way: [`Permit::settle`] says what became of them.
pub struct Permit<'a> {
    attempts: &'a Attempts,
    presented: Presented,
    sent: Timestamp,
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
        Self { ledger: Mutex::default(), settled: Notify::new(), journal }
    }

    /// Takes in what other processes have left, dead or alive.
    pub async fn recall(&self) -> Result<(), Error> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let records = journal.read().await?;
        let mut ledger = self.ledger();
        records.iter().for_each(|record| ledger.restore(record));
        Ok(())
    }

    /// Writes what the next process must know.
    pub async fn record(&self) -> Result<(), Error> {
        match &self.journal {
            Some(journal) => journal.write(|| self.ledger().records(clock::precise())).await,
            None => Ok(()),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these credentials would be held back, without counting anything.
    pub fn withheld(&self, presented: &Presented) -> Option<Withheld> {
        self.ledger().withheld(presented, clock::precise()).map(|(until, rejection)| Withheld { until, rejection })
    }

    /// Waits until the ledger lets these credentials go out, or says until when it does not.
    pub async fn admit(&self, presented: &Presented, standing: Standing) -> Result<Permit<'_>, NotAdmitted> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            let now = clock::precise();
            let admission = self.ledger().admit(presented, standing, now);
            match admission {
                Admission::Send { recorded } => return self.permit(presented, now, recorded).await,
                Admission::Withheld { until, rejection } => return Err(NotAdmitted::Withheld(Withheld { until, rejection })),
                Admission::Busy => settled.await,
            }
        }
    }

    /// Lets a client be probed, if that could not break the promise.
    pub async fn admit_probe(&self, client: &Presented) -> Option<Permit<'_>> {
        let now = clock::precise();
        let admitted = self.ledger().admit_probe(client, now);
        if admitted { self.permit(client, now, true).await.ok() } else { None }
    }

    /// The permit, once the next process would know of it.
    async fn permit(&self, presented: &Presented, sent: Timestamp, recorded: bool) -> Result<Permit<'_>, NotAdmitted> {
        let permit = Permit { attempts: self, presented: presented.clone(), sent, settled: false };
        if recorded {
            self.record().await.map_err(NotAdmitted::Error)?;
        }
        Ok(permit)
    }
}

impl Permit<'_> {
    /// Takes in the answer, and records a refusal. What can't be recorded is recorded with the next.
    pub async fn settle(mut self, answered: Answered) {
        self.end(answered);
        if matches!(answered, Answered::Refused(_)) {
            if let Err(error) = self.attempts.record().await {
                tracing::warn!(error = %super::chain(&error), "a refusal could not be recorded");
            }
        }
    }

    fn end(&mut self, answered: Answered) {
        if !std::mem::replace(&mut self.settled, true) {
            self.attempts.ledger().settle(&self.presented, self.sent, answered, clock::precise());
            self.attempts.settled.notify_waiters();
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end(Answered::Unjudged);
    }
}
