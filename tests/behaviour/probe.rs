//! The probe: once per version of the client's credentials, without user data, remembered, and not needed where a token
//! proved the client.

use std::time::Duration;

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokio::time::sleep;

use crate::stage::Stage;

/// What the UAA answers to a wrong client and to a wrong password alike.
fn unclear() -> Step {
    let body = br#"{"error":"invalid_client","error_description":"Bad credentials"}"#.to_vec();
    let headers = [("content-type", "application/json"), ("www-authenticate", "Basic realm=\"UAA/client\", error=\"unauthorized\"")];
    Step::Raw { status: 401, headers: headers.map(|(name, value)| (name.into(), value.into())).to_vec(), body }
}

fn grants(endpoint: &ScriptedEndpoint) -> Vec<String> {
    endpoint.requests("uaa").iter().map(|request| request.field("grant_type").unwrap().to_owned()).collect()
}

async fn user(stage: &Stage, endpoint: &ScriptedEndpoint, name: &str) {
    stage.secret("user", &[("client_id", "c"), ("client_secret", "s"), ("username", "u"), ("password", "p")]).await;
    let spec = json!({"tokenURL": endpoint.url("uaa"), "grant": {"type": "Password"}, "scopes": ["openid"], "credentials": {"secretRef": {"name": "user"}},
        "request": {"headers": {"X-Zone": "z"}, "body": {"login_hint": "someone"}}});
    stage.source(name, spec).await;
}

#[tokio::test]
async fn the_client_asks_alone_once_and_is_remembered() {
    let stage = Stage::set("probe").await;
    let operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("uaa", vec![unclear(), Step::Token { expires_in: 3600 }, unclear()]);
    user(&stage, &endpoint, "alice").await;
    let status = stage.until_refused("alice", "UserAuthenticationFailed").await;
    assert!(status.0.last_failure.unwrap().message.contains("the client is accepted where it asks alone"));
    assert_eq!(grants(&endpoint), ["password", "client_credentials"]);
    let probe = &endpoint.requests("uaa")[1];
    assert_eq!((probe.field("client_secret"), probe.header("x-zone")), (Some("s"), Some("z")));
    for parameter in ["username", "password", "scope", "login_hint"] {
        assert_eq!(probe.field(parameter), None, "{parameter}");
    }

    operator.kill();
    let _operator = stage.operator();
    stage.annotate("alice", "tokensource.dev/refresh-requested-at", "1").await;
    stage.until("alice", "handled", |status| status.0.last_handled_refresh_request.is_some()).await;
    stage.until_refused("alice", "UserAuthenticationFailed").await;
    assert_eq!(grants(&endpoint), ["password", "client_credentials", "password"]);
}

#[tokio::test]
async fn a_client_that_fails_alone_too_is_the_one_that_was_refused() {
    let stage = Stage::set("probefails").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("uaa", vec![unclear()]);
    user(&stage, &endpoint, "alice").await;
    let status = stage.until_refused("alice", "ClientAuthenticationFailed").await;
    assert_eq!(status.cause().as_deref(), Some("WrongSecret"));
    assert_eq!(grants(&endpoint), ["password", "client_credentials"]);
}

#[tokio::test]
async fn a_probe_that_says_nothing_leaves_the_question_open() {
    let stage = Stage::set("probeopen").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("uaa", vec![unclear(), Step::Status(500)]);
    user(&stage, &endpoint, "alice").await;
    stage.until_refused("alice", "CredentialsRejected").await;
}

#[tokio::test]
async fn a_client_that_got_a_token_needs_no_probe() {
    let stage = Stage::set("proven").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("uaa", vec![Step::Token { expires_in: 3600 }, unclear()]);
    user(&stage, &endpoint, "alice").await;
    stage.until_ready("alice").await;
    stage.annotate("alice", "tokensource.dev/refresh-requested-at", "1").await;
    stage.until_refused("alice", "UserAuthenticationFailed").await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(grants(&endpoint), ["password", "password"]);
}

#[tokio::test]
async fn a_client_that_got_a_token_before_is_told_to_look_for_what_has_changed() {
    let stage = Stage::set("tookit").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refusal = Step::Json { status: 401, body: json!({"error": "invalid_client"}) };
    endpoint.script("idp", vec![Step::Token { expires_in: 3600 }, refusal]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source("orders", json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("orders").await;
    stage.annotate("orders", "tokensource.dev/refresh-requested-at", "1").await;
    let failure = stage.until_refused("orders", "ClientAuthenticationFailed").await.0.last_failure.unwrap();
    assert!(failure.remedy.contains("Hint: the server took this client with the same credentials before"), "{}", failure.remedy);
}
