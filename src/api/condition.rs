//! Conditions: their types, their reasons, and how one is set.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::de::IntoDeserializer as _;
use serde::de::value::{self, StrDeserializer};
use serde::{Deserialize, Serialize};

/// One observation of a `TokenSource`, in the form of Kubernetes' own conditions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Ready, Refreshed or Stalled.
    #[serde(rename = "type")]
    pub condition_type: ConditionType,
    /// True, False or Unknown.
    pub status: ConditionStatus,
    /// The classified reason, one CamelCase word.
    pub reason: String,
    /// What happened and what to do, at most 500 characters. Does not change from one attempt to the next by itself.
    pub message: String,
    /// The generation of the spec that was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the status last changed from one value to another.
    pub last_transition_time: Time,
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ConditionType {
    /// The Secret holds an unexpired token for this generation of the spec.
    Ready,
    /// The last token request succeeded.
    Refreshed,
    /// Nothing will change until the spec, the credentials or the other side does. Absent otherwise.
    Stalled,
}

/// Whether it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Not known yet.
    Unknown,
}

/// Every reason that a condition or an Event can carry: the classified answers of a token endpoint, what is
/// found before any request, and the two that are no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[expect(missing_docs, reason = "each word is documented once, by its meaning and remedy")]
pub enum Reason {
    TokenIssued,
    Pending,
    Suspended,
    ClientAuthenticationFailed,
    UserAuthenticationFailed,
    CredentialsRejected,
    UserAccountLocked,
    UserAccountDisabled,
    PasswordChangeRequired,
    InitialPasswordExpired,
    MultiFactorRequired,
    UserInteractionRequired,
    IdentityProviderNotSupported,
    IdentityProviderError,
    GrantTypeNotAllowed,
    InvalidScope,
    InvalidRequest,
    AssertionRejected,
    RefreshTokenInvalid,
    AccessDenied,
    TenantNotFound,
    RateLimited,
    TemporarilyUnavailable,
    ServerError,
    ProxyAuthenticationRequired,
    NotAnOAuthResponse,
    InvalidTokenResponse,
    TLSVerificationFailed,
    ConnectionFailed,
    CredentialsNotFound,
    CredentialsIncomplete,
    AssertionSourceNotReady,
    HostNotAllowed,
    SecretConflict,
    InvalidSpec,
}

impl Reason {
    /// Every reason once, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::TokenIssued,
        Self::Pending,
        Self::Suspended,
        Self::ClientAuthenticationFailed,
        Self::UserAuthenticationFailed,
        Self::CredentialsRejected,
        Self::UserAccountLocked,
        Self::UserAccountDisabled,
        Self::PasswordChangeRequired,
        Self::InitialPasswordExpired,
        Self::MultiFactorRequired,
        Self::UserInteractionRequired,
        Self::IdentityProviderNotSupported,
        Self::IdentityProviderError,
        Self::GrantTypeNotAllowed,
        Self::InvalidScope,
        Self::InvalidRequest,
        Self::AssertionRejected,
        Self::RefreshTokenInvalid,
        Self::AccessDenied,
        Self::TenantNotFound,
        Self::RateLimited,
        Self::TemporarilyUnavailable,
        Self::ServerError,
        Self::ProxyAuthenticationRequired,
        Self::NotAnOAuthResponse,
        Self::InvalidTokenResponse,
        Self::TLSVerificationFailed,
        Self::ConnectionFailed,
        Self::CredentialsNotFound,
        Self::CredentialsIncomplete,
        Self::AssertionSourceNotReady,
        Self::HostNotAllowed,
        Self::SecretConflict,
        Self::InvalidSpec,
    ];

    /// Whether it is found before any request: an object's change ends it, not a wait.
    pub fn is_local(self) -> bool {
        use Reason::{AssertionSourceNotReady, CredentialsIncomplete, CredentialsNotFound, HostNotAllowed, InvalidSpec, SecretConflict};
        matches!(
            self,
            CredentialsNotFound | CredentialsIncomplete | AssertionSourceNotReady | HostNotAllowed | SecretConflict | InvalidSpec
        )
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        let deserializer: StrDeserializer<'_, value::Error> = word.into_deserializer();
        Self::deserialize(deserializer).ok()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// An observation before it has a time: what [`set`] compares with what stood before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which condition.
    pub condition_type: ConditionType,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why.
    pub reason: Reason,
    /// What happened and what to do.
    pub message: String,
}

/// Puts an observation among the conditions. `lastTransitionTime` moves only where the status flips.
pub fn set(conditions: &mut Vec<Condition>, observation: Observation, generation: Option<i64>, now: &Time) {
    let Observation { condition_type, status, reason, message } = observation;
    let previous = conditions.iter().position(|condition| condition.condition_type == condition_type);
    let last_transition_time = previous
        .and_then(|index| conditions.get(index))
        .filter(|condition| condition.status == status)
        .map_or_else(|| now.clone(), |condition| condition.last_transition_time.clone());
    let condition =
        Condition { condition_type, status, reason: reason.to_string(), message, observed_generation: generation, last_transition_time };
    match previous.and_then(|index| conditions.get_mut(index)) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
}

/// Takes a condition away.
pub fn remove(conditions: &mut Vec<Condition>, condition_type: ConditionType) {
    conditions.retain(|condition| condition.condition_type != condition_type);
}

/// The condition of a type.
pub fn find(conditions: &[Condition], condition_type: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.condition_type == condition_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(jiff::Timestamp::from_second(second).unwrap())
    }

    fn ready(status: ConditionStatus, reason: Reason) -> Observation {
        Observation { condition_type: ConditionType::Ready, status, reason, message: String::new() }
    }

    #[test]
    fn every_reason_is_listed_once() {
        let names: Vec<String> = Reason::ALL.iter().map(ToString::to_string).collect();
        let unknown: StrDeserializer<'_, value::Error> = "Unheard".into_deserializer();
        let all_of_serde = Reason::deserialize(unknown).unwrap_err().to_string();
        let all: Vec<&str> = all_of_serde.split('`').skip(3).step_by(2).collect();
        assert_eq!(names, all);
    }

    #[test]
    fn the_transition_time_moves_only_on_a_flip() {
        let mut conditions = Vec::new();
        set(&mut conditions, ready(ConditionStatus::False, Reason::ConnectionFailed), Some(1), &at(10));
        set(&mut conditions, ready(ConditionStatus::False, Reason::RateLimited), Some(1), &at(20));
        assert_eq!((conditions[0].last_transition_time.clone(), conditions[0].reason.as_str()), (at(10), "RateLimited"));
        set(&mut conditions, ready(ConditionStatus::True, Reason::TokenIssued), Some(2), &at(30));
        assert_eq!((conditions.len(), conditions[0].last_transition_time.clone(), conditions[0].observed_generation), (1, at(30), Some(2)));
    }
}
