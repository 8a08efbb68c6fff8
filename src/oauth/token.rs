//! The token that a server issued (RFC 6749 §5.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

/// The longest life that is believed, in seconds: a year.
const MAX_LIFETIME: u64 = 31_536_000;

/// From here on `expires_in` is a time stamp that a server put into the wrong member.
const FIRST_TIME_STAMP: f64 = 1e9;

/// From here on an `exp` is in milliseconds, or nonsense.
const LAST_EXPIRY: f64 = 1e11;

/// More scopes than these are not listed.
const MAX_SCOPES: usize = 200;

/// A usable bearer token and what the server said about it. `Debug` shows no secret: `secrecy` redacts them.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The access token, ready to stand behind `Authorization: Bearer `.
    pub access_token: SecretString,
    /// Always `Bearer`, however the server spelt it.
    pub token_type: String,
    /// How long the token lives.
    pub lifetime: Lifetime,
    /// The granted scopes; none when the server did not say, which means those that were asked for (RFC 6749 §5.1).
    pub scope: Option<Vec<String>>,
    /// The `id_token` (OIDC Core §3.1.3.3).
    pub id_token: Option<SecretString>,
    /// The refresh token; none in a refresh answer means that the old one stays (RFC 6749 §6).
    pub refresh_token: Option<SecretString>,
    /// The kind of token that an exchange issued (RFC 8693 §2.2.1).
    pub issued_token_type: Option<String>,
}

/// How long an access token lives, by the best evidence in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `expires_in`: seconds, at least one, at most a year; `schedule::expires_at` counts them from the request on.
    Seconds(u64),
    /// The token's own `exp` (RFC 7519 §4.1.4), by the server's clock.
    Until(Timestamp),
    /// The answer does not say.
    Unknown,
}

impl IssuedToken {
    /// Reads a success; the error says in our words why its token is of no use.
    pub(super) fn read(object: &Map<String, Value>) -> Result<Self, &'static str> {
        if let Some(destination) = destination_token(object) {
            return Self::read(&destination?);
        }
        let access_token = usable(object.get("access_token"))?;
        let lifetime = lifetime(object.get("expires_in"), access_token)?;
        check_type(object.get("token_type"))?;
        Ok(Self {
            access_token: access_token.into(),
            token_type: "Bearer".to_owned(),
            lifetime,
            scope: scopes(object.get("scope")),
            id_token: secret(object.get("id_token")),
            refresh_token: secret(object.get("refresh_token")),
            issued_token_type: text(object.get("issued_token_type")).filter(|urn| is_printable(urn) && urn.len() <= 256).map(str::to_owned),
        })
    }
}

/// SAP's Destination service hands tokens on as `authTokens`, with an `error` inside a success where it got none.
fn destination_token(object: &Map<String, Value>) -> Option<Result<Map<String, Value>, &'static str>> {
    if object.contains_key("access_token") {
        return None;
    }
    let entry = object.get("authTokens")?.as_array()?.first()?.as_object()?;
    if text(entry.get("error")).is_some() {
        return Some(Err("the destination service reports an error instead of a token"));
    }
    let members = [("access_token", "value"), ("token_type", "type"), ("expires_in", "expires_in"), ("scope", "scope")];
    Some(Ok(members.iter().filter_map(|(to, from)| Some(((*to).to_owned(), entry.get(*from)?.clone()))).collect()))
}

/// RFC 6749 appendix A.12: visible characters. Anything else could not stand in a header.
fn usable(token: Option<&Value>) -> Result<&str, &'static str> {
    match token {
        None | Some(Value::Null) => Err("the answer holds no access_token"),
        Some(Value::String(token)) if token.trim().is_empty() => Err("the access_token is empty"),
        Some(Value::String(token)) if is_printable(token) => Ok(token),
        Some(Value::String(_)) => Err("the access_token holds characters that no token may hold"),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err("the access_token is not a string"),
    }
}

/// Missing: bearer, as several servers leave it out. `BearerToken` is Apigee's word for the same. A client must not use a token of
/// a type that it does not know (RFC 6749 §7.1).
fn check_type(token_type: Option<&Value>) -> Result<(), &'static str> {
    match token_type {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if ["", "bearer", "bearertoken"].iter().any(|known| word.trim().eq_ignore_ascii_case(known)) => Ok(()),
        Some(Value::String(_)) => Err("the token_type is not Bearer"),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err("the token_type is not a string"),
    }
}

fn lifetime(expires_in: Option<&Value>, access_token: &str) -> Result<Lifetime, &'static str> {
    let seconds = match expires_in {
        None | Some(Value::Null) => return Ok(expiry(access_token).map_or(Lifetime::Unknown, Lifetime::Until)),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    match seconds.filter(|seconds| seconds.is_finite()) {
        None => Err("expires_in is not a number"),
        Some(seconds) if seconds < 1.0 => Err("expires_in is zero or negative"),
        Some(seconds) if seconds >= FIRST_TIME_STAMP => Err("expires_in is a time stamp, not a number of seconds"),
        Some(seconds) => Ok(Lifetime::Seconds(whole(seconds).min(MAX_LIFETIME))),
    }
}

