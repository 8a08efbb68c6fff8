//! Where nothing is to be done, nothing is done: no write, no read, no token request.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokio::time::sleep;

use crate::stage::Stage;

#[tokio::test]
async fn a_settled_source_costs_no_request_at_all() {
    let stage = Stage::set("fixpoint").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("good", vec![Step::Token { expires_in: 3600 }]);
    endpoint.script("bad", vec![Step::Json { status: 401, body: json!({"error": "invalid_client"}) }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    for name in ["good", "bad"] {
        stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    stage.source("lost", json!({"tokenURL": endpoint.url("good"), "credentials": {"secretRef": {"name": "nowhere"}}})).await;
    stage.until_ready("good").await;
    stage.until_refused("bad", "ClientAuthenticationFailed").await;
    stage.until_refused("lost", "CredentialsNotFound").await;
    for (name, reason) in [("good", "TokenIssued"), ("bad", "ClientAuthenticationFailed"), ("lost", "CredentialsNotFound")] {
        stage.until_events(name, &[reason]).await;
    }
    sleep(Duration::from_secs(2)).await;

    let before = stage.api_requests();
    // A look at each source, by an event that changes nothing of ours.
    for secret in ["good"] {
        let label = json!({"metadata": {"labels": {"looked": "at"}}});
        stage.secrets().patch(secret, &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    }
    for name in ["good", "bad", "lost"] {
        let label = json!({"metadata": {"labels": {"looked": "at"}}});
        stage.sources().patch(name, &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    }
    sleep(Duration::from_secs(4)).await;
    assert_eq!(stage.api_requests(), before);
    assert_eq!((endpoint.count("good"), endpoint.count("bad")), (1, 1));
}

#[tokio::test]
async fn a_first_token_costs_one_read_two_writes_and_an_event() {
    let stage = Stage::set("cost").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("good", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    // A source that runs and a Secret that was seen: looking for one that seems to be missing costs a request.
    stage.source("first", json!({"tokenURL": endpoint.url("good"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("first").await;
    let before = stage.api_requests().len();
    stage.source("good", json!({"tokenURL": endpoint.url("good"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_events("good", &["TokenIssued"]).await;

    let mut requests: Vec<String> = stage.api_requests().into_iter().skip(before).filter(|request| !request.starts_with("list ")).collect();
    requests.retain(|request| !request.contains(" events "));
    requests.sort();
    assert_eq!(requests, ["get secrets client", "patch secrets good", "patch tokensources good"]);
}
