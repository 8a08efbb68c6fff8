//! Refused client certificates (RFC 8705): none, another client's, one that nobody trusts. The UAA of the test world takes none.

use testenv::Pki;
use testenv::accounts::MUTUAL_TLS;

use crate::refusal::{Case, are_told, case};
use crate::signed::{certificate, private_key};
use crate::stage::Stage;

pub fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_tls_token_url().unwrap();
    let client = |name, identity| case(name, &url, "client_credentials").client(&MUTUAL_TLS).tls(stage, identity);
    let other = (certificate(stage, Pki::OTHER), private_key(stage, Pki::OTHER));
    let key = rcgen::KeyPair::generate().unwrap();
    let untrusted = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    vec![
        // The bytes are those of an unknown client.
        client("no-certificate", None).gives("ClientAuthenticationFailed"),
        client("another-clients-certificate", Some(other)).gives("ClientAuthenticationFailed"),
        client("untrusted-certificate", Some((untrusted.pem(), key.serialize_pem()))).gives_cause("BadCertificate"),
    ]
}

#[tokio::test]
async fn each_certificate_that_keycloak_refuses_has_its_reason() {
    let stage = Stage::set("keycloak-certificates").await;
    are_told(&stage, &at_keycloak(&stage)).await;
}
