//! Any token answer that is accepted makes a Secret, whatever it says of the token's life, or a failure that can be told.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use tokensource::api::TokenSource;
use tokensource::oauth::endpoint::{TokenEndpoint, UrlType};
use tokensource::oauth::response::{Answer, Asked, ResponseBody, classify};
use tokensource::token_source::digest::{DigestKey, RequestDigest};
use tokensource::token_source::failure::MESSAGE_MAX;
use tokensource::token_source::schedule::{expires_at, renew_at};
use tokensource::token_source::secret::{Issue, render};
use tokensource::token_source::template::OUTPUT_MAX;

use super::answer::GRANTS;
use super::parts::{Parts, utf8};

const FLOOR: Duration = Duration::from_secs(10);

/// `GRANT SECONDS×4 PERCENTAGE assumedLifetime 0xff renewBefore 0xff template 0xff body`
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let grant = parts.one_of(GRANTS);
    let seconds = u32::from_be_bytes([parts.byte(), parts.byte(), parts.byte(), parts.byte()]);
    let percentage = parts.byte();
    let (assumed, before, template) = (parts.text(), parts.text(), parts.text());
    let mut refresh = serde_json::Map::new();
    if percentage > 0 {
        refresh.insert("renewBeforePercentage".to_owned(), percentage.into());
    }
    for (name, text) in [("assumedLifetime", assumed), ("renewBefore", before)] {
        if !text.is_empty() {
            refresh.insert(name.to_owned(), text.into());
        }
    }
    let data = if template.is_empty() { json!(null) } else { json!({ "token": template }) };
    let source = json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": "orders"},
        "spec": {"refresh": refresh, "secret": {"data": data}}});
    let Ok(source) = serde_json::from_value::<TokenSource>(source) else { return };
    let response = Response::new(ResponseBody::Whole(Bytes::copy_from_slice(parts.rest())));
    let Answer::Issued(token) = classify(&Asked { grant, credentials: &[] }, &response) else { return };

    let now = Timestamp::from_second(i64::from(seconds)).unwrap_or_default();
    let expires_at = expires_at(token.lifetime, now, &source.spec.refresh);
    let renew_at = renew_at(now, expires_at, &source.spec.refresh, FLOOR, "seed");
    assert!(renew_at >= now && renew_at <= expires_at.max(now + FLOOR), "renewed at {renew_at}, expires at {expires_at}, now {now}");

    let endpoint = TokenEndpoint::parse("https://auth.example.com/token", UrlType::Dedicated, false).expect("a URL");
    let key = DigestKey::new(b"key");
    let issue = Issue {
        token: *token,
        expires_at,
        renew_at,
        requested_at: now,
        digest: RequestDigest { spec: key.spec(&source.spec), credentials: key.credentials(&endpoint, "shop", &[SecretString::from("s")]) },
        credentials_version: None,
        token_url: endpoint.url().to_string(),
        client_id: "shop".to_owned(),
    };
    match render(&source, &issue) {
        Ok(secret) => {
            let data = secret.data.unwrap_or_default();
            assert!(!data.is_empty());
            assert!(data.values().all(|value| utf8(&value.0).len() == value.0.len()), "a value is no text");
            assert!(template.is_empty() || data.values().all(|value| value.0.len() <= OUTPUT_MAX), "a value is too long");
        }
        Err(failure) => assert!(!template.is_empty() && failure.told().chars().count() <= MESSAGE_MAX),
    }
}
