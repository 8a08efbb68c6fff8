//! Rotated credentials and a changed spec are followed at once; a touched Secret with the same content is not.

use kube::api::{Patch, PatchParams};
use serde_json::json;
use testenv::accounts::CC;
use testenv::{ScriptedEndpoint, Step};

use crate::stage::{Stage, eventually};

fn only(secret: &str) -> Step {
    Step::RequireClient { id: "c".into(), secret: secret.into(), then: Box::new(Step::Token { expires_in: 3600 }) }
}

#[tokio::test]
async fn a_corrected_secret_is_tried_at_once_on_keycloak() {
    let stage = Stage::set("corrected").await;
    let _operator = stage.operator();
    stage.secret("client", &[("client_id", CC.id), ("client_secret", "mistyped")]).await;
    stage
        .source("orders", json!({"tokenURL": stage.world.keycloak_token_url().unwrap(), "credentials": {"secretRef": {"name": "client"}}}))
        .await;
    let refused = stage.until_refused("orders", "ClientAuthenticationFailed").await;
    assert!(refused.0.last_failure.is_some());

    stage.secret("client", &[("client_id", CC.id), ("client_secret", CC.secret)]).await;
    let status = stage.until_ready("orders").await;
    assert_eq!(status.0.last_failure, None);
    stage.until_events("orders", &["ClientAuthenticationFailed", "TokenIssued"]).await;
}

#[tokio::test]
async fn rotation_brings_a_new_token_and_a_label_on_the_secret_does_not() {
    let stage = Stage::set("rotation").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("orders", vec![only("one"), only("two")]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "one")]).await;
    stage.source("orders", json!({"tokenURL": endpoint.url("orders"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("orders").await;
    let first = stage.token("orders").await;

    let label = json!({"metadata": {"labels": {"touched": "yes"}}});
    stage.secrets().patch("client", &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    // The touched Secret is read once, to see that its content is the same.
    let reads = || stage.api_requests().into_iter().filter(|request| request == "get secrets client").count();
    eventually("the touched Secret was read", || async { reads() == 2 }).await;
    assert_eq!(endpoint.count("orders"), 1);

    stage.secret("client", &[("client_id", "c"), ("client_secret", "two")]).await;
    eventually("a token by the new secret", || async { stage.token("orders").await != first }).await;
    assert_eq!(endpoint.count("orders"), 2);
}

#[tokio::test]
async fn a_changed_spec_brings_a_new_token_and_a_changed_timeout_does_not() {
    let stage = Stage::set("spec").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("orders", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = |scope: &str, timeout: &str| json!({"tokenURL": endpoint.url("orders"), "credentials": {"secretRef": {"name": "client"}}, "scopes": [scope], "request": {"readTimeout": timeout}});
    stage.source("orders", spec("read", "10s")).await;
    stage.until_ready("orders").await;

    stage.source("orders", spec("read", "20s")).await;
    stage.until("orders", "the second generation was seen", |status| status.0.observed_generation == Some(2)).await;
    assert_eq!(endpoint.count("orders"), 1);

    stage.source("orders", spec("write", "20s")).await;
    stage.until("orders", "the third generation was seen", |status| status.0.observed_generation == Some(3)).await;
    assert_eq!(endpoint.count("orders"), 2);
    assert_eq!(endpoint.requests("orders")[1].field("scope"), Some("write"));
}
