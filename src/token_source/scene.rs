//! Observations for the tables of tests: a source with its world, changed by a word at a time.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::digest::{Digest, DigestKey, RequestDigest};
use super::observed::{Credentials, Observed, Policy};
use super::references::no_secret;
use super::request::prepare;
use super::target::{Held, Target};
use crate::api::TokenSource;

pub(super) const CREDENTIALS_VERSION: &str = "uid/1";

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A digest of one letter: `c` is that of the credentials to begin with.
pub(super) fn digest(letter: char) -> Digest {
    Digest::parse(&letter.to_string().repeat(32)).unwrap()
}

pub(super) struct Scene {
    pub(super) source: TokenSource,
    target: Target,
    credentials: Credentials,
}

impl Scene {
    pub(super) fn new() -> Self {
        let source = json!({
            "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource",
            "metadata": {"name": "orders", "namespace": "shop", "uid": "uid-of-orders", "generation": 3},
            "spec": {"tokenURL": "https://auth.example.com/token", "credentials": {"secretRef": {"name": "client"}}},
        });
        Self {
            source: serde_json::from_value(source).unwrap(),
            target: Target::Absent,
            credentials: Credentials::Present { version: CREDENTIALS_VERSION.into(), digest: Some(digest('c')) },
        }
    }

    pub(super) fn observed(&self) -> Observed<'_> {
        Observed {
            source: &self.source,
            prepared: prepare(&self.source.spec, false),
            spec_digest: key().spec(&self.source.spec),
            credentials: self.credentials.clone(),
            target: self.target.clone(),
            policy: Policy { allow_http: false, min_refresh_interval: Duration::from_secs(10) },
        }
    }

    fn change(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let mut source = serde_json::to_value(&self.source).unwrap();
        change(&mut source);
        self.source = serde_json::from_value(source).unwrap();
        self
    }

    fn request_digest(&self) -> RequestDigest {
        RequestDigest { spec: key().spec(&self.source.spec), credentials: digest('c') }
    }

    /// Our Secret, with a token for the spec as it is now.
    pub(super) fn holding(mut self, expires_at: i64, renew_at: i64) -> Self {
        self.target = Target::Ours(Box::new(Held {
            version: Some("7".into()),
            has_token: true,
            intact: true,
            expires_at: Some(at(expires_at)),
            renew_at: Some(at(renew_at)),
            requested_at: Some(at(0)),
            digest: Some(self.request_digest()),
            credentials_version: Some(CREDENTIALS_VERSION.into()),
            written_at: Some(at(0)),
        }));
        self
    }

    pub(super) fn tampered(mut self) -> Self {
        if let Target::Ours(held) = &mut self.target {
            held.intact = false;
        }
        self
    }

    pub(super) fn foreign(mut self) -> Self {
        self.target = Target::Foreign { whose: "belongs to someone".into() };
        self
    }

    /// A request for the spec and credentials as they are now.
    pub(super) fn attempted(self, second: i64) -> Self {
        let attempt =
            json!({"time": at(second), "requestDigest": self.request_digest().to_string(), "credentialsVersion": CREDENTIALS_VERSION});
        self.change(|source| source["status"]["lastAttempt"] = attempt)
    }

    pub(super) fn failed(self, reason: &str, failures: u32, next_attempt: Option<i64>) -> Self {
        self.change(|source| {
            let status = &mut source["status"];
            status["consecutiveFailures"] = failures.into();
            status["lastFailure"] = json!({"time": at(900), "reason": reason, "message": "", "remedy": ""});
            if let Some(second) = next_attempt {
                status["nextAttemptTime"] = json!(at(second));
            }
        })
    }

    pub(super) fn spec(self, changes: &Value) -> Self {
        self.change(|source| source["spec"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone()))
    }

    pub(super) fn status(self, status: &Value) -> Self {
        self.change(|source| source["status"] = status.clone())
    }

    pub(super) fn annotated(self, refresh_request: &str) -> Self {
        self.change(|source| source["metadata"]["annotations"] = json!({"tokensource.dev/refresh-requested-at": refresh_request}))
    }

    pub(super) fn handled(self, refresh_request: &str) -> Self {
        self.change(|source| source["status"]["lastHandledRefreshRequest"] = refresh_request.into())
    }

    pub(super) fn credentials(mut self, version: &str, content: Option<char>) -> Self {
        self.credentials = Credentials::Present { version: version.into(), digest: content.map(digest) };
        self
    }

    pub(super) fn without_credentials(mut self) -> Self {
        self.credentials = Credentials::Missing(no_secret("client", "spec.credentials.secretRef.name"));
        self
    }
}

fn key() -> DigestKey {
    DigestKey::new(b"key of the scene")
}
