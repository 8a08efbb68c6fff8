//! Leader election: of several replicas one looks after the sources, the others stand by.
//!
//! A candidate looks at the Lease again and again instead of watching it. A watch may fall silent without a sign, its events
//! come out of step with the answers to own writes, and it needs more permissions; a look a second costs next to nothing.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio::time::{sleep, timeout};

use super::error::{Error, RunError};
use super::leadership::Leadership;
use super::{apply, chain, random, task};
use crate::clock;
use crate::observability::metrics::Metrics;
use crate::observability::server::Readiness;
use crate::token_source::leadership::{Candidate, Lost, Sighting, Terms, is_behind};

/// How a leader is elected.
#[derive(Debug, Clone)]
pub struct Election {
    /// The Lease's name, in the operator's own namespace.
    pub lease_name: String,
    /// How long it lasts.
    pub terms: Terms,
}

/// Waits for the Lease, does `work` while it is held, and gives it back. `shutdown` ends the waiting; the work ends by itself,
/// and until then the Lease is renewed.
pub async fn lead<W: Future<Output = Result<(), RunError>>>(
    client: &Client,
    election: &Election,
    metrics: &Metrics,
    readiness: &Readiness,
    shutdown: impl Future<Output = ()>,
    work: impl FnOnce(Leadership) -> W,
) -> Result<(), RunError> {
    let campaign = Arc::new(Campaign::new(client, election));
    let denied = |source| RunError::Lease { namespace: client.default_namespace().to_owned(), source };
    let won = tokio::select! {
        won = campaign.win(readiness) => Some(won.map_err(denied)?),
        () = shutdown => None,
    };
    let result = match won {
        Some(won) => campaign.serve(won, metrics, work).await,
        None => Ok(()),
    };
    // A lost one is somebody else's business. One that was just being taken is given back too.
    if !matches!(result, Err(RunError::Lost(_))) {
        campaign.release().await;
    }
    result
}

/// The Lease as we wrote it, and when that was sent, in time since boot: others can only have seen it later.
struct Held {
    lease: Lease,
    sent: Duration,
}

/// The Lease that was taken, and which renewals others may have sent before.
struct Won {
    held: Held,
    sent_before: Timestamp,
}

/// A candidate with its Lease.
struct Campaign {
    leases: Api<Lease>,
    candidate: Candidate,
}

impl Campaign {
    fn new(client: &Client, election: &Election) -> Self {
        // In a pod the host's name is the pod's. The random part tells processes apart that share it.
        let host = hostname::get().unwrap_or_default().to_string_lossy().into_owned();
        let identity = format!("{host}_{}", random::id());
        let candidate = Candidate { lease_name: election.lease_name.clone(), identity, terms: election.terms };
        Self { leases: Api::namespaced(client.clone(), client.default_namespace()), candidate }
    }

    /// Waits until the Lease is ours. A first look that fails, or a write that is forbidden, would fail for ever.
    async fn win(&self, readiness: &Readiness) -> Result<Won, Error> {
        let mut seen = Sighting::first(self.look().await?, clock::since_boot());
        let mut told = None;
        loop {
            let now = clock::precise();
            if let Some(claim) = self.candidate.claim(&seen, clock::since_boot(), now) {
                match self.write(&claim).await {
                    Ok(Some(held)) => return Ok(Won { held, sent_before: self.candidate.sent_before(&seen, now) }),
                    Ok(None) => tracing::debug!("another candidate was faster"),
                    Err(error) if error.is_denied() => return Err(error),
                    Err(error) => tracing::warn!(error = %chain(&error), "the Lease could not be taken; it is tried again"),
                }
            } else if let Some(leader) = seen.holder().filter(|holder| told.as_deref() != Some(*holder)) {
                tracing::info!(leader, "another operator leads: standing by");
                told = Some(leader.to_owned());
            }
            // All that a standby has to be ready for is to take over.
            readiness.ready();
            sleep(self.candidate.terms.pause()).await;
            match self.look().await {
                Ok(found) => seen = seen.then(found, clock::since_boot()),
                Err(error) => tracing::warn!(error = %chain(&error), "the Lease could not be read; it is tried again"),
            }
        }
    }

