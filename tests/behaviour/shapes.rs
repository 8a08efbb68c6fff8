//! The shapes of the target Secret: templates, types, merging, and what becomes of an expired token.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::{Stage, eventually};

async fn source(stage: &Stage, endpoint: &ScriptedEndpoint, name: &str, secret: Value) {
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}, "secret": secret})).await;
}

fn token(expires_in: u64) -> Step {
    Step::Json {
        status: 200,
        body: json!({"access_token": "the-token", "token_type": "bearer", "expires_in": expires_in, "scope": "read"}),
    }
}

#[tokio::test]
async fn templates_make_the_keys_that_consumers_read() {
    let stage = Stage::set("shapes").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("registry", vec![token(3600)]);
    endpoint.script("basic", vec![token(3600)]);
    let docker = r#"{"auths":{"registry.example.com":{"auth":"{{ ("oauth2:" ~ access_token) | b64encode }}"}}}"#;
    source(
        &stage,
        &endpoint,
        "registry",
        json!({"name": "pull", "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": docker}}),
    )
    .await;
    let data = json!({"username": "{{ client_id }}", "password": "{{ access_token }}", "env": "TOKEN={{ access_token | json }} AT={{ token_url | urlencode }}"});
    source(&stage, &endpoint, "basic", json!({"type": "kubernetes.io/basic-auth", "data": data})).await;
    for name in ["registry", "basic"] {
        stage.until_ready(name).await;
    }
    let secret = stage.secrets().get("pull").await.unwrap();
    assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/dockerconfigjson"));
    let config: Value = serde_json::from_str(&stage.data("pull").await[".dockerconfigjson"]).unwrap();
    assert_eq!(config["auths"]["registry.example.com"]["auth"], BASE64_STANDARD.encode("oauth2:the-token"));
    let data = stage.data("basic").await;
    assert_eq!((data.len(), data["username"].as_str(), data["password"].as_str()), (3, "c", "the-token"));
    assert!(data["env"].starts_with("TOKEN=\"the-token\" AT=http%3A%2F%2F127.0.0.1"), "{}", data["env"]);
}

#[tokio::test]
async fn a_template_that_can_not_work_is_told_by_key_and_line_before_any_request() {
    let stage = Stage::set("template").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    for (name, template, text) in [
        ("variable", "line one\n{{ password }}", "line 2"),
        ("filter", "{{ access_token | shout }}", "line 1"),
        ("syntax", "{{ access_token", "line 1"),
    ] {
        source(&stage, &endpoint, name, json!({"data": {"key": template}})).await;
        let message = stage.until_refused(name, "InvalidSpec").await.0.last_failure.unwrap().message;
        assert!(message.contains("key key") && message.contains(text), "{name}: {message}");
        assert_eq!(endpoint.count(name), 0, "{name}");
    }
}

#[tokio::test]
async fn the_default_keys_hold_the_destination_form() {
    let stage = Stage::set("authtokens").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("orders", vec![token(3600)]);
    source(&stage, &endpoint, "orders", json!({})).await;
    stage.until_ready("orders").await;
    let text = stage.data("orders").await["auth_tokens.json"].clone();
    assert!(
        text.contains(r#""type":"Bearer""#) && text.contains(r#""value":"the-token""#) && text.contains(r#""key":"Authorization""#),
        "its form"
    );
}

#[tokio::test]
async fn merging_touches_only_our_keys_and_needs_the_secret() {
    let stage = Stage::set("merge").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    for name in ["orders", "other"] {
        endpoint.script(name, vec![token(3600)]);
    }
    let merge = json!({"name": "settings", "creationPolicy": "Merge", "data": {"token": "{{ access_token }}"}});
    source(&stage, &endpoint, "orders", merge.clone()).await;
    let status = stage.until_refused("orders", "SecretConflict").await;
    assert!(status.message(ConditionType::Ready).contains("to merge into"));

    stage.secret("settings", &[("colour", "blue")]).await;
    stage.until_ready("orders").await;
    let secret = stage.secrets().get("settings").await.unwrap();
    assert_eq!(
        crate::stage::text(&secret),
        [("colour".to_owned(), "blue".to_owned()), ("token".to_owned(), "the-token".to_owned())].into()
    );
    assert!(secret.metadata.owner_references.is_none() && secret.metadata.labels.is_none());

    source(&stage, &endpoint, "other", merge).await;
    let status = stage.until_refused("other", "SecretConflict").await;
    assert!(status.message(ConditionType::Ready).contains("already holds the token of TokenSource orders"));

    let changed = json!({"data": {"token": "Zm9yZ2Vk"}});
    stage.secrets().patch("settings", &PatchParams::default(), &Patch::Merge(changed)).await.unwrap();
    eventually("the token is mended", || async { stage.data("settings").await["token"] == "the-token" }).await;
    assert_eq!(stage.data("settings").await["colour"], "blue");
}

#[tokio::test]
async fn an_expired_token_is_removed_where_the_spec_says_so_and_comes_back() {
    let stage = Stage::set("remove").await;
    let _operator = stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--min-refresh-interval", "2s"]);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let failure = || Step::Status(500);
    endpoint.script("orders", vec![token(8), failure(), failure(), failure(), failure(), token(3600)]);
    source(&stage, &endpoint, "orders", json!({"onExpiry": "Remove"})).await;
    stage.until_ready("orders").await;
    eventually("the token is gone", || async { stage.data("orders").await.is_empty() }).await;
    stage.until("orders", "not ready", |status| status.is(ConditionType::Ready, ConditionStatus::False)).await;
    stage.annotate("orders", "tokensource.dev/refresh-requested-at", "1").await;
    stage.until_ready("orders").await;
    assert_eq!(stage.token("orders").await, "the-token");
}

#[tokio::test]
async fn a_refresh_token_secret_of_someone_else_is_left_alone_also_where_the_target_is_merged() {
    let stage = Stage::set("mergerefresh").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let body = json!({"access_token": "the-token", "expires_in": 3600, "refresh_token": "r1"});
    endpoint.script("alice", vec![Step::Json { status: 200, body }]);
    stage.secret("settings", &[("colour", "blue")]).await;
    stage.secret("alice-refresh-token", &[("mine", "yes")]).await;
    stage.secret("user", &[("client_id", "c"), ("client_secret", "s"), ("username", "u"), ("password", "p")]).await;
    let spec = json!({"tokenURL": endpoint.url("alice"), "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "user"}},
        "secret": {"name": "settings", "creationPolicy": "Merge", "data": {"token": "{{ access_token }}"}}});
    stage.source("alice", spec).await;
    stage.until_ready("alice").await;
    let secret = stage.secrets().get("alice-refresh-token").await.unwrap();
    assert_eq!(crate::stage::text(&secret), [("mine".to_owned(), "yes".to_owned())].into());
    assert!(secret.metadata.owner_references.is_none());
}
