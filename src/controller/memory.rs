//! What one reconcile leaves for the next in memory alone: nothing that a restart must not lose.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::token_source::digest::{Digest, RequestDigest};
use crate::token_source::secret::Issue;

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

/// Tokens whose Secret could not be written, by source UID: a fault of the API server's costs no second token.
#[derive(Default)]
pub struct Unwritten(Mutex<HashMap<String, Issue>>);

impl Unwritten {
    /// Keeps a token for the next try.
    pub fn keep(&self, uid: &str, issue: Issue) {
        self.lock().insert(uid.to_owned(), issue);
    }

    /// Takes the token out, if it was asked for with the same and is not due to be renewed.
    pub fn take(&self, uid: &str, digest: &RequestDigest, now: Timestamp) -> Option<Issue> {
        self.lock().remove(uid).filter(|issue| issue.digest == *digest && issue.renew_at > now)
    }

    /// Lets go of a source that is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Issue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