    /// Does the work while the Lease is renewed beside it, on a task of its own: much work must not make renewals late.
    async fn serve<W: Future<Output = Result<(), RunError>>>(
        self: &Arc<Self>,
        Won { held, sent_before }: Won,
        metrics: &Metrics,
        work: impl FnOnce(Leadership) -> W,
    ) -> Result<(), RunError> {
        let leadership = Leadership::until(held.sent + self.candidate.terms.deadline(), self.told(&held), sent_before);
        tracing::info!(identity = self.candidate.identity, "this operator leads");
        metrics.leads(true);
        let (campaign, kept) = (Arc::clone(self), leadership.clone());
        let mut keeping = task::spawn(async move { campaign.keep(held.lease, &kept).await });
        let result = tokio::select! {
            // Who learns that it leads no more takes no other step.
            biased;
            lost = &mut keeping => Err(RunError::Lost(lost.unwrap_or(Lost::NotRenewed))),
            ended = work(leadership.clone()) => ended,
        };
        keeping.abort();
        leadership.end();
        metrics.leads(false);
        result
    }

    /// Renews the Lease until that fails for too long, or somebody else is in it.
    async fn keep(&self, mut lease: Lease, leadership: &Leadership) -> Lost {
        let terms = self.candidate.terms;
        let mut behind_since = None;
        loop {
            sleep(terms.renew_after()).await;
            let now = clock::since_boot();
            behind_since = is_behind(&lease, clock::precise()).then(|| behind_since.unwrap_or(now));
            let behind = behind_since.map(|since| now.saturating_sub(since)).unwrap_or_default();
            // Who was frozen in between must not even try.
            let renewed = leadership.while_held(timeout(leadership.left(), self.renew(lease, behind))).await;
            match renewed {
                Ok(Ok(Ok(held))) if leadership.extend(held.sent + terms.deadline(), self.told(&held)) => lease = held.lease,
                Ok(Ok(Err(lost))) => return lost,
                Ok(Ok(Ok(_)) | Err(_)) | Err(_) => return Lost::NotRenewed,
            }
        }
    }

    /// Tries until the Lease is renewed.
    async fn renew(&self, lease: Lease, behind: Duration) -> Result<Held, Lost> {
        let mut found = Some(lease);
        loop {
            let renewal = self.candidate.renewal(found.clone(), clock::precise(), behind)?;
            let failed = match self.write(&renewal).await {
                Ok(Some(held)) => return Ok(held),
                // Edited by somebody, or written by a try whose answer was lost.
                Ok(None) => match self.look().await {
                    Ok(now) => {
                        found = now;
                        continue;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            tracing::warn!(error = %chain(&failed), "the Lease could not be renewed; it is tried again");
            sleep(self.candidate.terms.pause()).await;
        }
    }

    /// Gives the Lease back if it still is ours, so that nobody has to wait for its end.
    async fn release(&self) {
        loop {
            let released = match self.look().await {
                Ok(found) => found.and_then(|found| self.candidate.release(found, clock::precise())),
                Err(error) => return unreleased(&error),
            };
            let Some(lease) = released else { return };
            match self.write(&lease).await {
                Ok(Some(_)) => return tracing::info!("the Lease is given back"),
                // A renewal that was under way has come in.
                Ok(None) => {}
                Err(error) => return unreleased(&error),
            }
        }
    }

    /// Which renewals a successor takes for sent.
    fn told(&self, held: &Held) -> Timestamp {
        self.candidate.terms.unrecorded_until(&held.lease).unwrap_or(Timestamp::MIN)
    }

    async fn look(&self) -> Result<Option<Lease>, Error> {
        let what = self.what();
        let found = timeout(self.candidate.terms.patience(), self.leases.get_opt(&self.candidate.lease_name)).await;
        found.map_err(|_| Error::NoAnswer { what: what.clone() })?.map_err(Error::read(what))
    }

    /// Writes the Lease. None: somebody else has written it meanwhile.
    async fn write(&self, lease: &Lease) -> Result<Option<Held>, Error> {
        let sent = clock::since_boot();
        let written = timeout(self.candidate.terms.patience(), apply::lease(&self.leases, lease)).await;
        let lease = written.map_err(|_| Error::NoAnswer { what: self.what() })??;
        Ok(lease.map(|lease| Held { lease, sent }))
    }

    fn what(&self) -> String {
        format!("Lease {}", self.candidate.lease_name)
    }
}

fn unreleased(error: &Error) {
    tracing::warn!(error = %chain(error), "the Lease could not be given back: it has to run out");
}
