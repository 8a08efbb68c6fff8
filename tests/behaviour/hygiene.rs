//! A server may put what it was sent, and what changes with every attempt, anywhere into its answer: nothing of it shows.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::Stage;

const SECRET: &str = "s3cret of+the/cliént%1";
const PASSWORD: &str = "p4ssword:of&the=user!";
const ASSERTION: &str = "an-assertion.of-words.that-is-secret";
const TOKEN: &str = "tok3n-that-was-issued-beside-an-error";
const ALL: [&str; 4] = [SECRET, PASSWORD, ASSERTION, TOKEN];

/// Every way in which a server may quote these.
fn forms(secrets: &[&str]) -> Vec<String> {
    let plain: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    let form = plain.iter().map(|text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect());
    let base64 = plain.iter().map(|text| BASE64_STANDARD.encode(text));
    let pair = BASE64_STANDARD.encode(format!("c:{SECRET}"));
    plain.iter().cloned().chain(form).chain(base64).chain([pair]).collect()
}

/// A sentence that quotes all of them, and ids and times of this attempt.
fn echo(secrets: &[&str], attempt: u32) -> String {
    let mut text = String::from("Could not handle the request");
    for form in forms(secrets) {
        _ = write!(text, ", {form}");
    }
    let hour = attempt % 24;
    _ = write!(
        text,
        ". Trace ID: 7f3a9c1e-0000-4000-8000-{attempt:012} Correlation ID: {attempt:032x} Timestamp: 2026-01-09 {hour:02}:02:12Z"
    );
    text
}

