//! The annotation `refresh-requested-at` forces one request, also for a stalled source.

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::{Stage, eventually};

const ANNOTATION: &str = "tokensource.dev/refresh-requested-at";

#[tokio::test]
async fn each_new_value_is_one_request() {
    let stage = Stage::set("forced").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.orders(&endpoint, vec![Step::Token { expires_in: 3600 }]).await;
    stage.until_ready("orders").await;
    for value in ["1", "2"] {
        let before = stage.token("orders").await;
        stage.annotate("orders", ANNOTATION, value).await;
        eventually("a new token", || async { stage.token("orders").await != before }).await;
        stage.until("orders", "handled", |status| status.0.last_handled_refresh_request.as_deref() == Some(value)).await;
        stage.annotate("orders", ANNOTATION, value).await;
    }
    assert_eq!(endpoint.count("orders"), 3);
}

#[tokio::test]
async fn a_stalled_source_is_tried_once_and_recovers_if_the_server_did() {
    let stage = Stage::set("stalled").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refused = Step::Json { status: 400, body: json!({"error": "invalid_scope"}) };
    stage.orders(&endpoint, vec![refused, Step::Token { expires_in: 3600 }]).await;
    let status = stage.until_refused("orders", "InvalidScope").await;
    assert!(status.is(ConditionType::Stalled, ConditionStatus::True));

    stage.annotate("orders", ANNOTATION, "now").await;
    let status = stage.until_ready("orders").await;
    assert!(!status.has(ConditionType::Stalled));
}
