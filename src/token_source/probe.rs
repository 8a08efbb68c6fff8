//! Client or user? Where a refused password grant does not say which, the client is probed alone: it asks for a token by
//! `client_credentials`, with the same endpoint, client authentication and headers, and no user data.

use crate::api::diagnosis::Probe;
use crate::api::status::ProbeResult;
use crate::api::v1alpha1::TokenSourceSpec;
use crate::oauth::grant::{Grant, GrantType};
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::request::TokenRequest;
use crate::oauth::response::Answer;

/// What is to be done about a refusal that does not say whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It says so, or it may not be probed.
    Nothing,
    /// These client credentials were judged before, by a probe or by a token.
    Known(ProbeResult),
    /// The client is to be probed.
    Probe,
}

/// What to do about a refusal. `known` is what was found out about these very client credentials before.
pub fn next(spec: &TokenSourceSpec, grant: GrantType, refusal: &Refusal, known: Option<ProbeResult>) -> Next {
    if grant != GrantType::Password || refusal.rejection != Rejection::CredentialsRejected {
        return Next::Nothing;
    }
    match (known, spec.diagnosis.probe) {
        (Some(result), _) => Next::Known(result),
        (None, Probe::Auto) => Next::Probe,
        (None, Probe::Never) => Next::Nothing,
    }
}

/// The probe's request: what is about the user is left out, and so are extra body parameters, which may be.
pub fn request(of: &TokenRequest) -> TokenRequest {
    let mut probe = TokenRequest { grant: Grant::ClientCredentials, scopes: Vec::new(), parameters: Vec::new(), ..of.clone() };
    probe.extra.body.clear();
    probe
}

/// What the answer to the probe says of the client. Its token, if there is one, is dropped.
pub fn judge(answer: &Answer) -> ProbeResult {
    let Answer::Refused(refusal) = answer else { return ProbeResult::Accepted };
    match refusal.rejection {
        Rejection::ClientAuthenticationFailed(_) => ProbeResult::Rejected,
        Rejection::InvalidScope => ProbeResult::Accepted,
        // A server that does not know the grant at all may say so before it looks at the client.
        Rejection::GrantTypeNotAllowed if refusal.error.as_deref() != Some("unsupported_grant_type") => ProbeResult::Accepted,
        Rejection::GrantTypeNotAllowed
        | Rejection::UserAuthenticationFailed
        | Rejection::CredentialsRejected
        | Rejection::UserAccountLocked
        | Rejection::UserAccountDisabled
        | Rejection::PasswordChangeRequired
        | Rejection::InitialPasswordExpired
        | Rejection::MultiFactorRequired
        | Rejection::UserInteractionRequired
        | Rejection::IdentityProviderNotSupported
        | Rejection::IdentityProviderError
        | Rejection::InvalidRequest
        | Rejection::AssertionRejected
        | Rejection::RefreshTokenInvalid
        | Rejection::AccessDenied
        | Rejection::TenantNotFound
        | Rejection::RateLimited
        | Rejection::TemporarilyUnavailable
        | Rejection::ServerError
        | Rejection::ProxyAuthenticationRequired
        | Rejection::NotAnOAuthResponse
        | Rejection::InvalidTokenResponse
        | Rejection::TLSVerificationFailed
        | Rejection::ConnectionFailed => ProbeResult::Inconclusive,
    }
}

/// The refusal with what is known of the client. `answer` is the probe's own, where there was one just now.
pub fn conclude(refusal: Refusal, result: ProbeResult, answer: Option<&Answer>) -> Refusal {
    match result {
        ProbeResult::Accepted => Refusal {
            rejection: Rejection::UserAuthenticationFailed,
            note: Some("the client is accepted where it asks alone, so the user name or password is not"),
            ..refusal
        },
        ProbeResult::Rejected => {
            let told = match answer {
                Some(Answer::Refused(told)) => told.rejection,
                Some(Answer::Issued(_)) | None => Rejection::ClientAuthenticationFailed(crate::oauth::rejection::ClientCause::Unspecified),
            };
            Refusal { rejection: told, note: Some("the client is not accepted where it asks alone either"), ..refusal }
        }
        ProbeResult::Inconclusive => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::rejection::ClientCause;
    use crate::token_source::scene::Scene;
    use serde_json::json;

    const UNCLEAR: Rejection = Rejection::CredentialsRejected;

    #[test]
    fn only_an_unclear_refusal_of_a_password_grant_is_probed_and_only_once() {
        let (auto, never) = (Scene::new(), Scene::new().spec(&json!({"diagnosis": {"probe": "Never"}})));
        let known = Some(ProbeResult::Accepted);
        for (sentence, scene, grant, rejection, known, expected) in [
            ("an unclear one", &auto, GrantType::Password, UNCLEAR, None, Next::Probe),
            ("a clear one", &auto, GrantType::Password, Rejection::UserAuthenticationFailed, None, Next::Nothing),
            ("another grant", &auto, GrantType::ClientCredentials, UNCLEAR, None, Next::Nothing),
            ("forbidden", &never, GrantType::Password, UNCLEAR, None, Next::Nothing),
            ("judged before", &auto, GrantType::Password, UNCLEAR, known, Next::Known(ProbeResult::Accepted)),
            ("forbidden but judged before", &never, GrantType::Password, UNCLEAR, known, Next::Known(ProbeResult::Accepted)),
        ] {
            assert_eq!(next(&scene.source.spec, grant, &Refusal::new(rejection), known), expected, "{sentence}");
        }
    }

    #[test]
    fn the_probe_is_judged_by_whether_the_client_got_past_its_authentication() {
        let refused = |rejection, error: &str| Answer::Refused(Refusal { error: Some(error.into()), ..Refusal::new(rejection) });
        for (answer, expected) in [
            (refused(Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret), "invalid_client"), ProbeResult::Rejected),
            (refused(Rejection::InvalidScope, "invalid_scope"), ProbeResult::Accepted),
            (refused(Rejection::GrantTypeNotAllowed, "unauthorized_client"), ProbeResult::Accepted),
            (refused(Rejection::GrantTypeNotAllowed, "unsupported_grant_type"), ProbeResult::Inconclusive),
            (refused(Rejection::ServerError, "server_error"), ProbeResult::Inconclusive),
            (refused(Rejection::RateLimited, "slow_down"), ProbeResult::Inconclusive),
        ] {
            assert_eq!(judge(&answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn the_conclusion_names_the_user_or_the_client() {
        let unclear = || Refusal { http_status: Some(401), ..Refusal::new(UNCLEAR) };
        assert_eq!(conclude(unclear(), ProbeResult::Accepted, None).rejection, Rejection::UserAuthenticationFailed);
        assert_eq!(conclude(unclear(), ProbeResult::Inconclusive, None).rejection, UNCLEAR);
        let wrong_secret = Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret);
        let told = conclude(unclear(), ProbeResult::Rejected, Some(&Answer::Refused(Refusal::new(wrong_secret))));
        assert_eq!((told.rejection, told.http_status), (wrong_secret, Some(401)));
    }
}
