//! What a person or a machine wants to know of a source: the facts of its status, weighed against the time.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Serialize;

use super::request::endpoint_host;
use super::schedule::after;
use crate::api::TokenSource;
use crate::api::condition::{self, Condition, ConditionStatus, ConditionType, Reason};
use crate::api::grant::GrantType;
use crate::api::status::{LastFailure, ProbeResult};

/// An operator that is so late with what was due is not at work.
const PATIENCE: Duration = Duration::from_secs(60);

/// The facts of one source. Serialised, it is what machines read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The condition `Ready`, unless the time or a newer spec contradicts it.
    pub ready: ConditionStatus,
    /// What became of the last token request: the reason of the condition `Refreshed`.
    pub reason: String,
    /// The cause within the reason.
    pub cause: Option<String>,
    /// Why the status may not be the whole truth.
    pub doubt: Option<Doubt>,
    /// Whether `spec.suspend` holds.
    pub suspended: bool,
    /// The token endpoint's host, where the spec names it.
    pub endpoint: Option<String>,
    /// What is exchanged for the token.
    pub grant: GrantType,
    /// The target Secret.
    pub secret_name: Option<String>,
    /// The token's type.
    pub token_type: Option<String>,
    /// The scopes that were granted.
    pub granted_scopes: Option<Vec<String>>,
    /// When the last token was obtained.
    pub last_refresh_time: Option<Time>,
    /// When the token expires.
    pub expiration_time: Option<Time>,
    /// When the token is due to be renewed.
    pub renewal_time: Option<Time>,
    /// When the next token request is made after a failed one.
    pub next_attempt_time: Option<Time>,
    /// How many token requests in a row have failed.
    pub consecutive_failures: u32,
    /// The last failure.
    pub last_failure: Option<LastFailure>,
    /// Whether the server accepts the client, as a token or the probe has shown, unless the last failure says otherwise.
    pub client: Option<ProbeResult>,
    /// The conditions as they stand.
    pub conditions: Vec<Condition>,
}

/// Why a status may not be the whole truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Doubt {
    /// No operator has looked at the source yet.
    NotSeen,
    /// No operator has looked at it since its spec was changed.
    SpecChanged,
    /// The token expired, and the status does not say so.
    Expired,
    /// A token request was due more than a minute ago.
    Overdue,
}

impl Doubt {
    /// What it means and what to look for.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotSeen => {
                "No operator has looked at this source yet. If that stays: is the operator running, and does it watch this namespace?"
            }
            Self::SpecChanged => {
                "The spec was changed, and no operator has looked at it since. If that stays: is the operator running, and does it watch this namespace?"
            }
            Self::Expired => {
                "The token has expired, and the status does not say so: is the operator running, and does it watch this namespace?"
            }
            Self::Overdue => "A token request is overdue: is the operator running, and does it watch this namespace?",
        }
    }
}

/// What comes next for a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The token is renewed.
    Renewal(Timestamp),
    /// A failed token request is made again.
    Attempt(Timestamp),
    /// Nothing, before an object that it depends on changes.
    AfterChange,
    /// Nothing, before `spec.suspend` is false.
    WhenResumed,
    /// The status does not say.
    Unknown,
}

impl Overview {
    /// Takes the facts of a source at a time.
    pub fn of(source: &TokenSource, now: Timestamp) -> Self {
        let status = source.status.clone().unwrap_or_default();
        let refreshed = condition::find(&status.conditions, ConditionType::Refreshed);
        let reason = refreshed.map_or_else(|| Reason::Pending.to_string(), |refreshed| refreshed.reason.clone());
        let failure = status.last_failure;
        let overview = Self {
            namespace: source.namespace().to_owned(),
            name: source.metadata.name.clone().unwrap_or_default(),
            ready: condition::find(&status.conditions, ConditionType::Ready).map_or(ConditionStatus::Unknown, |ready| ready.status),
            client: status.client_proof.map(|proof| proof.result).filter(|result| stands(*result, &reason)),
            cause: failure.as_ref().filter(|failure| failure.reason == reason).and_then(|failure| failure.cause.clone()),
            reason,
            doubt: None,
            suspended: source.spec.suspend,
            endpoint: endpoint_host(&source.spec),
            grant: source.spec.grant.grant_type,
            secret_name: status.secret_name,
            token_type: status.token_type,
            granted_scopes: status.granted_scopes,
            last_refresh_time: status.last_refresh_time,
            expiration_time: status.expiration_time,
            renewal_time: status.renewal_time,
            next_attempt_time: status.next_attempt_time,
            consecutive_failures: status.consecutive_failures.unwrap_or(0),
            last_failure: failure,
            conditions: status.conditions,
        };
        overview.doubted(source.metadata.generation, status.observed_generation, now)
    }

