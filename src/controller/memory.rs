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

    /// Takes the token out, if it was asked for with the same and is not due to be renewed. With a refresh token it is of use
    /// in any case: the one before it is spent.
    pub fn take(&self, uid: &str, digest: &RequestDigest, now: Timestamp) -> Option<Issue> {
        let is_of_use = |issue: &Issue| issue.renew_at > now || issue.token.refresh_token.is_some();
        self.lock().remove(uid).filter(|issue| issue.digest == *digest && is_of_use(issue))
    }

    /// Lets go of a source that is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Issue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::oauth::token::{IssuedToken, Lifetime};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn digest() -> RequestDigest {
        let of = |letter: &str| Digest::parse(&letter.repeat(32)).unwrap();
        RequestDigest { spec: of("a"), credentials: of("b") }
    }

    fn issue(refresh_token: Option<&str>) -> Issue {
        let token = IssuedToken {
            access_token: SecretString::from("t".to_owned()),
            token_type: "Bearer".into(),
            lifetime: Lifetime::Seconds(60),
            scope: None,
            id_token: None,
            refresh_token: refresh_token.map(|token| SecretString::from(token.to_owned())),
            issued_token_type: None,
        };
        Issue {
            token,
            expires_at: at(60),
            renew_at: at(40),
            requested_at: at(0),
            digest: digest(),
            credentials_version: None,
            token_url: String::new(),
            client_id: String::new(),
        }
    }

    #[test]
    fn a_token_that_is_due_is_dropped_but_not_the_refresh_token_that_came_with_one() {
        for (refresh_token, now, is_taken) in [(None, 39, true), (None, 40, false), (Some("r"), 39, true), (Some("r"), 40, true)] {
            let unwritten = Unwritten::default();
            unwritten.keep("uid", issue(refresh_token));
            assert_eq!(unwritten.take("uid", &digest(), at(now)).is_some(), is_taken, "refresh token {refresh_token:?} at {now}");
            assert!(unwritten.take("uid", &digest(), at(now)).is_none(), "taken once");
        }
    }
}
