//! What real servers do not do on request: throttling, server errors, pages instead of tokens, garbage, slowness,
//! resets, bodies without end, redirects.

use std::time::Duration;

use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::ConditionType;

use crate::stage::Stage;

#[tokio::test]
async fn each_fault_has_its_reason_and_no_secret_is_written() {
    let stage = Stage::set("faults").await;
    let mut operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    // Endpoints of their own: a pause is for the whole endpoint.
    let throttling = [ScriptedEndpoint::start().await.unwrap(), ScriptedEndpoint::start().await.unwrap()];
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let elsewhere = endpoint.url("elsewhere");
    endpoint.script("elsewhere", vec![Step::Token { expires_in: 3600 }]);
    let raw = |status, body: &str| Step::Raw {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.as_bytes().to_vec(),
    };
    // Name, what the endpoint does, the reason, whether nothing will change by itself.
    let cases = [
        ("throttled", Step::RateLimited { retry_after: Some("7".into()) }, "RateLimited", false),
        ("throttled-silently", Step::RateLimited { retry_after: None }, "RateLimited", false),
        ("broken", Step::Status(500), "ServerError", false),
        ("unavailable", Step::Status(503), "TemporarilyUnavailable", false),
        ("page", Step::Html(200), "NotAnOAuthResponse", true),
        ("garbage", Step::Garbage, "InvalidTokenResponse", false),
        ("endless", Step::Huge(64 * 1024 * 1024), "InvalidTokenResponse", false),
        ("slow", Step::Slow(Duration::from_secs(20), Box::new(Step::Token { expires_in: 3600 })), "ConnectionFailed", false),
        ("dripping", Step::SlowBody(Duration::from_secs(20)), "ConnectionFailed", false),
        ("reset", Step::Reset, "ConnectionFailed", false),
        ("redirect", Step::Redirect(elsewhere), "NotAnOAuthResponse", true),
        ("empty-token", raw(200, r#"{"access_token":"","expires_in":60}"#), "InvalidTokenResponse", false),
        ("no-number", raw(200, r#"{"access_token":"t","expires_in":false}"#), "InvalidTokenResponse", false),
        ("foreign-type", raw(200, r#"{"access_token":"t","token_type":"mac"}"#), "InvalidTokenResponse", false),
        ("no-content", Step::Status(204), "InvalidTokenResponse", false),
    ];
    for (index, (name, step, ..)) in cases.iter().enumerate() {
        let endpoint = throttling.get(index).unwrap_or(&endpoint);
        endpoint.script(name, vec![step.clone()]);
        let request: Value = json!({"connectTimeout": "2s", "readTimeout": "2s"});
        stage
            .source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}, "request": request}))
            .await;
    }
    for (name, _, reason, stalled) in &cases {
        let status = stage.until_refused(name, reason).await;
        assert_eq!(status.has(ConditionType::Stalled), *stalled, "{name}");
        assert!(status.0.next_attempt_time.is_some(), "{name}");
        assert!(stage.secrets().get_opt(name).await.unwrap().is_none(), "{name}");
    }
    assert_eq!(endpoint.count("elsewhere"), 0, "a redirect was followed");
    assert!(operator.is_running());
}

#[tokio::test]
async fn retry_after_is_obeyed_and_then_the_token_comes() {
    let stage = Stage::set("throttled").await;
    let _operator = stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--min-refresh-interval", "1s"]);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("limit", vec![Step::RateLimited { retry_after: Some("5".into()) }, Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source("limit", json!({"tokenURL": endpoint.url("limit"), "credentials": {"secretRef": {"name": "client"}}})).await;

    stage.until_ready("limit").await;
    let requests = endpoint.requests("limit");
    let pause = requests[1].at - requests[0].at;
    assert!(pause >= Duration::from_secs(4), "the second request came after {pause:?}");
}

#[tokio::test]
async fn one_429_pauses_the_whole_endpoint() {
    let stage = Stage::set("pause").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("first", vec![Step::RateLimited { retry_after: Some("3600".into()) }]);
    endpoint.script("second", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = |name: &str| json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}});
    stage.source("first", spec("first")).await;
    stage.until_refused("first", "RateLimited").await;

    stage.source("second", spec("second")).await;
    let status = stage.until_refused("second", "RateLimited").await;
    assert!(status.message(ConditionType::Ready).contains("asked for a pause") && !status.has(ConditionType::Stalled));
    assert_eq!(endpoint.count("second"), 0);
}
