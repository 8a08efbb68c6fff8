//! Why an authorization server did not issue a token: one word per remedy.
//!
//! The RFC's `error` code is too coarse for a person who must act on it, and servers use the codes differently (RFC 6749 §5.2
//! against Keycloak's, UAA's, Entra's practice). A [`Rejection`] is what remains after all evidence of one answer was weighed.

use std::fmt;

mod cause;
mod refusal;

pub use cause::ClientCause;
pub use refusal::{Refusal, RetryAfter};

/// The reason for which no token was issued, as seen in one answer (or in the failure to get one).
///
/// The words of [`Rejection::as_str`] are condition reasons and metric labels: they are a contract and never change meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The server refused the client itself; the cause says as much as the answer did (RFC 6749 §5.2 `invalid_client`).
    ClientAuthenticationFailed(ClientCause),
    /// The client was accepted, user name or password were not (RFC 6749 §5.2 `invalid_grant` on §4.3).
    UserAuthenticationFailed,
    /// Client or user: the answer does not say which. Only a probe with the client alone can tell (XSUAA).
    CredentialsRejected,
    /// The user is locked for some time after too many failed attempts; every further attempt may prolong it.
    UserAccountLocked,
    /// The user exists but may not log on: disabled, inactive, not verified.
    UserAccountDisabled,
    /// The password was right but must be changed first.
    PasswordChangeRequired,
    /// The initial password has run out; only an administrator can help (IAS `INITIAL_PASSWORD_EXPIRED`).
    InitialPasswordExpired,
    /// A second factor is demanded and was missing or wrong.
    MultiFactorRequired,
    /// Consent, terms of use or another step that needs a person in a browser.
    UserInteractionRequired,
    /// The user's identity provider is unknown, ambiguous, or can't be used with this grant (UAA, Dex).
    IdentityProviderNotSupported,
    /// The identity provider behind the authorization server failed.
    IdentityProviderError,
    /// The server, or the server for this client, does not allow the grant type (`unsupported_grant_type`, `unauthorized_client`).
    GrantTypeNotAllowed,
    /// A scope, audience or resource is unknown or not granted (`invalid_scope`; RFC 8707 `invalid_target`).
    InvalidScope,
    /// The request is malformed in the server's eyes (`invalid_request`; 405, 406, 415).
    InvalidRequest,
    /// The assertion or subject token was refused (RFC 7521 §4.1, RFC 8693 §2.2.2).
    AssertionRejected,
    /// The refresh token is expired, revoked, used up or another client's.
    RefreshTokenInvalid,
    /// The credentials are good, but a policy says no (`access_denied`).
    AccessDenied,
    /// Tenant, realm, zone or authorization server named by the URL does not exist.
    TenantNotFound,
    /// Too many requests (429, RFC 6585 §4).
    RateLimited,
    /// The server can't answer now (408, 502, 503, 504, `temporarily_unavailable`).
    TemporarilyUnavailable,
    /// The server failed (500, `server_error`).
    ServerError,
    /// A forward proxy demands credentials (407, RFC 9110 §15.5.8).
    ProxyAuthenticationRequired,
    /// What answered is not an authorization server: a redirect, a page, a gateway's refusal.
    NotAnOAuthResponse,
    /// A success without a usable token.
    InvalidTokenResponse,
    /// The server's certificate is not trusted, expired, or of another name.
    TLSVerificationFailed,
    /// No answer: DNS, refused, reset, timed out.
    ConnectionFailed,
}

/// When a refused request may be sent again without anybody's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryClass {
    /// Not before spec or credentials change or a refresh is forced; one slow try is the safety net.
    Input,
    /// After `retryRejectedAfter`, doubling up to 24 hours.
    Slow,
    /// Exponentially with jitter, fitted to the life that is left.
    Backoff,
    /// Like [`RetryClass::Backoff`] at first, then like [`RetryClass::Slow`]: a fault that may turn out to be lasting.
    BackoffThenSlow,
    /// When the server said (`Retry-After`), else like [`RetryClass::Backoff`].
    Server,
}