fn raw(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Step {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Step::Raw { status, headers, body: body.into().into_bytes() }
}

/// Answers with an echo in each place that is read.
fn answers(secrets: &[&str]) -> Vec<(&'static str, Step)> {
    let text = echo(secrets, 1);
    let with_token = echo(&[secrets, &[TOKEN]].concat(), 1);
    let one = secrets.last().copied().unwrap_or_default();
    let ascii = text.replace('é', "e");
    let json_type = ("content-type", "application/json");
    let challenge = format!("Bearer realm=\"x\", error=\"invalid_request\", error_description=\"{}\"", ascii.replace('"', ""));
    let json = |status, body: Value| raw(status, &[json_type], body.to_string());
    vec![
        ("description", json(400, json!({"error": "invalid_request", "error_description": text}))),
        ("code", json(400, json!({"error": one, "error_description": text}))),
        ("okta", json(400, json!({"errorCode": "E0000021", "errorSummary": text, "errorId": one}))),
        ("google", json(400, json!({"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}}))),
        (
            "nested",
            json(
                400,
                json!({"error": "invalid_request", "error_description": json!({"error": "x", "error_description": text}).to_string()}),
            ),
        ),
        ("beside-token", json(200, json!({"access_token": TOKEN, "error": "invalid_request", "error_description": with_token}))),
        ("no-bearer", json(200, json!({"access_token": TOKEN, "token_type": one, "expires_in": 60}))),
        ("lifetime", json(200, json!({"access_token": TOKEN, "expires_in": one}))),
        ("challenge", raw(400, &[("www-authenticate", &challenge)], "")),
        ("message-code", raw(400, &[("x-message-code", &ascii), ("retry-after", &ascii)], "")),
        (
            "redirect",
            raw(
                302,
                &[(
                    "location",
                    &format!("https://example.com/?secret={}", url::form_urlencoded::byte_serialize(one.as_bytes()).collect::<String>()),
                )],
                text.clone(),
            ),
        ),
        ("page", raw(400, &[("content-type", "text/html")], format!("<html><title>{text}</title><p>{text}</p></html>"))),
        ("text", raw(400, &[("content-type", "text/plain")], text.clone())),
        ("broken", raw(400, &[json_type], format!("{{\"error\":\"invalid_request\",\"error_description\":\"{text}\""))),
        (
            "form",
            raw(
                400,
                &[],
                format!(
                    "error=invalid_request&error_description={}",
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                ),
            ),
        ),
        ("failure", json(500, json!({"error": "server_error", "error_description": text}))),
        ("limited", raw(429, &[("retry-after", "1")], text)),
    ]
}

fn assert_clean(place: &str, text: &str) {
    for form in forms(&ALL) {
        assert!(!text.contains(&form), "{place} shows what was sent or issued");
    }
    for id in ["7f3a9c1e", "00000000000000000000000000000001", "2026-01-09"] {
        assert!(!text.contains(id), "{place} shows an id or a time of the server's: {text}");
    }
}

async fn credentials(stage: &Stage) {
    let data = [("client_id", "c"), ("client_secret", SECRET), ("username", "u"), ("password", PASSWORD), ("assertion", ASSERTION)];
    stage.secret("credentials", &data).await;
}

#[tokio::test]
async fn nothing_that_was_sent_shows_in_status_events_logs_or_metrics() {
    let stage = Stage::set("hygiene").await;
    let operator = stage.operator_logging("trace", &["--allow-http", "--allow-cidr", "127.0.0.0/8", "--endpoint-rate", "1000"]);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    credentials(&stage).await;
    let grants = [
        ("basic", vec![SECRET], json!({"clientAuthentication": {"method": "Basic"}})),
        ("password", vec![SECRET, PASSWORD], json!({"grant": {"type": "Password"}})),
        (
            "jwt",
            vec![SECRET, ASSERTION],
            json!({"grant": {"type": "JWTBearer", "assertion": {"secretKeyRef": {"name": "credentials", "key": "assertion"}}}}),
        ),
    ];
    let mut names = Vec::new();
    for (grant, secrets, spec) in &grants {
        for (place, answer) in answers(secrets) {
            let name = format!("{grant}-{place}");
            endpoint.script(&name, vec![answer]);
            let mut spec = spec.clone();
            spec["tokenURL"] = endpoint.url(&name).into();
            spec["credentials"] = json!({"secretRef": {"name": "credentials"}});
            stage.source(&name, spec).await;
            names.push(name);
        }
    }
    for name in &names {
        let status = stage.until(name, "refused", |status| status.is(ConditionType::Refreshed, ConditionStatus::False)).await;
        assert_clean(name, &serde_json::to_string(&status.0).unwrap());
    }
    let events = Api::<Event>::namespaced(stage.client.clone(), &stage.namespace).list(&ListParams::default()).await.unwrap();
    assert!(!events.items.is_empty());
    assert_clean("an Event", &serde_json::to_string(&events.items).unwrap());
    let metrics = operator.metrics().await;
    assert!(metrics.contains("tokensource_token_requests_total"));
    assert_clean("a metric", &metrics);
    let log = operator.log();
    assert!(log.contains("TRACE"), "the log is not at trace level");
    for form in forms(&ALL) {
        let line = log.lines().find(|line| line.contains(&form)).map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
        assert_eq!(line, None, "the log shows what was sent or issued");
    }
}

#[tokio::test]
async fn ten_attempts_leave_one_unchanged_text() {
    let stage = Stage::set("unchanged").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    credentials(&stage).await;
    let answer = |attempt| raw(400, &[], json!({"error": "invalid_scope", "error_description": echo(&[SECRET], attempt)}).to_string());
    endpoint.script("scope", (1..=10).map(answer).collect());
    stage.source("scope", json!({"tokenURL": endpoint.url("scope"), "credentials": {"secretRef": {"name": "credentials"}}})).await;
    let first = stage.until_refused("scope", "InvalidScope").await;
    for attempt in 2..=10 {
        let value = attempt.to_string();
        stage.annotate("scope", "tokensource.dev/refresh-requested-at", &value).await;
        let status = stage.until("scope", "handled", |status| status.0.last_handled_refresh_request.as_deref() == Some(&value)).await;
        assert_eq!(status.0.conditions, first.0.conditions, "attempt {attempt}");
    }
    assert_eq!(endpoint.count("scope"), 10);
    assert_eq!(stage.events("scope").await, ["InvalidScope"]);
}
