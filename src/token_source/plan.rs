//! Decides what to do next about a source: an ordered list of pure questions.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::digest::{Digest, RequestDigest};
use super::failure::Failure;
use super::observed::{Credentials, Observed};
use super::outcome::Outcome;
use super::schedule::after;
use super::target::{Held, Target};
use crate::api::condition::Reason;
use crate::api::names::REFRESH_REQUESTED_AT;
use crate::api::secret::{CreationPolicy, OnExpiry};
use crate::api::status::TokenSourceStatus;

/// So far apart the clocks of two replicas may be without a word about it.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// `spec.suspend`: nothing.
    Suspended,
    /// Nothing until an object changes: the failure says which.
    Stall(Failure),
    /// The token is fresh.
    Keep {
        /// When it is due to be renewed.
        until: Timestamp,
    },
    /// A token is needed, but the last request failed or was just made.
    Hold {
        /// When to try again. None: not before something changes.
        until: Option<Timestamp>,
    },
    /// The credentials Secret has a version that was not read yet: read it, then decide again.
    ReadCredentials,
    /// Ask for a token now.
    Request(Cause),
}

/// Why a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A new value of the annotation `refresh-requested-at`.
    Forced,
    /// There is no target Secret.
    NoSecret,
    /// Someone changed the target Secret.
    SecretChanged,
    /// The spec asks for another token.
    SpecChanged,
    /// The credentials are others.
    CredentialsChanged,
    /// The token's renewal time has come.
    Due,
}

/// Decides. Pure: the same observation and time give the same plan.
pub fn decide(observed: &Observed<'_>, now: Timestamp) -> Plan {
    if observed.source.spec.suspend {
        return Plan::Suspended;
    }
    if let Some(failure) = obstacle(observed) {
        return Plan::Stall(failure);
    }
    let cause = match need(observed, now) {
        Need::None { until } => return Plan::Keep { until },
        Need::Unknown => return Plan::ReadCredentials,
        Need::Token(cause) => cause,
    };
    match wait(observed, cause, now) {
        Wait::None => Plan::Request(cause),
        Wait::Unknown => Plan::ReadCredentials,
        Wait::Until(until) => Plan::Hold { until },
    }
}

/// What stands in the way of any request.
fn obstacle(observed: &Observed<'_>) -> Option<Failure> {
    if let Err(failure) = &observed.prepared {
        return Some(failure.clone());
    }
    let secret = observed.source.target_name();
    if observed.source.spec.credentials.as_ref().is_some_and(|credentials| credentials.secret_ref.name == secret) {
        return Some(Failure::local(
            Reason::InvalidSpec,
            format!("spec.secret.name and spec.credentials.secretRef.name both say {secret}: the token needs a Secret of its own"),
        ));
    }
    if let Target::Foreign { whose } = &observed.target {
        return Some(Failure::local(Reason::SecretConflict, format!("Secret {secret} {whose}: it is left as it is")));
    }
    let merges = observed.source.spec.secret.creation_policy == CreationPolicy::Merge;
    if merges && observed.target == Target::Absent {
        let message = format!("there is no Secret {secret} to merge into (spec.secret.creationPolicy Merge)");
        return Some(Failure::local(Reason::SecretConflict, message));
    }
    match &observed.credentials {
        Credentials::Missing(failure) => Some(failure.clone()),
        Credentials::NotReferenced { .. } | Credentials::Present { .. } => None,
    }
}

enum Need {
    None {
        until: Timestamp,
    },
    Token(Cause),
    /// Depends on credentials that were not read yet.
    Unknown,
}

fn need(observed: &Observed<'_>, now: Timestamp) -> Need {
    if forced(observed).is_some() {
        return Need::Token(Cause::Forced);
    }
    let Some(held) = observed.target.held() else {
        // A target of another name is a change of the spec.
        let asked_before = observed.status().and_then(|status| status.last_attempt.as_ref()?.request_digest.parse::<RequestDigest>().ok());
        let renamed = asked_before.is_some_and(|digest| digest.spec != observed.spec_digest);
        return Need::Token(if renamed { Cause::SpecChanged } else { Cause::NoSecret });
    };
    let (Held { intact: true, digest: Some(digest), renew_at: Some(renew_at), .. }, Some(_)) = (held, held.expires_at) else {
        return Need::Token(Cause::SecretChanged);
    };
    if digest.spec != observed.spec_digest {
        return Need::Token(Cause::SpecChanged);
    }
    if *renew_at <= now || is_ahead(observed.status().and_then(|status| status.last_refresh_time.as_ref()), now) {
        return Need::Token(Cause::Due);
    }
    match changed(observed, held.credentials_version.as_deref(), &digest.credentials) {
        Some(false) => Need::None { until: *renew_at },
        Some(true) => Need::Token(Cause::CredentialsChanged),
        None => Need::Unknown,
    }
}

