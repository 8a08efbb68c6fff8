//! The same rejected credentials are never sent more than twice within the hour: not by many sources, not by forced
//! refreshes, not by restarts.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::ConditionType;
use tokio::time::sleep;

use crate::stage::{PATIENCE, Stage, Status, eventually};

#[tokio::test]
async fn whoever_asks_and_however_often_the_server_sees_two_attempts() {
    let stage = Stage::set("lockout").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refusal = Step::Json { status: 401, body: json!({"error": "invalid_client", "error_description": "Bad credentials"}) };
    endpoint.script("idp", vec![Step::Slow(Duration::from_millis(100), Box::new(refusal))]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "wrong")]).await;
    let operator = stage.operator();
    let names: Vec<String> = (0..8).map(|number| format!("source-{number}")).collect();
    for name in &names {
        stage.source(name, json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    for name in &names {
        let status = stage.until_refused(name, "ClientAuthenticationFailed").await;
        assert_eq!(status.cause().as_deref(), Some("WrongSecret"));
    }
    assert_eq!(endpoint.count("idp"), 2);

    for (round, name) in names.iter().enumerate() {
        stage.annotate(name, "tokensource.dev/refresh-requested-at", &round.to_string()).await;
        stage.until(name, "handled", |status| status.0.last_handled_refresh_request == Some(round.to_string())).await;
    }
    let label = json!({"metadata": {"labels": {"touched": "yes"}}});
    stage.secrets().patch("client", &PatchParams::default(), &Patch::Merge(label)).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(endpoint.count("idp"), 2);

    operator.kill();
    let _operator = stage.operator();
    stage.source("after-restart", json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}})).await;
    let status = stage.until_refused("after-restart", "ClientAuthenticationFailed").await;
    assert!(status.message(ConditionType::Ready).contains("not sent again"));
    assert_eq!(endpoint.count("idp"), 2);

    // Other credentials are another matter, and tried at once.
    stage.secret("client", &[("client_id", "c"), ("client_secret", "other")]).await;
    assert!(endpoint.wait_for("idp", 3, Duration::from_secs(30)).await);
}

#[tokio::test]
async fn refusals_in_one_namespace_count_in_the_others_also_after_a_restart() {
    let (stage, other) = (Stage::set("lockout-a").await, Stage::set("lockout-b").await);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![Step::Json { status: 401, body: json!({"error": "invalid_client"}) }]);
    let flags = ["--namespace", &other.namespace, "--allow-http", "--allow-cidr", "127.0.0.0/8"];
    let operator = stage.operator_with(&flags);
    for stage in [&stage, &other] {
        stage.secret("client", &[("client_id", "c"), ("client_secret", "wrong")]).await;
    }
    let spec = json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}});
    for name in ["one", "two"] {
        stage.source(name, spec.clone()).await;
        stage.until_refused(name, "ClientAuthenticationFailed").await;
    }
    operator.kill();

    let _operator = stage.operator_with(&flags);
    other.source("three", spec).await;
    other.until_refused("three", "ClientAuthenticationFailed").await;
    assert_eq!(endpoint.count("idp"), 2);
}

fn refusal(error: &str) -> Step {
    Step::Json { status: 401, body: json!({"error": error}) }
}

#[tokio::test]
async fn what_a_status_no_longer_tells_is_remembered_over_a_restart() {
    let stage = Stage::set("lockout-gone").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![refusal("invalid_client")]);
    let spec = json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}});
    let operator = stage.operator();
    stage.secret("client", &[("client_id", "c"), ("client_secret", "first")]).await;
    for name in ["one", "two"] {
        stage.source(name, spec.clone()).await;
        stage.until_refused(name, "ClientAuthenticationFailed").await;
    }
    let first = stage.until_refused("two", "ClientAuthenticationFailed").await;
    // The one source goes, the other gets another secret, and a third process comes.
    stage.delete_source("one").await;
    stage.secret("client", &[("client_id", "c"), ("client_secret", "second")]).await;
    assert!(endpoint.wait_for("idp", 3, PATIENCE).await);
    let asked_with = |status: &Status| status.0.last_attempt.as_ref().map(|attempt| attempt.request_digest.clone());
    stage.until("two", "the second secret was refused", |status| asked_with(status) != asked_with(&first)).await;
    operator.kill();

    stage.secret("client", &[("client_id", "c"), ("client_secret", "first")]).await;
    let _operator = stage.operator();
    stage.source("one", spec).await;
    for name in ["one", "two"] {
        stage.until(name, "held back", |status| status.message(ConditionType::Refreshed).contains("not sent again")).await;
    }
    assert_eq!(endpoint.count("idp"), 3);
}

