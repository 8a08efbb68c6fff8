//! What every reconcile shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::events::Recorder;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::{Notify, OnceCell};

use super::http::TokenClient;
use super::pacing::Pacing;
use super::recent::Recent;
use crate::api::TokenSource;
use crate::oauth::rejection::Rejection;
use crate::token_source::attempts::{Admission, Ledger};
use crate::token_source::digest::{Digest, DigestKey, RequestDigest};
use crate::token_source::observed::Policy;

/// A Secret's metadata: all that is watched of it.
pub type SecretMeta = PartialObjectMeta<Secret>;

/// What the whole process shares, also where it runs one controller a namespace.
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// Token requests.
    pub tokens: TokenClient,
    /// Events.
    pub recorder: Recorder,
    /// The key of all digests.
    pub key: DigestKey,
    /// Settings that decisions depend on.
    pub policy: Policy,
    /// The lock-out ledger.
    pub attempts: Attempts,
    /// The pace of the token endpoints.
    pub pacing: Pacing,
}

/// What the reconciles of one controller share.
pub struct Context {
    /// What the whole process shares.
    pub shared: Arc<Shared>,
    /// All sources of this controller's scope.
    pub sources: Store<TokenSource>,
    /// The metadata of all Secrets of this controller's scope.
    pub secrets: Store<SecretMeta>,
    /// Sources whose status was written and not yet seen.
    pub recent_sources: Recent<TokenSource>,
    /// Secrets that were written and not yet seen.
    pub recent_secrets: Recent<SecretMeta>,
    /// What versions of credentials Secrets were found to hold, by source UID.
    pub read_credentials: ReadCredentials,
    /// Whether all is known that the first decision needs.
    pub warmed_up: OnceCell<()>,
}

impl Context {
    /// The source, or our own last write of it where the watch is behind.
    pub fn newest_source(&self, source: Arc<TokenSource>) -> Arc<TokenSource> {
        self.recent_sources.newest(&ObjectRef::from_obj(source.as_ref())).map_or(source, Arc::new)
    }
}

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
        self.ledger().withheld(credentials, crate::clock::now()).map(|(until, rejection)| Withheld { until, rejection })
    }

    /// Waits until the ledger lets these credentials go out, or says until when it does not.
    pub async fn admit(&self, credentials: &Digest) -> Result<Permit<'_>, Withheld> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            let admission = self.ledger().admit(credentials, crate::clock::now());
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
            self.attempts.ledger().settle(&self.credentials, crate::clock::now(), rejection);
            self.attempts.settled.notify_waiters();
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// What versions of credentials Secrets were found to hold, so that one whose version changed without its content is
/// read only once. Keyed by the source's UID; of use only for the spec it was read for.
#[derive(Default)]
pub struct ReadCredentials(Mutex<HashMap<String, ReadVersion>>);

/// A version of a credentials Secret and what the request made of it.
struct ReadVersion {
    version: String,
    digest: RequestDigest,
}

impl ReadCredentials {
    /// Keeps what a version held.
    pub fn keep(&self, uid: &str, version: &str, digest: RequestDigest) {
        self.lock().insert(uid.to_owned(), ReadVersion { version: version.to_owned(), digest });
    }

    /// What a version held, if it was read for this spec.
    pub fn recall(&self, uid: &str, version: &str, spec: &Digest) -> Option<Digest> {
        let read = self.lock();
        let found = read.get(uid).filter(|read| read.version == version && read.digest.spec == *spec);
        found.map(|read| read.digest.credentials.clone())
    }

    /// Lets go of a source that is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, ReadVersion>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
