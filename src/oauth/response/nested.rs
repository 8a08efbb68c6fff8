//! An error inside an error: XSUAA puts the identity provider's whole answer, as a string, into its own `error_description`.

use serde_json::{Map, Value};

use super::evidence::Evidence;
use super::said::Said;
use super::spoken;
use crate::oauth::grant::GrantType;
use crate::oauth::rejection::Rejection;

/// The verdict over the inner error, one level down.
///
/// On a password grant it is the provider's about the user: the client was accepted before the provider was asked, and what the
/// provider says about a client is about the authorization server's own.
pub(super) fn inner_error(evidence: &Evidence<'_>) -> Option<Rejection> {
    let inner = inner(&evidence.said)?;
    // The words alone: status and challenge are the outer answer's. An object of its own could nest again, one level is the law.
    let inner = Evidence::of(evidence.grant, 400, evidence.headers, inner);
    let verdict = spoken(&inner);
    Some(if evidence.grant == GrantType::Password { at_the_provider(verdict) } else { verdict })
}

/// What the inner error says; none when there is none.
pub(super) fn inner(said: &Said) -> Option<Said> {
    let text = said.description.as_deref()?;
    let object = text.get(text.find('{')?..=text.rfind('}')?)?;
    let object: Map<String, Value> = serde_json::from_str(object).ok()?;
    let mut inner = Said::from_object(&object);
    if inner.description.as_deref().is_some_and(|text| text.contains('{')) {
        inner.description = None;
    }
    (inner.code.is_some() || inner.texts().next().is_some()).then_some(inner)
}

fn at_the_provider(verdict: Rejection) -> Rejection {
    match verdict {
        Rejection::CredentialsRejected => Rejection::UserAuthenticationFailed,
        Rejection::GrantTypeNotAllowed | Rejection::IdentityProviderNotSupported => Rejection::IdentityProviderNotSupported,
        Rejection::ClientAuthenticationFailed(_)
        | Rejection::InvalidScope
        | Rejection::InvalidRequest
        | Rejection::TenantNotFound
        | Rejection::RateLimited
        | Rejection::TemporarilyUnavailable
        | Rejection::ServerError
        | Rejection::NotAnOAuthResponse
        | Rejection::InvalidTokenResponse
        | Rejection::ProxyAuthenticationRequired
        | Rejection::TLSVerificationFailed
        | Rejection::ConnectionFailed
        | Rejection::IdentityProviderError => Rejection::IdentityProviderError,
        Rejection::UserAuthenticationFailed
        | Rejection::UserAccountLocked
        | Rejection::UserAccountDisabled
        | Rejection::PasswordChangeRequired
        | Rejection::InitialPasswordExpired
        | Rejection::MultiFactorRequired
        | Rejection::UserInteractionRequired
        | Rejection::AssertionRejected
        | Rejection::RefreshTokenInvalid
        | Rejection::AccessDenied => verdict,
    }
}