#[tokio::test]
async fn an_answer_that_a_killed_process_never_read_counts() {
    let stage = Stage::set("lockout-kill").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![Step::Slow(Duration::from_secs(5), Box::new(refusal("invalid_client")))]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "wrong")]).await;
    let mut operator = stage.operator();
    stage.source("one", json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}})).await;
    for sent in 1..=2 {
        assert!(endpoint.wait_for("idp", sent, PATIENCE).await);
        operator.kill();
        operator = stage.operator();
    }
    stage.until("one", "held back", |status| status.message(ConditionType::Refreshed).contains("not sent again")).await;
    assert_eq!(endpoint.count("idp"), 2);
}

#[tokio::test]
async fn a_renewal_that_a_killed_process_never_read_counts_too() {
    let stage = Stage::set("lockout-renew").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let slow = Step::Slow(Duration::from_secs(5), Box::new(refusal("invalid_client")));
    endpoint.script("idp", vec![Step::Token { expires_in: 15 }, slow]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "revoked")]).await;
    let mut operator = stage.operator();
    stage.source("one", json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("one").await;
    for sent in 2..=3 {
        assert!(endpoint.wait_for("idp", sent, PATIENCE).await);
        operator.kill();
        operator = stage.operator();
    }
    stage.until("one", "held back", |status| status.message(ConditionType::Refreshed).contains("not sent again")).await;
    assert_eq!(endpoint.count("idp"), 3, "one token and two refusals");
}

#[tokio::test]
async fn a_token_answers_what_a_killed_process_had_sent_before() {
    let stage = Stage::set("lockout-proved").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let token = |expires_in| Step::Token { expires_in };
    let slow = || Step::Slow(Duration::from_secs(5), Box::new(token(20)));
    endpoint.script("idp", vec![slow(), token(20), slow(), token(3600)]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let first = stage.operator();
    stage.source("one", json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "client"}}})).await;
    assert!(endpoint.wait_for("idp", 1, PATIENCE).await);
    first.kill();
    let second = stage.operator();
    stage.until_ready("one").await;
    let before = stage.token("one").await;
    // The renewal is the second request that is lost within the hour, and yet the first that nothing has answered.
    assert!(endpoint.wait_for("idp", 3, PATIENCE).await);
    second.kill();
    let _third = stage.operator();
    eventually("the token is renewed", || async { stage.token("one").await != before }).await;
    assert_eq!(endpoint.count("idp"), 4);
}

#[tokio::test]
async fn a_wrong_client_secret_is_sent_twice_for_all_users_together() {
    let stage = Stage::set("lockout-users").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script(
        "idp",
        vec![Step::Json { status: 401, body: json!({"error": "invalid_client", "error_description": "Invalid client secret"}) }],
    );
    let _operator = stage.operator();
    for user in ["alice", "bob", "carol", "dave"] {
        let credentials = [("client_id", "c"), ("client_secret", "wrong"), ("username", user), ("password", user)];
        stage.secret(&format!("{user}-credentials"), &credentials).await;
        let spec = json!({"tokenURL": endpoint.url("idp"), "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": format!("{user}-credentials")}}});
        stage.source(user, spec).await;
    }
    for user in ["alice", "bob", "carol", "dave"] {
        stage.until_refused(user, "ClientAuthenticationFailed").await;
    }
    assert_eq!(endpoint.count("idp"), 2);
}

#[tokio::test]
async fn a_wrong_password_does_not_hold_back_the_client() {
    let stage = Stage::set("lockout-user").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![Step::Json { status: 400, body: json!({"error": "invalid_grant"}) }]);
    let _operator = stage.operator();
    stage.secret("alice", &[("client_id", "c"), ("client_secret", "s"), ("username", "alice"), ("password", "wrong")]).await;
    let spec = json!({"tokenURL": endpoint.url("idp"), "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "alice"}}});
    for name in ["one", "two", "three"] {
        stage.source(name, spec.clone()).await;
        stage.until_refused(name, "UserAuthenticationFailed").await;
    }
    assert_eq!(endpoint.count("idp"), 2);
    let client = json!({"tokenURL": endpoint.url("idp"), "credentials": {"secretRef": {"name": "alice"}}});
    stage.source("client", client).await;
    assert!(endpoint.wait_for("idp", 3, PATIENCE).await, "the client alone is other credentials");
}