    /// The same with what the generation of the spec and the time say against it.
    fn doubted(mut self, generation: Option<i64>, observed: Option<i64>, now: Timestamp) -> Self {
        let is_ready = self.ready == ConditionStatus::True;
        self.doubt = if observed.is_none() {
            Some(Doubt::NotSeen)
        } else if observed != generation {
            Some(Doubt::SpecChanged)
        } else if is_ready && self.expiration_time.as_ref().is_some_and(|expiry| expiry.0 <= now) {
            Some(Doubt::Expired)
        } else if self.due().is_some_and(|due| after(due, PATIENCE) < now) {
            Some(Doubt::Overdue)
        } else {
            None
        };
        self.ready = match self.doubt {
            Some(Doubt::Expired) => ConditionStatus::False,
            Some(Doubt::NotSeen | Doubt::SpecChanged) if is_ready => ConditionStatus::Unknown,
            Some(Doubt::NotSeen | Doubt::SpecChanged | Doubt::Overdue) | None => self.ready,
        };
        self
    }

    /// Whether a workload can use the token.
    pub fn is_ready(&self) -> bool {
        self.ready == ConditionStatus::True
    }

    /// Whether the last token request failed, or could not be made.
    pub fn is_failing(&self) -> bool {
        condition::find(&self.conditions, ConditionType::Refreshed).is_some_and(|refreshed| refreshed.status == ConditionStatus::False)
    }

    /// What comes next.
    pub fn next(&self) -> Next {
        let time = |time: &Option<Time>| time.as_ref().map(|time| time.0);
        if self.suspended {
            Next::WhenResumed
        } else if self.is_failing() {
            time(&self.next_attempt_time).map_or(Next::AfterChange, Next::Attempt)
        } else {
            time(&self.renewal_time).map_or(Next::Unknown, Next::Renewal)
        }
    }

    /// When the next token request is due, where the status says.
    fn due(&self) -> Option<Timestamp> {
        match self.next() {
            Next::Renewal(time) | Next::Attempt(time) => Some(time),
            Next::AfterChange | Next::WhenResumed | Next::Unknown => None,
        }
    }

    /// Reason and cause in one line.
    pub fn verdict(&self) -> String {
        let cause = self.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        let suspended = if self.suspended && self.reason != Reason::Suspended.to_string() { ", suspended" } else { "" };
        format!("{}{cause}{suspended}", self.reason)
    }

    /// What the operator says of the token, where that is not what it says of the last failure.
    pub fn message(&self) -> Option<&str> {
        let ready = condition::find(&self.conditions, ConditionType::Ready)?;
        let is_told = ready.status == ConditionStatus::True || !self.is_failing();
        (is_told && self.doubt != Some(Doubt::NotSeen)).then_some(ready.message.as_str())
    }

    /// What is wrong and what to do about it, a paragraph each. Empty where all is well.
    pub fn problem(&self) -> Vec<String> {
        let mut paragraphs = Vec::new();
        if let Some(failure) = self.last_failure.as_ref().filter(|_| self.is_failing()) {
            paragraphs.push(failure.message.clone());
            paragraphs.push(format!("Remedy: {}", failure.remedy));
        } else if !self.is_ready() && self.doubt.is_none() {
            paragraphs.extend(self.message().map(ToOwned::to_owned));
        }
        paragraphs.extend(self.doubt.map(|doubt| doubt.meaning().to_owned()));
        paragraphs
    }
}

/// Whether what was known of the client still holds beside the reason: its credentials may be others by now.
fn stands(result: ProbeResult, reason: &str) -> bool {
    let is_refused = reason == Reason::ClientAuthenticationFailed.to_string();
    match result {
        ProbeResult::Accepted => !is_refused,
        ProbeResult::Rejected => is_refused,
        ProbeResult::Inconclusive => reason == Reason::CredentialsRejected.to_string(),
    }
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
