//! A restart costs no token request.

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};

use crate::stage::{Stage, eventually};

#[tokio::test]
async fn fresh_tokens_and_refused_credentials_are_left_alone_by_a_restart() {
    let stage = Stage::set("restart").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("fresh", vec![Step::Token { expires_in: 3600 }]);
    endpoint.script("refused", vec![Step::Json { status: 401, body: json!({"error": "invalid_client"}) }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let operator = stage.operator();
    for name in ["fresh", "refused"] {
        stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    stage.until_ready("fresh").await;
    let before = stage.until_refused("refused", "ClientAuthenticationFailed").await;
    let version = stage.secrets().get("fresh").await.unwrap().metadata.resource_version;

    operator.stop();
    let requests_before = stage.api_requests().len();
    let operator = stage.operator();
    eventually("the new operator has started", || async { operator.log().contains("tokensource starts") }).await;
    // A third source tells when the new operator has looked at all of them.
    endpoint.script("third", vec![Step::Token { expires_in: 3600 }]);
    stage.source("third", json!({"tokenURL": endpoint.url("third"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("third").await;

    assert_eq!((endpoint.count("fresh"), endpoint.count("refused")), (1, 1));
    assert_eq!(stage.secrets().get("fresh").await.unwrap().metadata.resource_version, version);
    assert_eq!(stage.until_refused("refused", "ClientAuthenticationFailed").await.0, before.0);
    let about_old: Vec<String> = stage
        .api_requests()
        .into_iter()
        .skip(requests_before)
        .filter(|request| request.ends_with(" fresh") || request.ends_with(" refused"))
        .collect();
    assert_eq!(about_old, [""; 0], "no request to the API server about what needs none");
}

#[tokio::test]
async fn a_kill_between_two_renewals_loses_nothing() {
    let stage = Stage::set("kill").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("short", vec![Step::Token { expires_in: 30 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let operator = stage.operator();
    stage.source("short", json!({"tokenURL": endpoint.url("short"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("short").await;
    let first = stage.token("short").await;

    operator.kill();
    let _operator = stage.operator();
    eventually("the token is renewed by the next operator", || async { stage.token("short").await != first }).await;
    assert_eq!(endpoint.count("short"), 2);
}

#[tokio::test]
async fn a_request_that_hangs_does_not_hold_up_the_end() {
    let stage = Stage::set("hang").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let slow = Step::Slow(std::time::Duration::from_secs(300), Box::new(Step::Token { expires_in: 3600 }));
    endpoint.script("hangs", vec![slow]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let operator = stage.operator();
    let spec =
        json!({"tokenURL": endpoint.url("hangs"), "credentials": {"secretRef": {"name": "client"}}, "request": {"readTimeout": "10m"}});
    stage.source("hangs", spec).await;
    eventually("the request is under way", || async { endpoint.count("hangs") == 1 }).await;
    operator.stop();
}
