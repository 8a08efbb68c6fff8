//! Codes that settle it alone: they have one meaning wherever they are used. The RFC's four that do not (`invalid_client`,
//! `unauthorized_client`, `invalid_grant`, `invalid_request`), and `access_denied`, are weighed with text, grant and status.

use crate::oauth::grant::GrantType;
use crate::oauth::rejection::{ClientCause as Cause, Rejection};

use Rejection::{
    AccessDenied, AssertionRejected, ClientAuthenticationFailed as Client, GrantTypeNotAllowed, InvalidRequest, InvalidScope,
    MultiFactorRequired, PasswordChangeRequired, RateLimited, RefreshTokenInvalid, TemporarilyUnavailable, TenantNotFound,
    UserAccountDisabled, UserAccountLocked, UserAuthenticationFailed, UserInteractionRequired,
};

/// Codes in `snake_case` between blanks, on whatever grant.
const CODES: &[(Rejection, &str)] = &[
    (
        InvalidScope,
        "invalid_scope insufficient_scope invalid_scopes unknown_scope missing_scope invalid_target \
         invalid_resource",
    ),
    (
        GrantTypeNotAllowed,
        "unsupported_grant_type invalid_grant_type unauthorized_grant_type grant_type_not_allowed \
         grant_type_disabled unsupported_response_type device_flow_disabled",
    ),
    (TemporarilyUnavailable, "temporarily_unavailable service_unavailable backend_unavailable uaa_unavailable unavailable"),
    (
        RateLimited,
        "slow_down too_many_requests rate_limit_exceeded rate_limited ratelimited rate_limit_reached \
         throttled quota_exceeded quota_violation spike_arrest_violation resource_exhausted \
         request_limit_exceeded e0000047",
    ),
    (
        MultiFactorRequired,
        "mfa_required need_validation mfa_enrollment_required mfa_registration_required mfa_invalid two_factor_required \
         otp_required invalid_otp invalid_otp_code second_factor_required association_required \
         insufficient_user_authentication unmet_authentication_requirements \
         insufficient_authentication_context e0000068",
    ),
    (
        PasswordChangeRequired,
        "password_leaked password_expired expired_password user_password_expired password_change_required \
         change_password_required password_reset_required new_password_required credentials_expired \
         password_must_be_changed e0000064",
    ),
    (
        UserInteractionRequired,
        "consent_required login_required interaction_required account_selection_required invalid_rapt \
         terms_of_use_required authorization_pending",
    ),
    (UserAccountLocked, "account_locked user_locked user_account_locked account_locked_out password_locked e0000069"),
    (
        UserAccountDisabled,
        "account_disabled user_disabled user_account_disabled inactive_user user_inactive account_inactive \
         user_suspended account_suspended unverified_user_email email_not_verified \
         user_not_confirmed_exception",
    ),
    (
        Client(Cause::UnknownClient),
        "invalid_client_id unknown_client client_not_found bad_client_id deleted_client unregistered_client \
         invalid_client_identifier failed_to_resolve_client_id invalid_consumer_key unknown_client_id \
         invalid_appid invalid_app_id incorrect_client_id",
    ),
    (
        Client(Cause::WrongSecret),
        "bad_client_secret invalid_client_secret incorrect_client_credentials invalid_client_credentials \
         incorrect_client_secret wrong_client_secret",
    ),
    (Client(Cause::ExpiredSecret), "expired_client_secret client_secret_expired"),
    (Client(Cause::ClientDisabled), "disabled_client client_disabled client_inactive inactive_client app_disabled"),
    (Client(Cause::MissingCredentials), "missing_client_id missing_client_secret missing_client_credentials client_authentication_missing"),
    (Client(Cause::BadClientAssertion), "invalid_client_assertion"),
    (Client(Cause::BadCertificate), "invalid_client_certificate invalid_certificate client_certificate_required"),
    (
        RefreshTokenInvalid,
        "bad_refresh_token invalid_refresh_token expired_refresh_token refresh_token_expired \
         refresh_token_revoked refresh_token_not_found",
    ),
    (
        TenantNotFound,
        "invalid_tenant tenant_not_found unknown_tenant realm_not_found invalid_realm unknown_realm \
         inactive_org",
    ),
    (
        AccessDenied,
        "admin_policy_enforced permission_denied org_internal policy_violation policy_enforced ip_restricted invalid_app_access \
         access_restricted blocked_by_policy",
    ),
    (
        InvalidRequest,
        "missing_parameter missing_required_parameter duplicate_parameter unsupported_media_type \
         method_not_allowed use_dpop_nonce invalid_dpop_proof invalid_request_object e0000021 e0000022",
    ),
];

/// Codes that say it on one kind of grant only.
const USER_CODES: &str = "invalid_user_credentials invalid_username_or_password invalid_password invalid_username invalid_user \
         user_not_found unknown_user wrong_password";
const REFRESH_CODES: &str = "invalid_code token_expired expired_token token_revoked bad_token invalid_token revoked_token token_not_found";
const ASSERTION_CODES: &str = "invalid_assertion invalid_jwt invalid_token expired_assertion invalid_subject_token \
         invalid_signature token_expired";

/// The verdict of a code alone.
pub(super) fn settled(code: &str, grant: GrantType) -> Option<Rejection> {
    let by_grant = match grant {
        GrantType::Password => listed(USER_CODES, code).then_some(UserAuthenticationFailed),
        GrantType::RefreshToken => listed(REFRESH_CODES, code).then_some(RefreshTokenInvalid),
        GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange => {
            listed(ASSERTION_CODES, code).then_some(AssertionRejected)
        }
        GrantType::ClientCredentials => matches!(code, "invalid_assertion" | "invalid_jwt").then_some(Client(Cause::BadClientAssertion)),
    };
    by_grant.or_else(|| CODES.iter().find(|(_, codes)| listed(codes, code)).map(|(rejection, _)| *rejection))
}

/// Whether a code is listed, however its words are joined: `UnSupportedGrantType` is `unsupported_grant_type`.
fn listed(codes: &str, code: &str) -> bool {
    let letters = |code: &'_ str| code.bytes().filter(|byte| *byte != b'_').collect::<Vec<u8>>();
    let code = letters(code);
    !code.is_empty() && codes.split_ascii_whitespace().any(|known| letters(known) == code)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_code_has_two_meanings() {
        let mut seen = HashSet::new();
        for code in CODES.iter().flat_map(|(_, codes)| codes.split_ascii_whitespace()) {
            assert!(seen.insert(code), "{code} stands twice");
        }
    }

    #[test]
    fn the_codes_with_several_meanings_settle_nothing() {
        for code in ["invalid_client", "unauthorized_client", "invalid_grant", "invalid_request", "access_denied", "unauthorized", ""] {
            assert_eq!(settled(code, GrantType::Password), None, "{code}");
        }
    }

    #[test]
    fn a_token_code_is_about_what_was_sent_on_this_grant() {
        assert_eq!(settled("invalid_token", GrantType::RefreshToken), Some(RefreshTokenInvalid));
        assert_eq!(settled("invalid_token", GrantType::JwtBearer), Some(AssertionRejected));
        assert_eq!(settled("invalid_token", GrantType::ClientCredentials), None);
    }
}
