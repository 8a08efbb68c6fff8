//! What to do about each reason: a general text, and what the vendor of the token endpoint has to say beside it.
//!
//! Conditions, Events, `status.lastFailure.remedy` and docs/failures.md all read this one table.

use crate::api::condition::Reason;
use crate::oauth::rejection::ClientCause;
use crate::oauth::vendor::Vendor;

mod client;
mod local;
mod request;
mod server;
mod user;

/// What to do about a reason.
#[derive(Clone, Copy)]
pub struct Advice {
    /// What holds for every server.
    pub general: &'static str,
    /// What holds for this vendor's servers beside it, if anything does.
    pub specific: fn(Vendor) -> Option<&'static str>,
}

impl Advice {
    /// The same for every server.
    const fn plain(general: &'static str) -> Self {
        Self { general, specific: |_| None }
    }
}

/// One to three sentences for the people who run the cluster; none where there is nothing to mend.
pub fn remedy(reason: Reason, cause: Option<ClientCause>, vendor: Vendor) -> String {
    let Advice { general, specific } = advice(reason, cause);
    match specific(vendor) {
        Some(specific) => format!("{general} {specific}"),
        None => general.to_owned(),
    }
}

/// The advice for a reason, and for the cause within `ClientAuthenticationFailed`.
pub fn advice(reason: Reason, cause: Option<ClientCause>) -> Advice {
    match reason {
        Reason::TokenIssued => local::TOKEN_ISSUED,
        Reason::Pending => local::PENDING,
        Reason::Suspended => local::SUSPENDED,
        Reason::ClientAuthenticationFailed => client_advice(cause.unwrap_or(ClientCause::Unspecified)),
        Reason::UserAuthenticationFailed => user::AUTHENTICATION_FAILED,
        Reason::CredentialsRejected => user::CREDENTIALS_REJECTED,
        Reason::UserAccountLocked => user::ACCOUNT_LOCKED,
        Reason::UserAccountDisabled => user::ACCOUNT_DISABLED,
        Reason::PasswordChangeRequired => user::PASSWORD_CHANGE_REQUIRED,
        Reason::InitialPasswordExpired => user::INITIAL_PASSWORD_EXPIRED,
        Reason::MultiFactorRequired => user::MULTI_FACTOR_REQUIRED,
        Reason::UserInteractionRequired => user::INTERACTION_REQUIRED,
        Reason::IdentityProviderNotSupported => user::IDENTITY_PROVIDER_NOT_SUPPORTED,
        Reason::IdentityProviderError => user::IDENTITY_PROVIDER_ERROR,
        Reason::GrantTypeNotAllowed => request::GRANT_TYPE_NOT_ALLOWED,
        Reason::InvalidScope => request::INVALID_SCOPE,
        Reason::InvalidRequest => request::INVALID_REQUEST,
        Reason::AssertionRejected => request::ASSERTION_REJECTED,
        Reason::RefreshTokenInvalid => request::REFRESH_TOKEN_INVALID,
        Reason::AccessDenied => request::ACCESS_DENIED,
        Reason::TenantNotFound => request::TENANT_NOT_FOUND,
        Reason::RateLimited => server::RATE_LIMITED,
        Reason::TemporarilyUnavailable => server::TEMPORARILY_UNAVAILABLE,
        Reason::ServerError => server::SERVER_ERROR,
        Reason::ProxyAuthenticationRequired => server::PROXY_AUTHENTICATION_REQUIRED,
        Reason::NotAnOAuthResponse => server::NOT_AN_OAUTH_RESPONSE,
        Reason::InvalidTokenResponse => server::INVALID_TOKEN_RESPONSE,
        Reason::TLSVerificationFailed => server::TLS_VERIFICATION_FAILED,
        Reason::ConnectionFailed => server::CONNECTION_FAILED,
        Reason::CredentialsNotFound => local::CREDENTIALS_NOT_FOUND,
        Reason::CredentialsIncomplete => local::CREDENTIALS_INCOMPLETE,
        Reason::AssertionSourceNotReady => local::ASSERTION_SOURCE_NOT_READY,
        Reason::HostNotAllowed => local::HOST_NOT_ALLOWED,
        Reason::SecretConflict => local::SECRET_CONFLICT,
        Reason::InvalidSpec => local::INVALID_SPEC,
    }
}

fn client_advice(cause: ClientCause) -> Advice {
    match cause {
        ClientCause::UnknownClient => client::UNKNOWN_CLIENT,
        ClientCause::WrongSecret => client::WRONG_SECRET,
        ClientCause::ExpiredSecret => client::EXPIRED_SECRET,
        ClientCause::SecretEncoding => client::SECRET_ENCODING,
        ClientCause::WrongAuthenticationMethod => client::WRONG_AUTHENTICATION_METHOD,
        ClientCause::BadCertificate => client::BAD_CERTIFICATE,
        ClientCause::BadClientAssertion => client::BAD_CLIENT_ASSERTION,
        ClientCause::MissingCredentials => client::MISSING_CREDENTIALS,
        ClientCause::ClientDisabled => client::CLIENT_DISABLED,
        ClientCause::Unspecified => client::UNSPECIFIED,
    }
}

#[cfg(test)]
#[path = "remedy_tests.rs"]
mod tests;
