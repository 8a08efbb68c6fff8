//! A short-lived token is replaced before it expires, and the Secret never holds an expired one.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use testenv::accounts::CC_SHORT;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};
use tokio::time::{Instant, sleep};

use crate::stage::Stage;

#[expect(clippy::disallowed_methods, reason = "a test looks at the world's clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[tokio::test]
async fn a_token_of_twenty_seconds_changes_twice_and_is_never_expired() {
    let stage = Stage::set("renew").await;
    let _operator = stage.operator();
    stage.secret("client", &[("client_id", CC_SHORT.id), ("client_secret", CC_SHORT.secret)]).await;
    stage
        .source("short", json!({"tokenURL": stage.world.keycloak_token_url().unwrap(), "credentials": {"secretRef": {"name": "client"}}}))
        .await;
    stage.until_ready("short").await;

    let mut seen = vec![stage.token("short").await];
    let deadline = Instant::now() + Duration::from_secs(90);
    while seen.len() < 3 {
        let data = stage.data("short").await;
        assert!(data["expires_at"].parse::<Timestamp>().unwrap() > now(), "the Secret holds an expired token");
        if !seen.contains(&data["access_token"]) {
            seen.push(data["access_token"].clone());
        }
        assert!(Instant::now() < deadline, "the token was not renewed");
        sleep(Duration::from_millis(200)).await;
    }
    stage.until_events("short", &["TokenIssued"]).await;
}

#[tokio::test]
async fn a_valid_token_outlives_failed_renewals_and_the_source_recovers() {
    let stage = Stage::set("outage").await;
    let _operator = stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--min-refresh-interval", "2s"]);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let token = Step::Token { expires_in: 30 };
    endpoint.script("flaky", vec![token.clone(), Step::Status(503), Step::Reset, token]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = json!({"tokenURL": endpoint.url("flaky"), "credentials": {"secretRef": {"name": "client"}}, "refresh": {"renewBeforePercentage": 90}});
    stage.source("flaky", spec).await;
    stage.until_ready("flaky").await;
    let first = stage.token("flaky").await;

    let failing = stage.until("flaky", "a failed renewal", |status| status.is(ConditionType::Refreshed, ConditionStatus::False)).await;
    assert!(failing.is(ConditionType::Ready, ConditionStatus::True), "the token is still good");
    assert_eq!(stage.token("flaky").await, first);
    assert!(failing.0.next_attempt_time.is_some() && !failing.has(ConditionType::Stalled));

    let recovered = stage.until("flaky", "recovery", |status| status.is(ConditionType::Refreshed, ConditionStatus::True)).await;
    assert_ne!(stage.token("flaky").await, first);
    assert_eq!((recovered.0.last_failure, recovered.0.consecutive_failures), (None, None));
}

#[tokio::test]
async fn an_expired_token_makes_the_source_not_ready_and_stays_in_the_secret() {
    let stage = Stage::set("expiry").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("gone", vec![Step::Token { expires_in: 14 }, Step::Status(500)]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source("gone", json!({"tokenURL": endpoint.url("gone"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("gone").await;

    let status = stage.until("gone", "expired", |status| status.is(ConditionType::Ready, ConditionStatus::False)).await;
    assert_eq!(status.reason(ConditionType::Ready), "ServerError");
    assert!(status.0.expiration_time.unwrap().0 <= now());
    assert!(stage.data("gone").await.contains_key("access_token"), "onExpiry Keep");
}
