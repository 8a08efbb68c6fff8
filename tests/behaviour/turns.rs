//! Sources that wait for their turn at a token endpoint: they hold up nobody else, and are told why they wait.

use std::time::Duration;

use kube::api::ListParams;
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::TokenSource;
use tokensource::api::condition::{ConditionType, find};

use crate::stage::{Stage, eventually};

const OPEN: [&str; 3] = ["--allow-http", "--allow-cidr", "127.0.0.0/8"];

#[tokio::test]
async fn an_endpoint_that_hangs_holds_up_no_other() {
    let stage = Stage::set("turns").await;
    let (hanging, other) = (ScriptedEndpoint::start().await.unwrap(), ScriptedEndpoint::start().await.unwrap());
    hanging.script("hangs", vec![Step::Slow(Duration::from_secs(3600), Box::new(Step::Status(503)))]);
    other.script("answers", vec![Step::Token { expires_in: 3600 }]);
    for index in 0..20 {
        let client = format!("client-{index}");
        stage.secret(&client, &[("client_id", &client), ("client_secret", "s")]).await;
        let spec =
            json!({"tokenURL": hanging.url("hangs"), "credentials": {"secretRef": {"name": client}}, "request": {"readTimeout": "300s"}});
        stage.source(&format!("waits-{index}"), spec).await;
    }
    let _operator = stage.operator_with(&[&OPEN[..], &["--concurrency", "6", "--endpoint-concurrency", "4"]].concat());
    assert!(hanging.wait_for("hangs", 4, Duration::from_secs(60)).await);

    stage.source("answered", json!({"tokenURL": other.url("answers"), "credentials": {"secretRef": {"name": "client-0"}}})).await;
    stage.until_ready("answered").await;
    assert_eq!(hanging.count("hangs"), 4, "more than --endpoint-concurrency at a time");
    // Which of them wait is left to chance; it is not those that were sent.
    let is_told = |source: &TokenSource| {
        let conditions = source.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        find(conditions, ConditionType::Ready)
            .is_some_and(|ready| ready.reason == "RateLimited" && ready.message.contains("waits for its turn"))
            && find(conditions, ConditionType::Stalled).is_none()
    };
    eventually("those that wait are told", || async {
        stage.sources().list(&ListParams::default()).await.unwrap().iter().filter(|source| is_told(source)).count() >= 10
    })
    .await;
}

#[tokio::test]
async fn a_first_token_waits_for_its_turn_and_comes() {
    let stage = Stage::set("rate").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("limited", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    for name in ["a", "b", "c"] {
        stage.source(name, json!({"tokenURL": endpoint.url("limited"), "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    let _operator = stage.operator_with(&[&OPEN[..], &["--endpoint-rate", "0.5"]].concat());
    for name in ["a", "b", "c"] {
        stage.until_ready(name).await;
    }
    let at: Vec<_> = endpoint.requests("limited").iter().map(|request| request.at).collect();
    assert_eq!(at.len(), 3);
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(1500)), "{at:?}");
}