impl Rejection {
    /// Every reason once, [`Rejection::ClientAuthenticationFailed`] once per cause: for tables, metrics and documentation.
    pub const ALL: &'static [Self] = &[
        Self::ClientAuthenticationFailed(ClientCause::UnknownClient),
        Self::ClientAuthenticationFailed(ClientCause::WrongSecret),
        Self::ClientAuthenticationFailed(ClientCause::ExpiredSecret),
        Self::ClientAuthenticationFailed(ClientCause::SecretEncoding),
        Self::ClientAuthenticationFailed(ClientCause::WrongAuthenticationMethod),
        Self::ClientAuthenticationFailed(ClientCause::BadCertificate),
        Self::ClientAuthenticationFailed(ClientCause::BadClientAssertion),
        Self::ClientAuthenticationFailed(ClientCause::MissingCredentials),
        Self::ClientAuthenticationFailed(ClientCause::ClientDisabled),
        Self::ClientAuthenticationFailed(ClientCause::Unspecified),
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
    ];

    /// The reason word, as it stands in conditions, Events and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientAuthenticationFailed(_) => "ClientAuthenticationFailed",
            Self::UserAuthenticationFailed => "UserAuthenticationFailed",
            Self::CredentialsRejected => "CredentialsRejected",
            Self::UserAccountLocked => "UserAccountLocked",
            Self::UserAccountDisabled => "UserAccountDisabled",
            Self::PasswordChangeRequired => "PasswordChangeRequired",
            Self::InitialPasswordExpired => "InitialPasswordExpired",
            Self::MultiFactorRequired => "MultiFactorRequired",
            Self::UserInteractionRequired => "UserInteractionRequired",
            Self::IdentityProviderNotSupported => "IdentityProviderNotSupported",
            Self::IdentityProviderError => "IdentityProviderError",
            Self::GrantTypeNotAllowed => "GrantTypeNotAllowed",
            Self::InvalidScope => "InvalidScope",
            Self::InvalidRequest => "InvalidRequest",
            Self::AssertionRejected => "AssertionRejected",
            Self::RefreshTokenInvalid => "RefreshTokenInvalid",
            Self::AccessDenied => "AccessDenied",
            Self::TenantNotFound => "TenantNotFound",
            Self::RateLimited => "RateLimited",
            Self::TemporarilyUnavailable => "TemporarilyUnavailable",
            Self::ServerError => "ServerError",
            Self::ProxyAuthenticationRequired => "ProxyAuthenticationRequired",
            Self::NotAnOAuthResponse => "NotAnOAuthResponse",
            Self::InvalidTokenResponse => "InvalidTokenResponse",
            Self::TLSVerificationFailed => "TLSVerificationFailed",
            Self::ConnectionFailed => "ConnectionFailed",
        }
    }

    /// Why the client was refused; none where the client was not.
    pub fn cause(self) -> Option<ClientCause> {
        if let Self::ClientAuthenticationFailed(cause) = self { Some(cause) } else { None }
    }

    /// When the same request may be sent again.
    pub const fn retry(self) -> RetryClass {
        match self {
            Self::ClientAuthenticationFailed(
                ClientCause::ExpiredSecret | ClientCause::SecretEncoding | ClientCause::WrongAuthenticationMethod,
            )
            | Self::UserAuthenticationFailed
            | Self::CredentialsRejected
            | Self::PasswordChangeRequired
            | Self::InitialPasswordExpired
            | Self::MultiFactorRequired
            | Self::IdentityProviderNotSupported
            | Self::InvalidRequest
            | Self::RefreshTokenInvalid => RetryClass::Input,
            Self::ClientAuthenticationFailed(
                ClientCause::UnknownClient
                | ClientCause::WrongSecret
                | ClientCause::BadCertificate
                | ClientCause::BadClientAssertion
                | ClientCause::MissingCredentials
                | ClientCause::ClientDisabled
                | ClientCause::Unspecified,
            )
            | Self::UserAccountLocked
            | Self::UserAccountDisabled
            | Self::UserInteractionRequired
            | Self::GrantTypeNotAllowed
            | Self::InvalidScope
            | Self::AssertionRejected
            | Self::AccessDenied
            | Self::TenantNotFound
            | Self::ProxyAuthenticationRequired
            | Self::NotAnOAuthResponse
            | Self::TLSVerificationFailed => RetryClass::Slow,
            Self::IdentityProviderError | Self::ConnectionFailed => RetryClass::Backoff,
            Self::ServerError | Self::InvalidTokenResponse => RetryClass::BackoffThenSlow,
            Self::RateLimited | Self::TemporarilyUnavailable => RetryClass::Server,
        }
    }

    /// Whether the server refused something about the client's or the user's credentials, so that the attempt may have counted
    /// towards a lock at the server: these go into the lock-out ledger.
    ///
    /// When in doubt it counts: a wrong or missing second factor is a failed logon at IAS, and asking for a locked user prolongs
    /// the lock at some servers. A refused refresh token or assertion locks nobody.
    pub const fn counts_as_rejected_credential(self) -> bool {
        match self {
            Self::ClientAuthenticationFailed(_)
            | Self::UserAuthenticationFailed
            | Self::CredentialsRejected
            | Self::UserAccountLocked
            | Self::UserAccountDisabled
            | Self::PasswordChangeRequired
            | Self::InitialPasswordExpired
            | Self::MultiFactorRequired => true,
            Self::UserInteractionRequired
            | Self::IdentityProviderNotSupported
            | Self::IdentityProviderError
            | Self::GrantTypeNotAllowed
            | Self::InvalidScope
            | Self::InvalidRequest
            | Self::AssertionRejected
            | Self::RefreshTokenInvalid
            | Self::AccessDenied
            | Self::TenantNotFound
            | Self::RateLimited
            | Self::TemporarilyUnavailable
            | Self::ServerError
            | Self::ProxyAuthenticationRequired
            | Self::NotAnOAuthResponse
            | Self::InvalidTokenResponse
            | Self::TLSVerificationFailed
            | Self::ConnectionFailed => false,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_and_every_cause_is_listed_once() {
        let distinct: HashSet<_> = Rejection::ALL.iter().collect();
        assert_eq!(distinct.len(), Rejection::ALL.len());
        let words: HashSet<_> = Rejection::ALL.iter().map(|rejection| rejection.as_str()).collect();
        assert_eq!(words.len(), 26, "failures.md names 26 reasons that an answer can give");
        let causes: HashSet<_> = Rejection::ALL.iter().filter_map(|rejection| rejection.cause()).collect();
        assert_eq!(causes, ClientCause::ALL.iter().copied().collect());
    }

    #[test]
    fn what_a_human_must_change_is_not_retried_like_an_outage() {
        for rejection in Rejection::ALL.iter().filter(|rejection| rejection.counts_as_rejected_credential()) {
            assert!(matches!(rejection.retry(), RetryClass::Input | RetryClass::Slow), "{rejection} would be sent again too soon");
        }
    }
}
