//! A failure as it is told to people: the server's refusal, or what was found before any request.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::condition::Reason;
use crate::oauth::rejection::{ClientCause, Refusal, Rejection, RetryAfter, RetryClass};

use super::remedy;

/// Longest message in a condition, in characters.
pub const MESSAGE_MAX: usize = 500;

/// Why there is no new token, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The classified reason.
    pub reason: Reason,
    /// The cause within `ClientAuthenticationFailed`.
    pub cause: Option<ClientCause>,
    /// The HTTP status of the answer, where there was one.
    pub http_status: Option<u16>,
    /// The server's error code, cleaned.
    pub error: Option<String>,
    /// What happened, in our words and the cleaned ones of the server.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// When to try again.
    pub retry: Retry,
}

/// When a failure is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// When one of the objects it depends on changes: the API server tells.
    Watch,
    /// After a wait of its class.
    After {
        /// How the waits grow.
        class: RetryClass,
        /// Not before this: what `Retry-After` said, or the end of an account's lock.
        not_before: Option<RetryAfter>,
        /// The first wait of a growing row, where it is longer than the floor.
        first: Duration,
    },
}

/// An account lock ends after 60 minutes at the vendors that say so (Identity Authentication, UAA's default is shorter).
const ACCOUNT_LOCK: RetryAfter = RetryAfter::Seconds(3600);
/// How often an object is looked at that is not watched.
const POLL: Duration = Duration::from_secs(60);
/// RFC 6585 leaves the wait after a 429 without Retry-After to the client.
const RATE_LIMITED_FIRST: Duration = Duration::from_secs(60);

impl Retry {
    fn of(rejection: Rejection, retry_after: Option<RetryAfter>) -> Self {
        let (locked, limited) = (matches!(rejection, Rejection::UserAccountLocked), matches!(rejection, Rejection::RateLimited));
        Self::After {
            class: rejection.retry(),
            not_before: if locked { Some(ACCOUNT_LOCK) } else { retry_after },
            first: if limited { RATE_LIMITED_FIRST } else { Duration::ZERO },
        }
    }
}

impl Failure {
    /// The refusal of an authorization server, or of the way to it.
    pub fn refused(refusal: &Refusal, host: &str) -> Self {
        let reason = reason(refusal.rejection);
        let cause = refusal.rejection.cause();
        let mut message = host.to_owned();
        match refusal.http_status {
            Some(status) => _ = write!(message, " answered {status}"),
            None => message.push_str(" was not reached"),
        }
        if let Some(error) = &refusal.error {
            _ = write!(message, " {error}");
        }
        _ = write!(message, ": {}", refusal.note.unwrap_or_else(|| remedy::meaning(reason)));
        if let Some(cause) = cause.filter(|cause| *cause != ClientCause::Unspecified) {
            _ = write!(message, " ({})", cause.as_str());
        }
        if let Some(description) = &refusal.description {
            _ = write!(message, ": \"{description}\"");
        }
        Self {
            reason,
            cause,
            http_status: refusal.http_status,
            error: refusal.error.clone(),
            message: capped(&message),
            remedy: remedy::remedy(reason, cause).to_owned(),
            retry: Retry::of(refusal.rejection, refusal.retry_after),
        }
    }

    /// Found before any request: nothing is tried until one of the objects changes.
    pub fn local(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            cause: None,
            http_status: None,
            error: None,
            message: capped(&message.into()),
            remedy: remedy::remedy(reason, None).to_owned(),
            retry: Retry::Watch,
        }
    }

    /// Found before any request, in an object that is not watched: looked at again every minute.
    pub fn local_polled(reason: Reason, message: impl Into<String>) -> Self {
        let retry = Retry::After { class: RetryClass::Backoff, not_before: None, first: POLL };
        Self { retry, ..Self::local(reason, message) }
    }

    /// The client certificate can't be used; found before any request.
    pub fn bad_certificate(problem: &str) -> Self {
        let cause = Some(ClientCause::BadCertificate);
        let reason = Reason::ClientAuthenticationFailed;
        let remedy = remedy::remedy(reason, cause).to_owned();
        Self { cause, remedy, ..Self::local(reason, format!("the client certificate in the credentials Secret: {problem}")) }
    }

    /// The API server refuses to store the target Secret. The token is kept and written as soon as it lets us.
    pub fn unwritable(secret: &str, code: u16, reason: &str) -> Self {
        let failure =
            Self::local_polled(Reason::SecretConflict, format!("the API server refused to write Secret {secret}: {code} {reason}"));
        let remedy =
            "Check the operator's permissions, quotas and admission policies in this namespace, and that the Secret is not immutable.";
        Self { remedy: remedy.to_owned(), ..failure }
    }

    /// The endpoint asked for a pause, so nothing was sent.
    pub fn paused(host: &str, until: Timestamp) -> Self {
        let message = format!("{host} asked for a pause in token requests: none is sent before it ends");
        let retry = Retry::of(Rejection::RateLimited, Some(RetryAfter::At(until)));
        Self { retry, ..Self::local(Reason::RateLimited, message) }
    }

    /// The same credentials were refused elsewhere, so they were not sent again.
    pub fn withheld(rejection: Rejection, host: &str) -> Self {
        let reason = reason(rejection);
        let message = format!(
            "{host} refused the same credentials twice within the hour: {}. They are not sent again before the hour is over, so that no account gets locked",
            remedy::meaning(reason)
        );
        Self {
            reason,
            cause: rejection.cause(),
            http_status: None,
            error: None,
            message: capped(&message),
            remedy: remedy::remedy(reason, rejection.cause()).to_owned(),
            retry: Retry::of(rejection, None),
        }
    }

    /// Message and remedy as one text for a condition.
    pub fn told(&self) -> String {
        let message = self.message.trim_end_matches('.');
        capped(&format!("{message}. {}", self.remedy))
    }
}