/// Whether something was done at a time that has not come yet: the clock was set back since, so the times that were reckoned
/// from it would come too late.
fn is_ahead(done: Option<&Time>, now: Timestamp) -> bool {
    done.is_some_and(|done| done.0 > after(now, CLOCKS_APART))
}

enum Wait {
    None,
    Until(Option<Timestamp>),
    /// Depends on credentials that were not read yet.
    Unknown,
}

/// Whether a needed request must wait: for the floor between two automatic requests, or for the end of the wait
/// that the last failure asked for, unless what was refused has changed since.
fn wait(observed: &Observed<'_>, cause: Cause, now: Timestamp) -> Wait {
    let automatic = match cause {
        Cause::Forced => return Wait::None,
        Cause::SpecChanged | Cause::CredentialsChanged => false,
        Cause::NoSecret | Cause::SecretChanged | Cause::Due => true,
    };
    let Some((status, attempt)) = observed.status().and_then(|status| Some((status, status.last_attempt.as_ref()?))) else {
        return Wait::None;
    };
    if is_ahead(Some(&attempt.time), now) {
        return Wait::None;
    }
    if let (1.., Ok(digest)) = (observed.failures(), attempt.request_digest.parse::<RequestDigest>()) {
        return match same_request(observed, attempt.credentials_version.as_deref(), &digest) {
            Some(true) => until_next_attempt(status, now),
            Some(false) => Wait::None,
            None => Wait::Unknown,
        };
    }
    let floor = attempt.time.0.checked_add(observed.policy.min_refresh_interval).unwrap_or(now);
    if automatic && floor > now { Wait::Until(Some(floor)) } else { Wait::None }
}

fn until_next_attempt(status: &TokenSourceStatus, now: Timestamp) -> Wait {
    match status.next_attempt_time.as_ref().map(|time| time.0) {
        Some(time) if time <= now => Wait::None,
        Some(time) => Wait::Until(Some(time)),
        // Something local stood in the way since, or others before it at the endpoint: its end is a change, or a turn, and the ledger
        // still guards the credentials.
        None if status.last_failure.as_ref().and_then(|failure| Reason::parse(&failure.reason)).is_some_and(is_no_answer) => Wait::None,
        None => Wait::Until(None),
    }
}

/// Whether a failure without a time for the next try is not one of a request. A server that limits the rate always names one.
fn is_no_answer(reason: Reason) -> bool {
    reason.is_local() || reason == Reason::RateLimited
}

/// Whether the request that the spec and the credentials make now is the one of the digest. None: not known
/// without reading the credentials.
fn same_request(observed: &Observed<'_>, version: Option<&str>, digest: &RequestDigest) -> Option<bool> {
    if digest.spec != observed.spec_digest {
        return Some(false);
    }
    changed(observed, version, &digest.credentials).map(|changed| !changed)
}

/// Whether the credentials are others than those of a version and digest. None: not known without reading them.
fn changed(observed: &Observed<'_>, version: Option<&str>, digest: &Digest) -> Option<bool> {
    if observed.credentials.version().is_some() && observed.credentials.version() == version {
        return Some(false);
    }
    observed.credentials.digest().map(|now| now != digest)
}

/// Whether the token in the Secret expired, was not renewed by what just happened, and is to be removed.
pub fn removes_expired(observed: &Observed<'_>, outcome: &Outcome, now: Timestamp) -> bool {
    let renewed = matches!(outcome, Outcome::Issued { .. });
    let expired = observed.target.held().is_some_and(|held| held.has_token && held.expires_at.is_some_and(|expiry| expiry <= now));
    observed.source.spec.secret.on_expiry == OnExpiry::Remove && expired && !renewed
}

/// The value of a refresh request that was not acted on yet.
pub fn forced<'a>(observed: &'a Observed<'_>) -> Option<&'a str> {
    let requested = observed.source.metadata.annotations.as_ref()?.get(REFRESH_REQUESTED_AT)?;
    let handled = observed.status().and_then(|status| status.last_handled_refresh_request.as_ref());
    (handled != Some(requested)).then_some(requested.as_str())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
