//! What remains when words settle nothing: error code, grant and status; then the status alone.

use super::body::Body;
use super::evidence::Evidence;
use crate::oauth::grant::GrantType;
use crate::oauth::rejection::{ClientCause, Rejection};

/// Texts that name neither client nor user.
const NAMES_NOBODY: &str = "bad credential|invalid credential|authentication failed|authentication failure|unauthorized|login failed|\
    wrong credential|incorrect credential|not authenticated|unauthenticated|access denied";

const CLIENT: Rejection = Rejection::ClientAuthenticationFailed(ClientCause::Unspecified);

/// Error code × grant × status (RFC 6749 §5.2, with the deviations that failures.md lists).
pub(super) fn by_code(evidence: &Evidence<'_>) -> Option<Rejection> {
    let assertion = matches!(evidence.grant, GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange);
    Some(match evidence.code.as_deref()? {
        "invalid_client" => client_or_user(evidence),
        // Keycloak: a wrong secret. Elsewhere: the grant is not this client's.
        "unauthorized_client" if evidence.status == 401 => CLIENT,
        "unauthorized_client" => Rejection::GrantTypeNotAllowed,
        "invalid_grant" => refused_grant(evidence.grant),
        "invalid_request" | "bad_request" if evidence.status < 500 => Rejection::InvalidRequest,
        // Dex: a wrong password. Auth0: a wrong secret, as "Unauthorized".
        "access_denied" if evidence.status == 401 && evidence.grant == GrantType::Password && !evidence.words.say(NAMES_NOBODY) => {
            Rejection::UserAuthenticationFailed
        }
        "access_denied" if evidence.status == 401 => unauthorized(evidence),
        "access_denied" if evidence.status < 500 => Rejection::AccessDenied,
        // ServiceNow says 401 `server_error` to wrong credentials: there the status is right.
        "server_error" if evidence.status != 401 => Rejection::ServerError,
        // UAA before 2023-11: client, user or assertion.
        "unauthorized" if assertion && evidence.is_uaa() && !evidence.words.is_empty() => Rejection::AssertionRejected,
        // Nothing on these grants is a bearer token: a gateway in front wants one.
        "invalid_token" if evidence.status == 401 => Rejection::NotAnOAuthResponse,
        _ => return None,
    })
}

/// `invalid_client` is the client, except where UAA means the user by it or has already accepted the client.
fn client_or_user(evidence: &Evidence<'_>) -> Rejection {
    let accepted = |scheme: &str, realm: Option<&str>, told: Option<&str>| scheme == "bearer" && realm.is_none() && told.is_some();
    let nobody = evidence.is_uaa() || evidence.words.say(NAMES_NOBODY);
    if evidence.grant == GrantType::Password && nobody {
        return Rejection::CredentialsRejected;
    }
    let after_the_client = evidence
        .challenges
        .iter()
        .any(|challenge| accepted(&challenge.scheme, challenge.parameter("realm"), challenge.parameter("error_description")));
    if after_the_client && evidence.status == 401 { Rejection::GrantTypeNotAllowed } else { CLIENT }
}

const fn refused_grant(grant: GrantType) -> Rejection {
    match grant {
        // Nothing was granted that could be invalid: Cognito means the grant type.
        GrantType::ClientCredentials => Rejection::GrantTypeNotAllowed,
        GrantType::Password => Rejection::UserAuthenticationFailed,
        GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange => Rejection::AssertionRejected,
        GrantType::RefreshToken => Rejection::RefreshTokenInvalid,
    }
}

/// The status alone (RFC 9110 §15).
pub(super) fn alone(evidence: &Evidence<'_>) -> Rejection {
    match evidence.status {
        200..=299 => Rejection::InvalidTokenResponse,
        401 if challenged_by_another(evidence) => Rejection::NotAnOAuthResponse,
        401 => unauthorized(evidence),
        402 | 403 | 451 => Rejection::AccessDenied,
        // UAA's answer for an unknown identity zone.
        404 if matches!(&evidence.body, Body::Object(object) if object.is_empty()) => Rejection::TenantNotFound,
        404 | 410 | 421 | 511 => Rejection::NotAnOAuthResponse,
        425 => Rejection::TemporarilyUnavailable,
        495 | 496 => Rejection::ClientAuthenticationFailed(ClientCause::BadCertificate),
        400..=499 => Rejection::InvalidRequest,
        500..=599 => Rejection::ServerError,
        _ => Rejection::NotAnOAuthResponse,
    }
}

/// 401 without a word: the client, or with a user grant either.
pub(super) fn unauthorized(evidence: &Evidence<'_>) -> Rejection {
    if evidence.grant == GrantType::Password { Rejection::CredentialsRejected } else { CLIENT }
}

/// No authorization server asks a client for Kerberos or an API key: a gateway does.
fn challenged_by_another(evidence: &Evidence<'_>) -> bool {
    let ours = |scheme: &str| matches!(scheme, "basic" | "bearer" | "dpop" | "mutual");
    !evidence.challenges.is_empty() && !evidence.challenges.iter().any(|challenge| ours(&challenge.scheme))
}
