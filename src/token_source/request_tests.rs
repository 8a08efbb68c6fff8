//! Token requests as they are sent.

use super::*;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::json;

fn spec(json: &serde_json::Value) -> v1::TokenSourceSpec {
    serde_json::from_value(json.clone()).unwrap()
}

fn credentials(spec: &v1::TokenSourceSpec) -> CredentialValues {
    let uses_secret = matches!(spec.client_authentication.method, ClientAuthenticationMethod::Body | ClientAuthenticationMethod::Basic);
    let user = User { name: "alice".into(), password: "a&b=c".to_owned().into(), totp_secret: None };
    CredentialValues {
        client_id: "orders".into(),
        client_secret: uses_secret.then(|| "p+ss w%rd".to_owned().into()),
        certificate: None,
        signing_key: None,
        user: matches!(spec.grant.grant_type, GrantTypeField::Password).then_some(user),
        refresh_token: matches!(spec.grant.grant_type, GrantTypeField::RefreshToken).then(|| "r3fresh".to_owned().into()),
        basic_user: None,
        token_url: None,
    }
}

fn complete_with(spec: &v1::TokenSourceSpec, credentials: CredentialValues) -> TokenRequest {
    let prepared = prepare(spec, false).unwrap();
    let endpoint = prepared.endpoint(spec, &credentials, false).unwrap();
    let assertions = Assertions { client: Some("cl13nt.assertion".to_owned().into()), grant: Some("gr4nt.assertion".to_owned().into()) };
    prepared.complete(spec, endpoint, credentials, assertions).unwrap()
}

fn complete(spec: &v1::TokenSourceSpec) -> TokenRequest {
    complete_with(spec, credentials(spec))
}

type Pairs = Vec<(String, String)>;

/// Path and query, headers in order of name, and the body's parameters.
fn sent(json: &serde_json::Value) -> (String, Pairs, Pairs) {
    let spec = spec(json);
    let request = complete(&spec).encode();
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
    assert_eq!(form, pairs(&[("grant_type", "password"), ("username", "alice"), ("password", "a&b=c"), ("client_id", "orders")]));
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
    let request = complete(&spec);
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
        if prepare(&spec, false).is_ok() {
            let request = complete(&spec).encode();
            let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body().expose_secret().as_bytes()).into_owned().collect();
            let mut names: Vec<&String> = form.iter().map(|(name, _)| name).collect();
            names.sort();
            let count = names.len();
            names.dedup();
            prop_assert_eq!(names.len(), count);
        }
    }
}
