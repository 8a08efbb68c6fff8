//! Makes a token request out of a spec and credentials. All that a spec can have wrong is found here.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::credentials::CredentialValues;
use super::failure::Failure;
use crate::api::condition::Reason;
use crate::api::v1alpha1 as v1;
use crate::oauth::client::{BasicEncoding, Client, ClientAuthentication};
use crate::oauth::endpoint::{TokenEndpoint, UrlType};
use crate::oauth::grant::Grant;
use crate::oauth::request::{ExtraParts, RESERVED_HEADERS, RESERVED_PARAMETERS, TokenRequest};

/// All of a token request but the credentials.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Where it goes.
    pub endpoint: TokenEndpoint,
    scopes: Vec<String>,
    parameters: Vec<(&'static str, String)>,
    extra: ExtraParts,
    method: v1::ClientAuthenticationMethod,
    encoding: BasicEncoding,
}

/// Checks the spec and makes what can be made without credentials. `allow_http` is for tests on loopback.
pub fn prepare(spec: &v1::TokenSourceSpec, allow_http: bool) -> Result<Prepared, Failure> {
    Ok(Prepared {
        endpoint: endpoint(spec, allow_http)?,
        scopes: spec.scopes.clone().unwrap_or_default(),
        parameters: parameters(spec),
        extra: extra(spec)?,
        method: spec.client_authentication.method,
        encoding: match spec.client_authentication.basic_encoding {
            v1::BasicEncoding::FormURLEncoded => BasicEncoding::FormURLEncoded,
            v1::BasicEncoding::Raw => BasicEncoding::Raw,
        },
    })
}

impl Prepared {
    /// Puts the credentials in.
    pub fn complete(self, credentials: CredentialValues) -> TokenRequest {
        let CredentialValues { client_id, client_secret, user } = credentials;
        let authentication = match (self.method, client_secret) {
            (v1::ClientAuthenticationMethod::Body, Some(secret)) => ClientAuthentication::Body { secret },
            (v1::ClientAuthenticationMethod::Basic, Some(secret)) => ClientAuthentication::Basic { secret, encoding: self.encoding },
            (_, None) | (v1::ClientAuthenticationMethod::None, _) => ClientAuthentication::None,
        };
        let grant = match user {
            Some((username, password)) => Grant::Password { username, password },
            None => Grant::ClientCredentials,
        };
        TokenRequest {
            endpoint: self.endpoint,
            client: Client { id: client_id, authentication },
            grant,
            scopes: self.scopes,
            parameters: self.parameters,
            extra: self.extra,
        }
    }
}

fn endpoint(spec: &v1::TokenSourceSpec, allow_http: bool) -> Result<TokenEndpoint, Failure> {
    let url_type = match (spec.token_url_type, &spec.tenant) {
        (v1::TokenUrlType::Dedicated, _) => UrlType::Dedicated,
        (v1::TokenUrlType::Common, Some(tenant)) => UrlType::Common { tenant },
        (v1::TokenUrlType::Common, None) => {
            return Err(invalid("spec.tenant", "is missing: tokenURLType Common needs the tenant's subdomain"));
        }
    };
    TokenEndpoint::parse(&spec.token_url, url_type, allow_http).map_err(|error| invalid("spec.tokenURL", &error.to_string()))
}

