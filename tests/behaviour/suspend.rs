//! `spec.suspend`: no token requests, and what is there stays.

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::Stage;

#[tokio::test]
async fn a_suspended_source_asks_for_nothing_until_it_is_resumed() {
    let stage = Stage::set("suspend").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("orders", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = |scope: &str, suspend: bool| json!({"tokenURL": endpoint.url("orders"), "credentials": {"secretRef": {"name": "client"}}, "scopes": [scope], "suspend": suspend});

    stage.source("orders", spec("read", true)).await;
    let status = stage.until("orders", "suspended", |status| status.reason(ConditionType::Ready) == "Suspended").await;
    assert!(status.is(ConditionType::Ready, ConditionStatus::False) && !status.has(ConditionType::Stalled));
    stage.annotate("orders", "tokensource.dev/refresh-requested-at", "1").await;

    stage.source("orders", spec("read", false)).await;
    stage.until_ready("orders").await;
    assert_eq!(endpoint.count("orders"), 1, "the forced request and the first are one");

    stage.source("orders", spec("read", true)).await;
    stage.until("orders", "the change was seen", |status| status.0.observed_generation == Some(3)).await;
    assert!(stage.until_ready("orders").await.0.expiration_time.is_some(), "the token is still good");
    assert_eq!(endpoint.count("orders"), 1);
}
