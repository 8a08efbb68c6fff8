//! A token request as it may be shown: what is sent, without its secrets.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::{Url, form_urlencoded};

use super::request::TokenRequest;

/// Stands where a secret, or what may be one, stands in the request.
pub const HIDDEN: &str = "(hidden)";

/// Parameters that are shown with their values. All others are hidden: an extra one may be anything.
const SHOWN: [&str; 17] = [
    "grant_type",
    "client_id",
    "client_assertion_type",
    "username",
    "scope",
    "audience",
    "resource",
    "token_format",
    "refresh_expiry",
    "max_exchange_period",
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
    "login_hint",
    "response_type",
    "app_tid",
    "tenant",
];

/// Headers that are shown with their values.
const SHOWN_HEADERS: [&str; 3] = ["accept", "content-type", "x-cf-encoded-credentials"];

/// What was sent, fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownRequest {
    /// The HTTP method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers by name.
    pub headers: Vec<(String, String)>,
    /// The parameters of the body.
    pub parameters: Vec<(String, String)>,
}

impl TokenRequest {
    /// The request without its secrets, read back from its very bytes.
    pub fn shown(&self) -> ShownRequest {
        let request = self.encode();
        let credentials = self.credentials();
        let is_clean =
            |value: &str| !credentials.iter().any(|secret| !secret.expose_secret().is_empty() && value.contains(secret.expose_secret()));
        let shown = |name: &str, value: &str| if SHOWN.contains(&name) && is_clean(value) { value.to_owned() } else { HIDDEN.to_owned() };
        let body = request.body().expose_secret().as_bytes();
        ShownRequest {
            method: request.method().to_string(),
            url: url(&request.uri().to_string(), shown),
            headers: headers(request.headers()),
            parameters: form_urlencoded::parse(body).map(|(name, value)| (name.to_string(), shown(&name, &value))).collect(),
        }
    }
}

fn url(text: &str, shown: impl Fn(&str, &str) -> String) -> String {
    let Ok(mut url) = Url::parse(text) else { return HIDDEN.to_owned() };
    let pairs: Vec<(String, String)> = url.query_pairs().map(|(name, value)| (name.to_string(), shown(&name, &value))).collect();
    url.set_query(None);
    let query: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    if query.is_empty() { url.to_string() } else { format!("{url}?{}", query.join("&")) }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |name: &http::HeaderName, value: &http::HeaderValue| match value.to_str() {
        Ok(text) if SHOWN_HEADERS.contains(&name.as_str()) => text.to_owned(),
        Ok(text) if *name == AUTHORIZATION => format!("{} {HIDDEN}", text.split(' ').next().unwrap_or_default()),
        Ok(_) | Err(_) => HIDDEN.to_owned(),
    };
    headers.iter().map(|(name, text)| (name.to_string(), value(name, text))).collect()
}

/// The claims of a JWT, for people: its signature is for the resource server to check.
pub fn claims(token: &SecretString) -> Option<serde_json::Map<String, serde_json::Value>> {
    super::token::claims(token.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::{BasicEncoding, Client, ClientAuthentication};
    use crate::oauth::endpoint::{TokenEndpoint, UrlType};
    use crate::oauth::grant::Grant;
    use crate::oauth::request::ExtraParts;
    use proptest::prelude::*;

    fn request(secret: &str, password: &str, method: bool) -> TokenRequest {
        let secret = SecretString::from(secret.to_owned());
        let authentication = if method {
            ClientAuthentication::Body { secret }
        } else {
            ClientAuthentication::Basic { secret, encoding: BasicEncoding::FormURLEncoded }
        };
        TokenRequest {
            endpoint: TokenEndpoint::parse("https://auth.example.com/token?api_key=k3y", UrlType::Dedicated, false).unwrap(),
            client: Client { id: "orders".into(), authentication },
            basic_user: None,
            grant: Grant::Password { username: "alice".into(), password: password.to_owned().into(), one_time_code: None },
            scopes: vec!["read".into()],
            parameters: vec![("audience", "api".into())],
            extra: ExtraParts { body: vec![("pin".into(), "1234".into())], ..ExtraParts::default() },
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        let shown = request("s3cret-value", "passw0rd-value", true).shown();
        assert_eq!((shown.method.as_str(), shown.url.as_str()), ("POST", "https://auth.example.com/token?api_key=(hidden)"));
        let parameters: Vec<String> = shown.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "grant_type=password",
            "username=alice",
            "password=(hidden)",
            "client_id=orders",
            "client_secret=(hidden)",
            "scope=read",
            "audience=api",
            "pin=(hidden)",
        ];
        assert_eq!(parameters, expected);
        let basic = request("s3cret-value", "passw0rd-value", false).shown();
        assert!(basic.headers.contains(&("authorization".into(), "Basic (hidden)".into())), "{:?}", basic.headers);
    }

    proptest! {
        #[test]
        fn no_secret_is_ever_shown(secret in "[!-~]{12,40}", password in "[!-~]{12,40}", method in any::<bool>()) {
            let shown = format!("{:?}", request(&secret, &password, method).shown());
            prop_assert!(!shown.contains(&secret) && !shown.contains(&password));
        }
    }
}