fn parameters(spec: &v1::TokenSourceSpec) -> Vec<(&'static str, String)> {
    let token_format = spec.token_format.map(|format| match format {
        v1::TokenFormat::Jwt => "jwt".to_owned(),
        v1::TokenFormat::Opaque => "opaque".to_owned(),
    });
    [
        ("audience", spec.grant.audience.clone()),
        ("resource", spec.grant.resource.clone()),
        ("token_format", token_format),
        ("refresh_expiry", spec.refresh_expiry_seconds.map(|seconds| seconds.to_string())),
        ("max_exchange_period", spec.max_exchange_period_hours.map(|hours| hours.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn extra(spec: &v1::TokenSourceSpec) -> Result<ExtraParts, Failure> {
    let own: Vec<&str> = parameters(spec).iter().map(|(name, _)| *name).collect();
    let own_scope = spec.scopes.as_ref().is_some_and(|scopes| !scopes.is_empty());
    let is_own = |name: &str| RESERVED_PARAMETERS.contains(&name) || own.contains(&name) || (own_scope && name == "scope");
    Ok(ExtraParts {
        headers: extra_headers(spec.request.headers.as_ref())?,
        query: extra_parameters("spec.request.query", spec.request.query.as_ref(), is_own)?,
        body: extra_parameters("spec.request.body", spec.request.body.as_ref(), is_own)?,
    })
}

fn extra_headers(headers: Option<&BTreeMap<String, String>>) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.into_iter().flatten() {
        let field = format!("spec.request.headers.{name}");
        let name = HeaderName::try_from(name).map_err(|_| invalid(&field, "is no header name (RFC 9110 section 5.1)"))?;
        if RESERVED_HEADERS.contains(&name.as_str()) {
            return Err(invalid(&field, "would replace a header that the token request sets itself: remove it"));
        }
        // An extra header often is an API key: never shown, like the credentials.
        let mut value = HeaderValue::try_from(value).map_err(|_| invalid(&field, "holds characters that a header can't carry"))?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

fn extra_parameters(
    field: &str,
    parameters: Option<&BTreeMap<String, String>>,
    is_own: impl Fn(&str) -> bool,
) -> Result<Vec<(String, String)>, Failure> {
    let pairs = parameters.into_iter().flatten();
    match pairs.clone().find(|(name, _)| is_own(name)) {
        Some((name, _)) => Err(invalid(
            &format!("{field}.{name}"),
            "would replace a parameter that the grant or another field of the spec sends: remove it",
        )),
        None => Ok(pairs.map(|(name, value)| (name.clone(), value.clone())).collect()),
    }
}

fn invalid(field: &str, problem: &str) -> Failure {
    Failure::local(Reason::InvalidSpec, format!("{field} {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    fn spec(json: &serde_json::Value) -> v1::TokenSourceSpec {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn credentials(spec: &v1::TokenSourceSpec) -> CredentialValues {
        let password = matches!(spec.grant.grant_type, v1::GrantType::Password);
        let public = matches!(spec.client_authentication.method, v1::ClientAuthenticationMethod::None);
        CredentialValues {
            client_id: "orders".into(),
            client_secret: (!public).then(|| "p+ss w%rd".to_owned().into()),
            user: password.then(|| ("alice".into(), "a&b=c".to_owned().into())),
        }
    }

    type Pairs = Vec<(String, String)>;

    /// Path and query, headers in order of name, and the body's parameters.
    fn sent(json: &serde_json::Value) -> (String, Pairs, Pairs) {
        let spec = spec(json);
        let request = prepare(&spec, false).unwrap().complete(credentials(&spec)).encode();
        let mut headers: Vec<(String, String)> =
            request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        headers.sort();
        let form = url::form_urlencoded::parse(request.body().expose_secret().as_bytes()).into_owned().collect();
        (request.uri().to_string(), headers, form)
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_smallest_request_sends_the_client_in_the_body() {
        let (uri, headers, form) = sent(&json!({"tokenURL": "https://auth.example.com/token", "scopes": ["b", "a"]}));
        assert_eq!(uri, "https://auth.example.com/token");
        assert_eq!(headers, pairs(&[("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")]));
        assert_eq!(
            form,
            pairs(&[("grant_type", "client_credentials"), ("client_id", "orders"), ("client_secret", "p+ss w%rd"), ("scope", "b a")])
        );
    }

    #[test]
    fn basic_with_special_characters_says_that_they_are_encoded() {
        let (_, headers, form) = sent(&json!({"tokenURL": "https://auth.example.com/token", "clientAuthentication": {"method": "Basic"}}));
        assert_eq!(headers.iter().filter(|(name, value)| name == "x-cf-encoded-credentials" && value == "true").count(), 1);
        assert!(headers.iter().any(|(name, value)| name == "authorization" && value.starts_with("Basic ")));
        assert_eq!(form, pairs(&[("grant_type", "client_credentials")]));
    }

    #[test]
    fn identity_authentication_gets_the_client_id_in_the_body_too() {
        let (_, headers, form) =
            sent(&json!({"tokenURL": "https://t.accounts.ondemand.com/oauth2/token", "clientAuthentication": {"method": "Basic"}}));
        assert!(headers.iter().any(|(name, _)| name == "authorization"));
        assert_eq!(form, pairs(&[("grant_type", "client_credentials"), ("client_id", "orders")]));
    }

    #[test]
    fn a_public_client_with_the_password_grant_sends_its_id_and_the_user() {
        let (_, headers, form) = sent(&json!({"tokenURL": "https://auth.example.com/token", "clientID": "orders",
            "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "x"}}, "clientAuthentication": {"method": "None"}}));
        assert!(headers.iter().all(|(name, _)| name != "authorization"));
        assert_eq!(form, pairs(&[("grant_type", "password"), ("client_id", "orders"), ("username", "alice"), ("password", "a&b=c")]));
    }

    #[test]
    fn extra_parts_and_vendor_parameters_come_after_the_grants_own_and_the_urls_query_survives() {
        let (uri, headers, form) = sent(&json!({"tokenURL": "https://api.example.com/apitoken/v1?grant_type=client_credentials",
            "grant": {"audience": "aud", "resource": "urn:r"}, "tokenFormat": "Opaque", "refreshExpirySeconds": 0, "maxExchangePeriodHours": 24,
            "request": {"headers": {"X-Source": "tks"}, "query": {"lang": "en us"}, "body": {"response_type": "token"}}}));
        assert_eq!(uri, "https://api.example.com/apitoken/v1?grant_type=client_credentials&lang=en+us");
        assert!(headers.contains(&("x-source".to_owned(), "tks".to_owned())));
        let expected = [
            ("audience", "aud"),
            ("resource", "urn:r"),
            ("token_format", "opaque"),
            ("refresh_expiry", "0"),
            ("max_exchange_period", "24"),
            ("response_type", "token"),
        ];
        assert_eq!(form[3..], pairs(&expected)[..]);
    }

    #[test]
    fn what_would_replace_the_requests_own_parts_is_refused_by_field() {
        for (part, name, extra) in [
            ("headers", "authorization", json!({})),
            ("headers", "HOST", json!({})),
            ("headers", "bad name", json!({})),
            ("query", "client_secret", json!({})),
            ("body", "grant_type", json!({})),
            ("body", "scope", json!({"scopes": ["a"]})),
            ("body", "audience", json!({"grant": {"audience": "a"}})),
            ("body", "token_format", json!({"tokenFormat": "JWT"})),
        ] {
            let mut json = extra;
            json["tokenURL"] = "https://auth.example.com/token".into();
            json["request"] = json!({part: {name: "x"}});
            let failure = prepare(&spec(&json), false).unwrap_err();
            assert_eq!(failure.reason, Reason::InvalidSpec);
            assert!(failure.message.starts_with(&format!("spec.request.{part}.{name} ")), "{}", failure.message);
        }
    }

    #[test]
    fn a_request_shows_no_secret_in_its_debug_form() {
        let json = json!({"tokenURL": "https://auth.example.com/token", "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "x"}},
            "clientAuthentication": {"method": "Basic"}, "request": {"headers": {"x-api-key": "k3y-value"}}});
        let spec = spec(&json);
        let request = prepare(&spec, false).unwrap().complete(credentials(&spec));
        let shown = format!("{request:?} {:?}", request.encode());
        for secret in ["p+ss", "p%2Bss", "a&b=c", "k3y-value", "Basic b3"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }

    proptest! {
        #[test]
        fn extra_parameters_never_replace_the_grants_own(name in "[a-z_]{1,24}", value in "\\PC{0,20}") {
            let json = json!({"tokenURL": "https://auth.example.com/token", "scopes": ["a"], "request": {"body": {name.clone(): value}}});
            let spec = spec(&json);
            if let Ok(prepared) = prepare(&spec, false) {
                let request = prepared.complete(credentials(&spec)).encode();
                let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body().expose_secret().as_bytes()).into_owned().collect();
                let mut names: Vec<&String> = form.iter().map(|(name, _)| name).collect();
                names.sort();
                let count = names.len();
                names.dedup();
                prop_assert_eq!(names.len(), count);
            }
        }
    }
}
