//! What a decision stands on: the object, what its references point to, and the operator's settings.

use std::time::Duration;

use jiff::Timestamp;

use super::digest::Digest;
use super::failure::Failure;
use super::request::Prepared;
use super::target::Target;
use crate::api::TokenSource;
use crate::api::status::TokenSourceStatus;

/// The operator's settings that decisions depend on.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Plain http token URLs are accepted.
    pub allow_http: bool,
    /// Never two automatic token requests of one source within this time.
    pub min_refresh_interval: Duration,
}

/// Everything that is known of a source before deciding. Taking it in costs no API request.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// The source.
    pub source: &'a TokenSource,
    /// The request that its spec asks for, or why it can't be made.
    pub prepared: Result<Prepared, Failure>,
    /// The digest of its spec.
    pub spec_digest: Digest,
    /// Its credentials Secret.
    pub credentials: Credentials,
    /// Its target Secret.
    pub target: Target,
    /// The operator's settings.
    pub policy: Policy,
}

/// The Secrets that a request is made of, as their metadata tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The spec names none of them.
    NotReferenced {
        /// The digest of the credentials in the spec itself, where the request could be made.
        digest: Option<Digest>,
    },
    /// One of the Secrets that the request is made of is not there.
    Missing(Failure),
    /// All of them are there.
    Present {
        /// UID and resource version of each.
        version: String,
        /// The digest of what it holds, where this version has been read before.
        digest: Option<Digest>,
    },
}

impl Credentials {
    /// The digest, where it is known without reading.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::NotReferenced { digest } | Self::Present { digest, .. } => digest.as_ref(),
            Self::Missing(_) => None,
        }
    }

    /// The version of the Secret.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Present { version, .. } => Some(version),
            Self::NotReferenced { .. } | Self::Missing(_) => None,
        }
    }
}

impl Observed<'_> {
    /// The status before.
    pub fn status(&self) -> Option<&TokenSourceStatus> {
        self.source.status.as_ref()
    }

    /// How many token requests in a row have failed.
    pub fn failures(&self) -> u32 {
        self.status().and_then(|status| status.consecutive_failures).unwrap_or(0)
    }

    /// When the last token request was sent.
    pub fn last_attempt_time(&self) -> Option<Timestamp> {
        Some(self.status()?.last_attempt.as_ref()?.time.0)
    }

    /// When the token in the Secret expires, if it is there, ours and made for this spec.
    pub fn valid_until(&self) -> Option<Timestamp> {
        let held = self.target.held()?;
        let of_this_spec = held.digest.as_ref().is_some_and(|digest| digest.spec == self.spec_digest);
        (held.intact && of_this_spec).then_some(held.expires_at).flatten()
    }

    /// The seed of this source's jitter.
    pub fn seed(&self) -> &str {
        self.source.metadata.uid.as_deref().unwrap_or_default()
    }
}
