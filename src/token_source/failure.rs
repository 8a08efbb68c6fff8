//! A failure as it is told to people: the server's refusal, or what was found before any request.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::condition::Reason;
use crate::oauth::rejection::{ClientCause, Refusal, Rejection, RetryAfter, RetryClass};
use crate::oauth::vendor::Vendor;

use super::circumstances::Circumstances;
use super::meaning::meaning;
use super::remedy::remedy;
use super::schedule::retry_after_end;

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
    pub(super) fn of(rejection: Rejection, retry_after: Option<RetryAfter>) -> Self {
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
    pub fn refused(refusal: &Refusal, circumstances: &Circumstances) -> Self {
        let reason = reason(refusal.rejection);
        let cause = refusal.rejection.cause();
        let mut message = circumstances.host.clone();
        match refusal.http_status {
            Some(status) => _ = write!(message, " answered {status}"),
            None => message.push_str(" was not reached"),
        }
        if let Some(error) = &refusal.error {
            _ = write!(message, " {error}");
        }
        _ = write!(message, ": {}", refusal.note.unwrap_or_else(|| meaning(reason)));
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
            remedy: circumstances.remedy(refusal.rejection),
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
            remedy: remedy(reason, None, Vendor::Other),
            retry: Retry::Watch,
        }
    }

    /// When it is over, where somebody said so.
    pub fn not_before(&self, now: Timestamp) -> Option<Timestamp> {
        match self.retry {
            Retry::After { not_before, .. } => not_before.map(|wait| retry_after_end(wait, now)),
            Retry::Watch => None,
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
        let remedy = remedy(reason, cause, Vendor::Other);
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

    /// More sources wait for the endpoint than it may be asked for, so nothing was sent yet.
    pub fn queued(host: &str) -> Self {
        let message = format!("more token requests to {host} are due than it allows, or --endpoint-rate: this one waits for its turn");
        Self { retry: Retry::of(Rejection::RateLimited, None), ..Self::local(Reason::RateLimited, message) }
    }

    /// The endpoint asked for a pause, so nothing was sent.
    pub fn paused(host: &str, until: Timestamp) -> Self {
        let message = format!("{host} asked for a pause in token requests: none is sent before it ends");
        let retry = Retry::of(Rejection::RateLimited, Some(RetryAfter::At(until)));
        Self { retry, ..Self::local(Reason::RateLimited, message) }
    }

    /// The same credentials were refused elsewhere, so they were not sent again.
    pub fn withheld(rejection: Rejection, circumstances: &Circumstances) -> Self {
        let (reason, host) = (reason(rejection), &circumstances.host);
        let message = format!(
            "{host} refused the same credentials twice within the hour: {}. They are not sent again before the hour is over, so that no account gets locked",
            meaning(reason)
        );
        Self {
            reason,
            cause: rejection.cause(),
            http_status: None,
            error: None,
            message: capped(&message),
            remedy: circumstances.remedy(rejection),
            retry: Retry::of(rejection, None),
        }
    }

    /// Message and remedy as one text for a condition, with a link to more behind it. What is too long is cut before the link.
    pub fn told(&self) -> String {
        told(self.reason, &self.message, &self.remedy)
    }
}

/// The same of a failure that a status has kept.
pub fn told(reason: Reason, message: &str, remedy: &str) -> String {
    let message = message.trim_end_matches('.');
    let link = format!(" See {}", link(reason));
    let text = shortened(&format!("{message}. {remedy}"), MESSAGE_MAX.saturating_sub(link.chars().count()));
    text + &link
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

/// Where docs/failures.md tells more of a reason.
pub fn link(reason: Reason) -> String {
    const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/failures.md");
    format!("{PAGE}#{}", anchor(&reason.to_string()))
}

/// The anchor that GitHub makes of a heading of one word.
pub fn anchor(heading: &str) -> String {
    heading.to_lowercase()
}

/// At most [`MESSAGE_MAX`] characters.
pub(super) fn capped(text: &str) -> String {
    shortened(text, MESSAGE_MAX)
}

/// At most so many characters, cut at a word where one ends before.
fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let end = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(end, _)| end);
    let head = text.get(..end).unwrap_or_default();
    let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token_source::hint::Hint;

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

    fn asked(vendor: Vendor, hints: Vec<Hint>) -> Circumstances {
        Circumstances { host: "auth.example.com".into(), vendor, hints }
    }

    #[test]
    fn a_refusal_says_who_answered_what_and_what_it_means() {
        let wrong_secret = Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret);
        let failure = Failure::refused(&refusal(wrong_secret), &asked(Vendor::Other, Vec::new()));
        assert_eq!(
            failure.message,
            "auth.example.com answered 401 invalid_client: the client was not accepted (WrongSecret): \"Bad credentials\""
        );
    }

    #[test]
    fn every_rejection_has_a_meaning_a_remedy_and_a_link_that_fit_a_condition() {
        let long = Refusal { description: Some("word ".repeat(40)), ..refusal(Rejection::CredentialsRejected) };
        for (rejection, vendor) in Rejection::ALL.iter().flat_map(|rejection| Vendor::ALL.iter().map(move |vendor| (*rejection, *vendor))) {
            for refusal in [refusal(rejection), Refusal { rejection, ..long.clone() }] {
                let failure = Failure::refused(&refusal, &asked(vendor, Hint::ALL.to_vec()));
                assert!(!failure.remedy.is_empty(), "{rejection:?}");
                assert_eq!(failure.reason.to_string(), rejection.as_str());
                let told = failure.told();
                assert!(told.chars().count() <= MESSAGE_MAX, "{rejection:?} {vendor:?}");
                let anchor = format!("/blob/main/docs/failures.md#{}", rejection.as_str().to_lowercase());
                assert!(told.ends_with(&anchor) && told.contains(" See https://") && !failure.message.contains("https://"), "{told}");
            }
        }
    }

    #[test]
    fn the_remedy_is_the_vendors_and_hints_stand_behind_it() {
        let wrong_secret = Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret);
        let hints = vec![Hint::PaddedSecret, Hint::PaddedUser];
        for failure in [
            Failure::refused(&refusal(wrong_secret), &asked(Vendor::Xsuaa, hints.clone())),
            Failure::withheld(wrong_secret, &asked(Vendor::Xsuaa, hints)),
        ] {
            assert!(failure.remedy.contains("binding-secret") && failure.remedy.ends_with(Hint::PaddedSecret.text()), "{}", failure.remedy);
        }
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        for text in ["word ".repeat(300), "x".repeat(600)] {
            let failure = Failure::local(Reason::InvalidSpec, text);
            assert!(failure.message.chars().count() <= MESSAGE_MAX && failure.message.ends_with('…'));
            let told = failure.told();
            assert!(told.chars().count() <= MESSAGE_MAX && told.contains("… See ") && told.ends_with("#invalidspec"), "{told}");
        }
    }
}
