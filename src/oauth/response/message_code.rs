//! The codes of SAP Cloud Identity Services (IAS), in the header `X-Message-Code` or in the text "User authentication failed: CODE".

use http::HeaderMap;

use crate::oauth::rejection::Rejection;

/// What the codes mean. IAS has accepted the client when it sends one.
const CODES: [(&str, Rejection); 20] = [
    ("PASSWORD_LOCKED", Rejection::UserAccountLocked),
    ("USER_LOCKED", Rejection::UserAccountLocked),
    ("ACCOUNT_LOCKED", Rejection::UserAccountLocked),
    ("OTP_LOCKED", Rejection::UserAccountLocked),
    ("PASSCODE_LOCKED", Rejection::UserAccountLocked),
    ("USER_INACTIVE", Rejection::UserAccountDisabled),
    ("USER_DISABLED", Rejection::UserAccountDisabled),
    ("USER_EXPIRED", Rejection::UserAccountDisabled),
    ("PASSWORD_DISABLED", Rejection::UserAccountDisabled),
    ("MAIL_NOT_VERIFIED", Rejection::UserAccountDisabled),
    ("EMAIL_NOT_VERIFIED", Rejection::UserAccountDisabled),
    ("USER_NOT_ACTIVATED", Rejection::UserAccountDisabled),
    ("PASSWORD_CHANGE_REQUIRED", Rejection::PasswordChangeRequired),
    ("PASSWORD_RESET_REQUIRED", Rejection::PasswordChangeRequired),
    ("PASSWORD_EXPIRED", Rejection::PasswordChangeRequired),
    ("INITIAL_PASSWORD_EXPIRED", Rejection::InitialPasswordExpired),
    ("INVALID_OTP_CODE", Rejection::MultiFactorRequired),
    ("OTP_REQUIRED", Rejection::MultiFactorRequired),
    ("INVALID_AUTHORIZATION_HEADER_LENGTH", Rejection::MultiFactorRequired),
    ("TOU_NOT_ACCEPTED", Rejection::UserInteractionRequired),
];

/// The verdict of the header, in any letter case.
pub(super) fn of_header(headers: &HeaderMap) -> Option<Rejection> {
    headers.get("x-message-code").and_then(|code| code.to_str().ok()).and_then(|code| known(code.trim()))
}

/// The verdict of the first code that stands in a text as a word of its own.
pub(super) fn of_text(text: &str) -> Option<Rejection> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.contains('_')).take(256).find_map(known)
}

fn known(code: &str) -> Option<Rejection> {
    CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, rejection)| *rejection)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_code_counts_in_header_and_text_in_any_letter_case() {
        let mut headers = HeaderMap::new();
        assert_eq!(of_header(&headers), None);
        headers.insert("X-Message-Code", HeaderValue::from_static("password_change_required"));
        assert_eq!(of_header(&headers), Some(Rejection::PasswordChangeRequired));
        assert_eq!(of_text("User authentication failed: INITIAL_PASSWORD_EXPIRED"), Some(Rejection::InitialPasswordExpired));
        assert_eq!(of_text("User authentication failed: Password_Locked."), Some(Rejection::UserAccountLocked));
        assert_eq!(of_text("User authentication failed"), None);
    }
}
