//! Any Secret's data gives credentials or a message that tells what is missing; the message shows no value of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokensource::api::v1alpha1::TokenSourceSpec;
use tokensource::oauth::assertion::SigningKey;
use tokensource::oauth::certificate::ClientCertificate;
use tokensource::oauth::endpoint::{TokenEndpoint, UrlType};
use tokensource::oauth::totp;
use tokensource::token_source::binding::SecretData;
use tokensource::token_source::credentials::{Certificate, CredentialValues, find};
use tokensource::token_source::digest::DigestKey;
use tokensource::token_source::failure::MESSAGE_MAX;
use tokensource::token_source::request::{Assertions, prepare};

use super::parts::{Parts, is_telling, utf8};

const METHODS: [&str; 5] = ["Body", "Basic", "MutualTLS", "ClientAssertion", "None"];
const GRANTS: [&str; 3] = ["ClientCredentials", "Password", "RefreshToken"];
/// Keys that are looked for, and one that is not. `keystore` has a question of its own.
pub const KEYS: [&str; 16] = [
    "clientid",
    "client_id",
    "clientsecret",
    "url",
    "certurl",
    "uaa",
    "credentials",
    "username",
    "password",
    "totpSecret",
    "tls.crt",
    "tls.key",
    "privateKey",
    "refresh_token",
    "tokenURL",
    "basicUsername",
];

/// `METHOD GRANT FLAGS tenant 0xff (KEY value 0xff)*`
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let (method, grant, flags) = (parts.one_of(METHODS), parts.one_of(GRANTS), parts.byte());
    let tenant = parts.text();
    let mut data = BTreeMap::new();
    for _ in 0..24 {
        let key = parts.one_of(KEYS).to_owned();
        let Some(value) = parts.part() else { break };
        data.insert(key, ByteString(value.to_vec()));
    }
    let spec = json!({"grant": {"type": grant}, "clientAuthentication": {"method": method}, "credentials": {"secretRef": {"name": "binding"}},
        "tokenURLType": if flags & 1 > 0 { "Common" } else { "Dedicated" }, "tenant": (flags & 1 > 0).then_some(tenant)});
    let spec: TokenSourceSpec = serde_json::from_value(spec).expect("a spec");
    let shows_none = |message: &str| {
        assert!(message.chars().count() <= MESSAGE_MAX, "the message is too long");
        let shown = data.values().map(|ByteString(value)| utf8(value)).find(|text| is_telling(text) && message.contains(text.trim()));
        assert!(shown.is_none(), "a value is told: {message}");
    };
    match find(&spec, Some(&SecretData::new("binding", &data))) {
        Ok(found) => is_used(&spec, found, &shows_none),
        Err(failure) => shows_none(&failure.told()),
    }
}

fn is_used(spec: &TokenSourceSpec, found: CredentialValues, shows_none: &dyn Fn(&str)) {
    let proof = found.proof(spec, "default");
    shows_none(&format!("{proof:?}"));
    if let Some(Certificate::Pem { certificate, key }) = &found.certificate {
        match ClientCertificate::from_pem(certificate.expose_secret(), key) {
            Ok(certificate) => _ = certificate.check(Timestamp::UNIX_EPOCH),
            Err(error) => shows_none(&error.to_string()),
        }
    }
    if let Some(Err(error)) = found.signing_key.as_ref().map(SigningKey::from_pem) {
        shows_none(&error.to_string());
    }
    if let Some(secret) = found.user.as_ref().and_then(|user| user.totp_secret.as_ref()) {
        match totp::Secret::parse(secret) {
            Ok(secret) => _ = secret.code(Timestamp::UNIX_EPOCH),
            Err(error) => shows_none(&error.to_string()),
        }
    }
    let prepared = prepare(spec, false).map_err(|failure| failure.told());
    let endpoint = prepared.as_ref().ok().map(|prepared| prepared.endpoint(spec, &found, false));
    let (Ok(prepared), Some(Ok(endpoint))) = (prepared, endpoint) else { return };
    is_endpoint(&endpoint, spec);
    if let Some(url) = found.token_url.as_deref().filter(|url| spec.tenant.is_some() && url.contains("{tenant}")) {
        is_in_the_authors_domain(&endpoint, url);
    }
    _ = DigestKey::new(b"key").credentials(&endpoint, &found.client_id, proof.whole());
    let assertions = Assertions { client: Some(SecretString::from("assertion")), grant: None };
    let request = prepared.complete(spec, endpoint, found, assertions).expect("credentials that were found are complete");
    _ = request.encode();
}

/// Credentials go to https only, to a host, and never as part of the URL.
fn is_endpoint(endpoint: &TokenEndpoint, spec: &TokenSourceSpec) {
    let url = endpoint.url();
    assert!(url.scheme() == "https" && url.host_str().is_some_and(|host| !host.is_empty()));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    // What was made of a URL is a URL of its own.
    let again = TokenEndpoint::parse(url.as_str(), UrlType::Dedicated, false);
    assert!(spec.tenant.is_some() || again.as_ref() == Ok(endpoint), "{url}");
}

/// Whoever writes the tenant does not choose the registered domain: with another tenant it is the same.
fn is_in_the_authors_domain(endpoint: &TokenEndpoint, url: &str) {
    let Ok(other) = TokenEndpoint::parse(url, UrlType::Common { tenant: "somebody-else" }, false) else { return };
    let [mine, theirs] = [endpoint, &other].map(|endpoint| endpoint.url().host_str().unwrap_or_default());
    let domain = |host: &str| host.rsplit('.').filter(|label| !label.is_empty()).take(2).map(str::to_owned).collect::<Vec<_>>();
    assert!(mine == theirs || domain(mine) == domain(theirs), "the tenant decides: {mine}, {theirs}");
}
