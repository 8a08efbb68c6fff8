//! A source gets its token, in the documented keys, with the documented annotations, in one write.

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;
use testenv::accounts::{ALICE, CC, ROPC, ROPC_PUBLIC, SPECIAL};
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::ConditionType;

use crate::stage::{Stage, text};

#[tokio::test]
async fn a_token_of_keycloak_lies_in_the_secret_under_the_documented_keys() {
    let stage = Stage::set("issue").await;
    let _operator = stage.operator();
    stage.secret("client", &[("client_id", CC.id), ("client_secret", CC.secret)]).await;
    let spec = json!({"tokenURL": stage.world.keycloak_token_url().unwrap(), "credentials": {"secretRef": {"name": "client"}},
        "scopes": ["orders.read"], "secret": {"name": "orders-token", "labels": {"team": "orders"}, "annotations": {"example.com/owner": "orders"}}});
    let source = stage.source("orders", spec).await;

    let status = stage.until_ready("orders").await;
    let secret: Secret = stage.secrets().get("orders-token").await.unwrap();
    let data = text(&secret);
    assert_eq!(data["token_type"], "Bearer");
    assert_eq!(data["authorization"], format!("Bearer {}", data["access_token"]));
    assert_eq!(data["access_token"].split('.').count(), 3, "Keycloak issues JWTs");
    assert!(data["scope"].split(' ').any(|scope| scope == "orders.read"));

    let annotations = secret.metadata.annotations.unwrap();
    assert_eq!(annotations["tokensource.dev/expires-at"], data["expires_at"]);
    let (expiry, renewal): (jiff::Timestamp, jiff::Timestamp) =
        (data["expires_at"].parse().unwrap(), annotations["tokensource.dev/renew-at"].parse().unwrap());
    assert!(renewal < expiry);
    assert!(!annotations["tokensource.dev/request-digest"].contains(CC.secret));
    assert_eq!(annotations["example.com/owner"], "orders");
    let labels = secret.metadata.labels.unwrap();
    assert_eq!((labels["app.kubernetes.io/managed-by"].as_str(), labels["team"].as_str()), ("tokensource", "orders"));
    let owner = &secret.metadata.owner_references.unwrap()[0];
    assert_eq!((owner.controller, &owner.uid), (Some(true), &source.metadata.uid.unwrap()));
    let managers = secret.metadata.managed_fields.unwrap();
    assert_eq!(managers.len(), 1, "one server-side apply wrote all of it");
    assert_eq!((managers[0].manager.as_deref(), managers[0].operation.as_deref()), (Some("tokensource"), Some("Apply")));

    assert_eq!(status.0.expiration_time.unwrap().0, expiry);
    assert_eq!(status.0.renewal_time.unwrap().0, renewal);
    assert_eq!(status.0.secret_name.as_deref(), Some("orders-token"));
    assert_eq!(status.0.token_type.as_deref(), Some("Bearer"));
    assert!(status.0.granted_scopes.unwrap().contains(&"orders.read".to_owned()));
    assert_eq!(status.0.observed_generation, Some(1));
    stage.until_events("orders", &["TokenIssued"]).await;
}

#[tokio::test]
async fn keycloak_and_uaa_issue_by_both_grants_and_every_client_authentication() {
    let stage = Stage::set("grants").await;
    let _operator = stage.operator();
    let (keycloak, uaa) = (stage.world.keycloak_token_url().unwrap(), stage.world.uaa_token_url().unwrap());
    stage.secret("cc", &[("clientid", CC.id), ("clientsecret", CC.secret)]).await;
    stage.secret("special", &[("clientId", SPECIAL.id), ("clientSecret", SPECIAL.secret)]).await;
    stage
        .secret("ropc", &[("client_id", ROPC.id), ("client_secret", ROPC.secret), ("username", ALICE.name), ("password", ALICE.password)])
        .await;
    stage.secret("alice", &[("who", ALICE.name), ("how", ALICE.password)]).await;
    let basic = |encoding: &str| json!({"method": "Basic", "basicEncoding": encoding});
    let from = |secret: &str| json!({"secretRef": {"name": secret}});
    let password = json!({"type": "Password"});
    let public = json!({"secretRef": {"name": "alice"}, "keys": {"username": "who", "password": "how"}});
    let sources = [
        ("keycloak-body", json!({"tokenURL": keycloak, "credentials": from("cc")})),
        ("keycloak-basic", json!({"tokenURL": keycloak, "credentials": from("special"), "clientAuthentication": basic("FormURLEncoded")})),
        ("keycloak-special-body", json!({"tokenURL": keycloak, "credentials": from("special")})),
        ("keycloak-password", json!({"tokenURL": keycloak, "grant": password, "credentials": from("ropc")})),
        (
            "keycloak-public",
            json!({"tokenURL": keycloak, "grant": password, "credentials": public, "clientID": ROPC_PUBLIC.id, "clientAuthentication": {"method": "None"}}),
        ),
        ("uaa-body", json!({"tokenURL": uaa, "credentials": from("cc")})),
        ("uaa-basic", json!({"tokenURL": uaa, "credentials": from("special"), "clientAuthentication": basic("Raw")})),
        ("uaa-special-body", json!({"tokenURL": uaa, "credentials": from("special")})),
        ("uaa-password", json!({"tokenURL": uaa, "grant": password, "credentials": from("ropc"), "tokenFormat": "Opaque"})),
    ];
    for (name, spec) in &sources {
        stage.source(name, spec.clone()).await;
    }
    for (name, _) in &sources {
        stage.until_ready(name).await;
    }
    assert!(!stage.token("uaa-password").await.contains('.'), "token_format=opaque was obeyed");
}

#[tokio::test]
async fn a_private_ca_is_trusted_by_the_bundle_and_not_without_it() {
    let stage = Stage::set("ca").await;
    let _operator = stage.operator();
    let url = stage.world.keycloak_tls_token_url().unwrap();
    let ca = std::fs::read_to_string(stage.world.keycloak_ca().unwrap()).unwrap();
    stage.secret("client", &[("client_id", CC.id), ("client_secret", CC.secret)]).await;
    stage.secret("ca", &[("ca.crt", &ca)]).await;
    let from = json!({"secretRef": {"name": "client"}});
    stage
        .source(
            "trusting",
            json!({"tokenURL": url, "credentials": from, "tls": {"caBundle": {"secretRef": {"name": "ca", "key": "ca.crt"}}}}),
        )
        .await;
    stage.source("doubting", json!({"tokenURL": url, "credentials": from})).await;

    stage.until_ready("trusting").await;
    stage.until_refused("doubting", "TLSVerificationFailed").await;
}

#[tokio::test]
async fn fewer_scopes_than_asked_are_accepted_and_said() {
    let stage = Stage::set("scopes").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let body = json!({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "read"});
    endpoint.script("less", vec![Step::Json { status: 200, body }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage
        .source(
            "less",
            json!({"tokenURL": endpoint.url("less"), "credentials": {"secretRef": {"name": "client"}}, "scopes": ["read", "write"]}),
        )
        .await;

    let status = stage.until_ready("less").await;
    assert_eq!(status.0.granted_scopes.as_deref(), Some(["read".to_owned()].as_slice()));
    assert!(status.message(ConditionType::Ready).contains("did not grant the scopes write"));
}
