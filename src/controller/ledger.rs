//! The lock-out ledger among concurrent reconciles.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock;
use crate::oauth::rejection::Rejection;
use crate::token_source::attempts::{Admission, Ledger};
use crate::token_source::digest::Digest;

/// The lock-out ledger among concurrent reconciles.
#[derive(Default)]
pub struct Attempts {
    ledger: Mutex<Ledger>,
    settled: Notify,
}

/// Credentials that are under way: [`Permit::settle`] says what became of them.
pub struct Permit<'a> {
    attempts: &'a Attempts,
    credentials: Digest,
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

impl Attempts {
    /// The ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these credentials would be held back, without counting anything.
    pub fn withheld(&self, credentials: &Digest) -> Option<Withheld> {
        self.ledger().withheld(credentials, clock::now()).map(|(until, rejection)| Withheld { until, rejection })
    }

    /// Waits until the ledger lets these credentials go out, or says until when it does not.
    pub async fn admit(&self, credentials: &Digest) -> Result<Permit<'_>, Withheld> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            let admission = self.ledger().admit(credentials, clock::now());
            match admission {
                Admission::Send => return Ok(Permit { attempts: self, credentials: credentials.clone(), settled: false }),
                Admission::Withheld { until, rejection } => return Err(Withheld { until, rejection }),
                Admission::Busy => settled.await,
            }
        }
    }
}

impl Permit<'_> {
    /// Records the answer. `rejection` is what refused the credentials, if anything did.
    pub fn settle(mut self, rejection: Option<Rejection>) {
        self.end(rejection);
    }

    fn end(&mut self, rejection: Option<Rejection>) {
        if !std::mem::replace(&mut self.settled, true) {
            self.attempts.ledger().settle(&self.credentials, clock::now(), rejection);
            self.attempts.settled.notify_waiters();
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}