/// The claims of a token that is a JWT (RFC 7519 §3).
pub(super) fn claims(access_token: &str) -> Option<Map<String, Value>> {
    let mut parts = access_token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The `exp` of a JWT (RFC 7519 §4.1.4). Its signature is for the resource server to check; for us it is a hint.
fn expiry(access_token: &str) -> Option<Timestamp> {
    let seconds = claims(access_token)?.get("exp")?.as_f64().filter(|seconds| (1.0..LAST_EXPIRY).contains(seconds))?;
    Timestamp::from_second(i64::try_from(whole(seconds)).ok()?).ok()
}

/// Rounds down; the caller has checked that the number is between 1 and [`LAST_EXPIRY`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 10^11, see above; `as` saturates anyway")]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}

/// A list between blanks (RFC 6749 §3.3), between commas (GitHub), or as JSON. An empty one tells as little as a missing one.
fn scopes(scope: Option<&Value>) -> Option<Vec<String>> {
    let scopes: Vec<&str> = match scope? {
        Value::String(list) if list.contains(' ') => list.split_whitespace().collect(),
        Value::String(list) => list.split(',').map(str::trim).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    let scopes: Vec<_> =
        scopes.into_iter().filter(|scope| !scope.is_empty() && is_printable(scope)).take(MAX_SCOPES).map(str::to_owned).collect();
    (!scopes.is_empty()).then_some(scopes)
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn secret(value: Option<&Value>) -> Option<SecretString> {
    text(value).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(json: &str) -> Result<IssuedToken, &'static str> {
        IssuedToken::read(serde_json::from_str::<Value>(json).expect("JSON").as_object().expect("an object"))
    }

    fn life(expires_in: &str) -> Result<Lifetime, &'static str> {
        read(&format!(r#"{{"access_token":"abc","expires_in":{expires_in}}}"#)).map(|token| token.lifetime)
    }

    #[test]
    fn expires_in_is_read_in_all_forms_that_servers_use() {
        for (text, seconds) in [
            ("3600", 3600),
            ("\"3600\"", 3600),
            ("\" 3600 \"", 3600),
            ("3599.92", 3599),
            ("\"86400.92\"", 86400),
            ("1", 1),
            ("31536001", MAX_LIFETIME),
            ("999999999", MAX_LIFETIME),
        ] {
            assert_eq!(life(text), Ok(Lifetime::Seconds(seconds)), "{text}");
        }
        assert_eq!(life("null"), Ok(Lifetime::Unknown));
        for text in [
            "0",
            "0.5",
            "-1",
            "\"-1\"",
            "1000000000",
            "1767225600",
            "1e300",
            "\"inf\"",
            "\"NaN\"",
            "\"soon\"",
            "\"\"",
            "false",
            "[1]",
            "{}",
        ] {
            assert!(life(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_jwt_tells_its_own_end() {
        let jwt = |claims: &str| format!(r#"{{"access_token":"e30.{}.x"}}"#, URL_SAFE_NO_PAD.encode(claims));
        let end = "2026-01-01T00:00:00Z".parse().expect("a time");
        assert_eq!(read(&jwt(r#"{"exp":1767225600}"#)).map(|token| token.lifetime).ok(), Some(Lifetime::Until(end)));
        for claims in ["{}", r#"{"exp":1767225600000}"#, r#"{"exp":"soon"}"#, r#"{"exp":-1}"#, "no json", "[]"] {
            assert_eq!(read(&jwt(claims)).map(|token| token.lifetime).ok(), Some(Lifetime::Unknown), "{claims}");
        }
    }

    #[test]
    fn only_a_bearer_token_that_fits_a_header_is_usable() {
        for json in [
            "{}",
            r#"{"access_token":null}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":" "}"#,
            r#"{"access_token":123}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"ä"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":"a","token_type":"N_A"}"#,
            r#"{"access_token":"a","token_type":1}"#,
            r#"{"authTokens":[{"type":"","value":"","error":"failed"}]}"#,
            r#"{"authTokens":[]}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
        for word in ["null", "\"\"", "\"bearer\"", "\"BEARER\"", "\"BearerToken\""] {
            let token = read(&format!(r#"{{"access_token":"a","token_type":{word}}}"#)).expect(word);
            assert_eq!(token.token_type, "Bearer");
        }
    }

    #[test]
    fn what_else_the_answer_holds_is_kept() {
        let token = read(
            r#"{"access_token":"a","refresh_token":"r","id_token":"i","scope":"one two","issued_token_type":"urn:ietf:params:oauth:token-type:jwt"}"#,
        )
        .expect("a token");
        assert_eq!(token.refresh_token.as_ref().map(ExposeSecret::expose_secret), Some("r"));
        assert_eq!(token.id_token.as_ref().map(ExposeSecret::expose_secret), Some("i"));
        assert_eq!(token.scope, Some(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(token.issued_token_type.as_deref(), Some("urn:ietf:params:oauth:token-type:jwt"));
        for scope in ["\"\"", "null", "[]", "7"] {
            assert_eq!(read(&format!(r#"{{"access_token":"a","scope":{scope}}}"#)).expect("a token").scope, None);
        }
        for scope in ["\"repo,gist\"", "[\"repo\",\"gist\"]"] {
            let token = read(&format!(r#"{{"access_token":"a","scope":{scope}}}"#)).expect("a token");
            assert_eq!(token.scope, Some(vec!["repo".to_owned(), "gist".to_owned()]));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = read(r#"{"access_token":"hunter2","refresh_token":"hunter3","id_token":"hunter4"}"#).expect("a token");
        assert!(!format!("{token:?}").contains("hunter"));
    }
}
