//! When a token is renewed and a refusal tried again, as the spec says.

use jiff::Timestamp;
use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};

use crate::stage::Stage;

async fn source(stage: &Stage, endpoint: &ScriptedEndpoint, name: &str, answer: Value, status: u16, refresh: Value) {
    endpoint.script(name, vec![Step::Json { status, body: answer }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}, "refresh": refresh})).await;
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

#[tokio::test]
async fn the_answer_tells_the_life_else_the_spec() {
    let stage = Stage::set("life").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let silent = json!({"access_token": "opaque", "token_type": "bearer"});
    source(&stage, &endpoint, "assumed", silent.clone(), 200, json!({"assumedLifetime": "1h"})).await;
    source(&stage, &endpoint, "default", silent, 200, json!({})).await;
    let told = json!({"access_token": "opaque", "expires_in": 1800});
    source(&stage, &endpoint, "before", told.clone(), 200, json!({"renewBefore": "10m"})).await;
    source(&stage, &endpoint, "share", told, 200, json!({"renewBeforePercentage": 50})).await;
    for (name, life, earliest, latest) in
        [("assumed", 3600, 2170, 2412), ("default", 300, 180, 201), ("before", 1800, 1080, 1200), ("share", 1800, 810, 900)]
    {
        let status = stage.until_ready(name).await.0;
        let refreshed = status.last_refresh_time.unwrap().0;
        // Life counts from the moment of the request, the refresh from that of the answer: here never seconds apart.
        let under_way = life - seconds(refreshed, status.expiration_time.unwrap().0);
        assert!((0..=5).contains(&under_way), "{name}: the life told is {under_way} s off");
        let renewal = seconds(refreshed, status.renewal_time.unwrap().0) + under_way;
        assert!((earliest..=latest).contains(&renewal), "{name} renews after {renewal} s");
    }
}

#[tokio::test]
async fn a_refusal_is_tried_again_when_the_spec_says() {
    let stage = Stage::set("again").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refusal = json!({"error": "invalid_scope"});
    source(&stage, &endpoint, "soon", refusal.clone(), 400, json!({"retryRejectedAfter": "2m"})).await;
    source(&stage, &endpoint, "default", refusal, 400, json!({})).await;
    for (name, earliest, latest) in [("soon", 120, 133), ("default", 3600, 3961)] {
        let status = stage.until_refused(name, "InvalidScope").await.0;
        let wait = seconds(status.last_attempt.unwrap().time.0, status.next_attempt_time.unwrap().0);
        assert!((earliest..=latest).contains(&wait), "{name} is tried again after {wait} s");
    }
}
