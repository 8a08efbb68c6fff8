//! The same rejected credentials are never sent more than twice within the hour: not by many sources, not by forced
//! refreshes, not by restarts.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::ConditionType;
use tokio::time::sleep;

use crate::stage::Stage;

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