/// The reason that a rejection is reported as.
pub fn reason(rejection: Rejection) -> Reason {
    match rejection {
        Rejection::ClientAuthenticationFailed(_) => Reason::ClientAuthenticationFailed,
        Rejection::UserAuthenticationFailed => Reason::UserAuthenticationFailed,
        Rejection::CredentialsRejected => Reason::CredentialsRejected,
        Rejection::UserAccountLocked => Reason::UserAccountLocked,
        Rejection::UserAccountDisabled => Reason::UserAccountDisabled,
        Rejection::PasswordChangeRequired => Reason::PasswordChangeRequired,
        Rejection::InitialPasswordExpired => Reason::InitialPasswordExpired,
        Rejection::MultiFactorRequired => Reason::MultiFactorRequired,
        Rejection::UserInteractionRequired => Reason::UserInteractionRequired,
        Rejection::IdentityProviderNotSupported => Reason::IdentityProviderNotSupported,
        Rejection::IdentityProviderError => Reason::IdentityProviderError,
        Rejection::GrantTypeNotAllowed => Reason::GrantTypeNotAllowed,
        Rejection::InvalidScope => Reason::InvalidScope,
        Rejection::InvalidRequest => Reason::InvalidRequest,
        Rejection::AssertionRejected => Reason::AssertionRejected,
        Rejection::RefreshTokenInvalid => Reason::RefreshTokenInvalid,
        Rejection::AccessDenied => Reason::AccessDenied,
        Rejection::TenantNotFound => Reason::TenantNotFound,
        Rejection::RateLimited => Reason::RateLimited,
        Rejection::TemporarilyUnavailable => Reason::TemporarilyUnavailable,
        Rejection::ServerError => Reason::ServerError,
        Rejection::ProxyAuthenticationRequired => Reason::ProxyAuthenticationRequired,
        Rejection::NotAnOAuthResponse => Reason::NotAnOAuthResponse,
        Rejection::InvalidTokenResponse => Reason::InvalidTokenResponse,
        Rejection::TLSVerificationFailed => Reason::TLSVerificationFailed,
        Rejection::ConnectionFailed => Reason::ConnectionFailed,
    }
}

/// At most [`MESSAGE_MAX`] characters, cut at a word where one ends near.
pub(super) fn capped(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(MESSAGE_MAX) else {
        return text.to_owned();
    };
    let head = text.get(..end).unwrap_or_default();
    let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(rejection: Rejection) -> Refusal {
        Refusal {
            rejection,
            http_status: Some(401),
            error: Some("invalid_client".into()),
            description: Some("Bad credentials".into()),
            retry_after: None,
            note: None,
        }
    }

    #[test]
    fn a_refusal_says_who_answered_what_and_what_it_means() {
        let failure = Failure::refused(&refusal(Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret)), "auth.example.com");
        assert_eq!(
            failure.message,
            "auth.example.com answered 401 invalid_client: the client was not accepted (WrongSecret): \"Bad credentials\""
        );
    }

    #[test]
    fn every_rejection_has_a_meaning_and_a_remedy_that_fit_a_condition() {
        for rejection in Rejection::ALL.iter().copied() {
            let failure = Failure::refused(&refusal(rejection), "auth.example.com");
            assert!(!failure.remedy.is_empty(), "{rejection:?}");
            assert!(failure.told().chars().count() <= MESSAGE_MAX, "{rejection:?}");
            assert_eq!(failure.reason.to_string(), rejection.as_str());
        }
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        let failure = Failure::local(Reason::InvalidSpec, "word ".repeat(300));
        assert!(failure.message.chars().count() <= MESSAGE_MAX);
        assert!(failure.message.ends_with('…'));
    }
}
