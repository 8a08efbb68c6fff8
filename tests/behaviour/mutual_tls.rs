//! Client authentication by certificate (RFC 8705), on Keycloak.

use std::fs;

use serde_json::{Value, json};
use testenv::Pki;
use testenv::accounts::MUTUAL_TLS;

use crate::stage::Stage;

fn pem(stage: &Stage, file: &str) -> String {
    fs::read_to_string(stage.world.pki().join(file)).unwrap()
}

async fn spec(stage: &Stage, credentials: &str) -> Value {
    stage.secret("ca", &[("ca.crt", &pem(stage, &format!("{}.crt", Pki::CA)))]).await;
    json!({"tokenURL": stage.world.keycloak_tls_token_url().unwrap(), "clientID": MUTUAL_TLS.id, "credentials": {"secretRef": {"name": credentials}},
        "clientAuthentication": {"method": "MutualTLS"}, "tls": {"caBundle": {"secretRef": {"name": "ca", "key": "ca.crt"}}}})
}

#[tokio::test]
async fn the_right_certificate_gets_a_token_and_another_one_is_refused() {
    let stage = Stage::set("mtls").await;
    let _operator = stage.operator();
    let pair = |name: &str| (pem(&stage, &format!("{name}.crt")), pem(&stage, &format!("{name}.key")));
    let (certificate, key) = pair(Pki::CLIENT);
    stage.secret("right", &[("tls.crt", &certificate), ("tls.key", &key)]).await;
    // The names that a service binding uses.
    let (certificate, key) = pair(Pki::OTHER);
    stage.secret("other", &[("certificate", &certificate), ("key", &key)]).await;
    stage.source("right-token", spec(&stage, "right").await).await;
    stage.source("other-token", spec(&stage, "other").await).await;

    stage.until_ready("right-token").await;
    let status = stage.until_refused("other-token", "ClientAuthenticationFailed").await;
    assert_eq!(status.0.last_failure.unwrap().http_status, Some(401));
}

#[tokio::test]
async fn a_key_store_serves_as_well() {
    let stage = Stage::set("keystore").await;
    let _operator = stage.operator();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("client.p12");
    let of = |extension: &str| stage.world.pki().join(format!("{}.{extension}", Pki::CLIENT));
    let made = std::process::Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:changeit", "-out"])
        .arg(&store)
        .arg("-inkey")
        .arg(of("key"))
        .arg("-in")
        .arg(of("crt"))
        .status();
    assert!(made.expect("openssl is needed to make a key store: install it").success());
    let bytes = fs::read(&store).unwrap();
    stage.secret_of_bytes("store", &[("keystore", &bytes), ("keystorePassword", b"changeit")]).await;
    stage.secret_of_bytes("locked", &[("keystore", &bytes), ("keystorePassword", b"wrong")]).await;
    stage.source("token", spec(&stage, "store").await).await;
    stage.source("no-token", spec(&stage, "locked").await).await;

    stage.until_ready("token").await;
    let status = stage.until_refused("no-token", "ClientAuthenticationFailed").await;
    assert_eq!((status.cause().as_deref(), status.0.last_failure.unwrap().http_status), (Some("BadCertificate"), None));
}

#[tokio::test]
async fn a_certificate_that_can_not_work_is_told_before_any_request() {
    let stage = Stage::set("badcert").await;
    let _operator = stage.operator();
    let mut expired = rcgen::CertificateParams::default();
    expired.not_before = rcgen::date_time_ymd(2020, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = expired.self_signed(&key).unwrap().pem();
    stage.secret("expired", &[("tls.crt", &certificate), ("tls.key", &key.serialize_pem())]).await;
    let other = rcgen::KeyPair::generate().unwrap();
    stage.secret("mixed", &[("tls.crt", &pem(&stage, &format!("{}.crt", Pki::CLIENT))), ("tls.key", &other.serialize_pem())]).await;
    for (name, text) in [("expired", "2021-01-01"), ("mixed", "key")] {
        stage.source(&format!("{name}-token"), spec(&stage, name).await).await;
        let status = stage.until_refused(&format!("{name}-token"), "ClientAuthenticationFailed").await;
        let failure = status.0.last_failure.clone().unwrap();
        assert_eq!(
            (failure.cause.as_deref(), failure.http_status, status.0.last_attempt.is_none()),
            (Some("BadCertificate"), None, true),
            "{name}"
        );
        assert!(failure.message.contains(text), "{name}: {}", failure.message);
    }
}
