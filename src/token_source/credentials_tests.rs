//! Which credentials are found where.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;

use super::*;
use secrecy::ExposeSecret as _;

fn spec(json: serde_json::Value) -> TokenSourceSpec {
    let mut spec = json;
    spec["tokenURL"] = "https://auth.example.com/token".into();
    serde_json::from_value(spec).unwrap()
}

fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec()))).collect()
}

fn found(spec: &TokenSourceSpec, pairs: &[(&str, &str)]) -> Result<CredentialValues, Failure> {
    find(spec, Some(&SecretData::new("creds", &data(pairs))))
}

#[test]
fn the_usual_key_names_are_found() {
    let spec = spec(serde_json::json!({"credentials": {"secretRef": {"name": "creds"}}}));
    for (id, secret) in [("client_id", "client_secret"), ("clientId", "clientSecret"), ("clientid", "clientsecret")] {
        let values = found(&spec, &[(id, "orders"), (secret, "s3cret")]).unwrap();
        assert_eq!(values.client_id, "orders");
        assert_eq!(values.client_secret.unwrap().expose_secret(), "s3cret");
        assert!(values.user.is_none());
    }
}

#[test]
fn named_keys_go_before_usual_ones_and_the_spec_client_id_before_both() {
    let spec = spec(serde_json::json!({"clientID": "fixed", "grant": {"type": "Password"},
        "credentials": {"secretRef": {"name": "creds"}, "keys": {"clientSecret": "s", "password": "p"}}}));
    let values = found(&spec, &[("client_id", "other"), ("s", "one"), ("client_secret", "two"), ("user", "alice"), ("p", "pw")]).unwrap();
    assert_eq!(values.client_id, "fixed");
    assert_eq!(values.client_secret.unwrap().expose_secret(), "one");
    assert_eq!(values.user.unwrap().name, "alice");
}

#[test]
fn what_is_missing_is_named_and_no_value_is_shown() {
    let spec = spec(serde_json::json!({"credentials": {"secretRef": {"name": "creds"}, "keys": {"clientSecret": "mine"}}}));
    for (pairs, expected) in [
        (vec![("client_secret", "hidden")], "Secret creds has no key client_id, clientId, clientid, clientID, client-id"),
        (vec![("client_id", "a"), ("client_secret", "hidden")], "Secret creds has no key mine"),
        (vec![("client_id", "a"), ("mine", "")], "key mine of Secret creds is empty"),
    ] {
        let failure = found(&spec, &pairs).unwrap_err();
        assert_eq!(failure.reason, Reason::CredentialsIncomplete);
        assert!(failure.message.contains(expected), "{}", failure.message);
        assert!(!failure.message.contains("hidden"));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let spec = spec(serde_json::json!({"credentials": {"secretRef": {"name": "creds"}}}));
    let data = BTreeMap::from([("client_id".to_owned(), ByteString(vec![0xff, 0xfe]))]);
    let failure = find(&spec, Some(&SecretData::new("creds", &data))).unwrap_err();
    assert!(failure.message.contains("is not UTF-8 text"));
}

#[test]
fn a_public_client_needs_no_secret() {
    let spec = spec(serde_json::json!({"clientID": "public", "clientAuthentication": {"method": "None"}}));
    assert!(find(&spec, None).unwrap().client_secret.is_none());
}

#[test]
fn each_method_and_grant_finds_what_it_needs() {
    let credentials = serde_json::json!({"secretRef": {"name": "creds"}});
    let mutual_tls = spec(serde_json::json!({"credentials": credentials, "clientAuthentication": {"method": "MutualTLS"}}));
    let values = found(&mutual_tls, &[("clientid", "c"), ("certificate", "PEM"), ("key", "KEY")]).unwrap();
    assert!(matches!(values.certificate, Some(Certificate::Pem { .. })) && values.client_secret.is_none());
    let values = found(&mutual_tls, &[("clientid", "c"), ("keystore", "bytes"), ("keystorePassword", "pw")]).unwrap();
    assert!(matches!(values.certificate, Some(Certificate::KeyStore { .. })));

    let user = spec(serde_json::json!({"credentials": credentials, "grant": {"type": "Password"}}));
    let values = found(
        &user,
        &[("client_id", "c"), ("client_secret", "s"), ("username", "u"), ("password", "p"), ("totpSecret", "JBSWY3DPEHPK3PXP")],
    )
    .unwrap();
    assert!(values.user.unwrap().totp_secret.is_some());

    let refresh = spec(serde_json::json!({"credentials": credentials, "grant": {"type": "RefreshToken"}}));
    let failure = found(&refresh, &[("client_id", "c"), ("client_secret", "s")]).unwrap_err();
    assert!(failure.message.contains("no refreshToken: Secret creds has no key refresh_token, refreshToken"));
}

#[test]
fn the_token_services_own_user_stands_beside_the_client_or_instead_of_it() {
    let credentials = serde_json::json!({"secretRef": {"name": "creds"}});
    let pairs = [("client_id", "c"), ("basicUsername", "svc"), ("basicPassword", "pw")];
    let basic = spec(serde_json::json!({"credentials": credentials, "clientAuthentication": {"method": "Basic"}}));
    let values = found(&basic, &pairs).unwrap();
    assert_eq!((values.basic_user.unwrap().0.as_str(), values.client_secret.is_none()), ("svc", true));
    let body = spec(serde_json::json!({"credentials": credentials}));
    assert!(found(&body, &pairs).unwrap_err().message.contains("no clientSecret"));
    assert!(
        found(&body, &[("client_id", "c"), ("client_secret", "s"), ("basicUsername", "svc")])
            .unwrap_err()
            .message
            .contains("no basicPassword")
    );
}

#[test]
fn a_service_binding_names_its_token_url() {
    let binding = serde_json::json!({"credentials": {"secretRef": {"name": "creds"}}});
    let mut binding = spec(binding);
    binding.token_url = None;
    let pairs = [("clientid", "c"), ("clientsecret", "s"), ("url", "https://sub.authentication.eu10.example.com")];
    assert_eq!(found(&binding, &pairs).unwrap().token_url.as_deref(), Some("https://sub.authentication.eu10.example.com/oauth/token"));
    assert!(found(&binding, &pairs[..2]).unwrap_err().message.contains("no tokenURL"));
}
