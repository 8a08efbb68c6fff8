//! What of a server's words may be shown.
//!
//! Status, Events and logs are read by more people than Secrets are, and a text that changes at every attempt rewrites the object at
//! every attempt. So nothing is shown that was sent as a credential, that looks like a token or an id, or that is a time.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use url::form_urlencoded;

mod dates;
mod ids;
mod unknown;

pub use unknown::without_suspects;

/// The longest code that is shown.
const MAX_CODE: usize = 64;

/// The longest description that is shown, in characters.
const MAX_DESCRIPTION: usize = 200;

/// More of a text is not even looked at.
const MAX_READ: usize = 4096;

/// A code of letters, digits, `_`, `-` and `.`, 64 at most; none for anything else, and none that holds a credential or an id.
pub(super) fn code(code: &str, credentials: &[&str]) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let fits = !code.is_empty() && code.len() <= MAX_CODE && code.bytes().all(allowed);
    (fits && !ids::is_id(code) && !holds_credential(code, credentials)).then(|| code.to_owned())
}

/// A description without control characters, ids, dates, token-like runs and credentials, in 200 characters at most.
///
/// Other formats (a page, JSON in a string) are not shown at all.
pub(super) fn description(text: &str, credentials: &[&str]) -> Option<String> {
    let text: String = text.chars().take(MAX_READ).map(|c| if is_invisible(c) { ' ' } else { c }).collect();
    if text.trim_start().starts_with(['{', '[', '<']) {
        return None;
    }
    let text = redact(&text, credentials)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let words = dates::without(&ids::without_labelled(&words));
    let words: Vec<String> = words.into_iter().filter_map(ids::without_ids).collect();
    let cleaned = shorten(words.join(" ").trim_matches([' ', ',', ';', ':', '-', '(', '[', '\'', '"', '|', '=']));
    // Cleaning joins what it leaves: look again.
    (!cleaned.is_empty() && !holds_credential(&cleaned, credentials)).then_some(cleaned)
}

/// Control characters, line and paragraph separators, and those that reorder or hide text on a terminal.
fn is_invisible(c: char) -> bool {
    const FORMAT: [RangeInclusive<char>; 8] = [
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e0000}'..='\u{e007f}',
    ];
    c.is_control() || FORMAT.iter().any(|range| range.contains(&c))
}

/// Takes every credential out, as it is and form-encoded; none if what remains still holds one.
fn redact(text: &str, credentials: &[&str]) -> Option<String> {
    let mut text = text.to_owned();
    for form in forms(credentials) {
        text = text.replace(&form, " ");
    }
    (!holds_credential(&text, credentials)).then_some(text)
}

fn holds_credential(text: &str, credentials: &[&str]) -> bool {
    let forms = forms(credentials);
    // A server may quote with another spacing than it was sent.
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let text_squeezed = squeezed(text);
    forms.iter().any(|form| text.contains(form.as_str()) || (form.len() > 3 && text_squeezed.contains(&squeezed(form))))
}

/// A credential as it was given, trimmed, and as the encodings of a form turn it; longest first, so that no rest remains.
fn forms(credentials: &[&str]) -> Vec<String> {
    let mut forms = BTreeSet::new();
    for credential in credentials {
        for plain in [credential, &credential.trim()] {
            let form: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
            let address = form.replace('+', "%20");
            forms.extend([lower_escapes(&form), lower_escapes(&address), form, address, (*plain).to_owned()]);
        }
    }
    let mut forms: Vec<_> = forms.into_iter().filter(|form| !form.trim().is_empty()).collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

/// `%2B` as `%2b`; the letters of the credential itself stay.
fn lower_escapes(form: &str) -> String {
    let mut digits = 0_u8; // of the escape that are still to come
    let mut lower = String::with_capacity(form.len());
    for c in form.chars() {
        lower.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
        digits = if c == '%' { 2 } else { digits.saturating_sub(1) };
    }
    lower
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_DESCRIPTION {
        return text.to_owned();
    }
    let head: String = text.chars().take(MAX_DESCRIPTION - 1).collect();
    format!("{}…", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_at_every_attempt_is_taken_out() {
        for (text, expected) in [
            (
                "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0000aaaa-11bb-cccc-dd33-eeeeee333333\r\n\
                 Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\nTimestamp: 2026-01-09 02:02:12Z",
                "AADSTS7000215: Invalid client secret provided.",
            ),
            ("Invalid refresh token expired at Thu Oct 24 14:05:34 UTC 2024", "Invalid refresh token expired"),
            ("Token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl is not active", "Token is not active"),
            ("User 9b26b1e8-0500-40e2-b943-8670b59a8819 not found", "User not found"),
            ("Request denied (requestId=7f3a9c1e, time=1767225600)", "Request denied"),
            ("Bad request, reference #18.2f3a1002.1700000000.1a2b3c4d", "Bad request"),
            (
                "The token was issued on 2025-01-01T00:00:00.0000000Z and was inactive for 90.00:00:00.",
                "The token was issued and was inactive",
            ),
            ("Try again in 37 seconds", "Try again in … seconds"),
            ("Account locked until 24.12.2025 14:05", "Account locked"),
            ("hash a94a8fe5ccb19ba61c4c0873d391e987982fbbd3 unknown", "hash unknown"),
        ] {
            assert_eq!(description(text, &[]).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "User authentication failed: PASSWORD_CHANGE_REQUIRED",
            "No client with requested id: sb-launchpad-dt-approuter!t12345",
            "Parameter grant_type must be urn:ietf:params:oauth:grant-type:jwt-bearer",
            "The scope https://example.contoso.com/activity.read isn't valid.",
            "Token must be a short-lived token (60 minutes) and in a reasonable timeframe",
            "Der Benutzername oder das Passwort ist ungültig",
            "AADSTS9002313: Invalid request. Request is malformed or invalid.",
        ] {
            assert_eq!(description(text, &[]).as_deref(), Some(text));
        }
    }

    #[test]
    fn nothing_that_was_sent_is_shown() {
        let secret = "p+w d%1";
        for text in ["password p+w d%1 is wrong", "password p%2Bw%20d%251 is wrong", "password p%2bw%20d%251 is wrong", "p+w\u{0} d%1"] {
            assert!(!description(text, &[secret]).unwrap_or_default().contains("d%"), "{text}");
        }
        assert_eq!(description("ab\u{200b}cd is wrong", &["abcd"]), None, "joining must not bring it back");
        assert_eq!(code("hunter2", &["hunter2"]), None);
        assert_eq!(description("the password hunter2", &["hunter2"]).as_deref(), Some("the password"));
    }

    #[test]
    fn other_formats_and_odd_codes_are_not_shown() {
        for text in ["{\"error\":\"x\"}", "<html>x</html>", "", " \n\t", "[1]"] {
            assert_eq!(description(text, &[]), None, "{text}");
        }
        for odd in [
            "",
            "Realm does not exist",
            "a\nb",
            &"x".repeat(65),
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0",
            "9b26b1e8-0500-40e2-b943-8670b59a8819",
        ] {
            assert_eq!(code(odd, &[]), None, "{odd}");
        }
        assert_eq!(code("oauth.v2.InvalidClientIdentifier", &[]).as_deref(), Some("oauth.v2.InvalidClientIdentifier"));
    }

    #[test]
    fn two_hundred_characters_are_the_limit() {
        let shown = description(&"wörter ".repeat(100), &[]).unwrap_or_default();
        assert!(shown.chars().count() <= MAX_DESCRIPTION && shown.ends_with('…'));
    }
}
