//! Refresh tokens: kept apart from the workload's Secret, used for renewals, rotated, and given up for the grant when
//! they are refused.

use std::time::Duration;

use serde_json::{Value, json};
use testenv::accounts::{ALICE, ROPC};
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::{Stage, eventually};

fn answer(token: &str, refresh_token: Option<&str>) -> Step {
    let mut body = json!({"access_token": token, "token_type": "bearer", "expires_in": 3600});
    body.as_object_mut().unwrap().extend(refresh_token.map(|refresh_token| ("refresh_token".to_owned(), refresh_token.into())));
    Step::Json { status: 200, body }
}

async fn renew(stage: &Stage, name: &str, round: usize) {
    stage.annotate(name, "tokensource.dev/refresh-requested-at", &round.to_string()).await;
    stage.until(name, "handled", |status| status.0.last_handled_refresh_request == Some(round.to_string())).await;
}

fn spec(url: &str, grant: &Value) -> Value {
    json!({"tokenURL": url, "grant": grant, "scopes": ["openid"], "credentials": {"secretRef": {"name": "user"}}})
}

#[tokio::test]
async fn a_refresh_token_is_used_rotated_kept_and_given_up_for_the_grant() {
    let stage = Stage::set("refresh").await;
    let operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refused = Step::Json { status: 400, body: json!({"error": "invalid_grant"}) };
    let steps =
        vec![answer("t1", Some("r1")), answer("t2", Some("r2")), answer("t3", None), refused, answer("t4", Some("r4")), answer("t5", None)];
    endpoint.script("idp", steps);
    stage.secret("user", &[("client_id", "c"), ("client_secret", "s"), ("username", "u"), ("password", "p")]).await;
    stage.source("user-token", spec(&endpoint.url("idp"), &json!({"type": "Password"}))).await;
    stage.until_ready("user-token").await;
    assert_eq!(stage.data("user-token-refresh-token").await["refresh_token"], "r1");
    assert!(stage.data("user-token").await.values().all(|value| value != "r1"), "the workload's Secret holds no refresh token");

    renew(&stage, "user-token", 1).await;
    renew(&stage, "user-token", 2).await;
    operator.kill();
    let _operator = stage.operator();
    renew(&stage, "user-token", 3).await;
    renew(&stage, "user-token", 4).await;
    let sent: Vec<(String, String)> = endpoint
        .requests("idp")
        .iter()
        .map(|request| (request.field("grant_type").unwrap().to_owned(), request.field("refresh_token").unwrap_or_default().to_owned()))
        .collect();
    let expected = [
        ("password", ""),
        ("refresh_token", "r1"),
        ("refresh_token", "r2"),
        ("refresh_token", "r2"),
        ("password", ""),
        ("refresh_token", "r4"),
    ];
    assert_eq!(sent, expected.map(|(grant, token)| (grant.to_owned(), token.to_owned())));
    let scopes: Vec<Option<String>> =
        endpoint.requests("idp").iter().take(2).map(|request| request.field("scope").map(ToOwned::to_owned)).collect();
    assert_eq!(scopes, [Some("openid".to_owned()), None], "what was granted stays");
    let status = stage.until_ready("user-token").await;
    assert!(status.is(ConditionType::Refreshed, ConditionStatus::True));
    assert_eq!(stage.token("user-token").await, "t5");
}

#[tokio::test]
async fn never_means_never() {
    let stage = Stage::set("norefresh").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![answer("t1", Some("r1"))]);
    stage.secret("user", &[("client_id", "c"), ("client_secret", "s"), ("username", "u"), ("password", "p")]).await;
    stage.source("user-token", spec(&endpoint.url("idp"), &json!({"type": "Password", "refresh": "Never"}))).await;
    stage.until_ready("user-token").await;
    renew(&stage, "user-token", 1).await;
    assert!(endpoint.requests("idp").iter().all(|request| request.field("grant_type") == Some("password")));
    assert!(stage.secrets().get_opt("user-token-refresh-token").await.unwrap().is_none());
}

#[tokio::test]
async fn keycloaks_refresh_token_renews_and_other_credentials_start_anew() {
    let stage = Stage::set("keycloak-refresh").await;
    let _operator = stage.operator();
    stage
        .secret("user", &[("client_id", ROPC.id), ("client_secret", ROPC.secret), ("username", ALICE.name), ("password", ALICE.password)])
        .await;
    let url = stage.world.keycloak_token_url().unwrap();
    stage.source("alice", json!({"tokenURL": url, "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "user"}}})).await;
    stage.until_ready("alice").await;
    let (token, refresh_token) = (stage.token("alice").await, stage.data("alice-refresh-token").await["refresh_token"].clone());
    renew(&stage, "alice", 1).await;
    eventually("a new token and a new refresh token", || async {
        stage.token("alice").await != token && stage.data("alice-refresh-token").await["refresh_token"] != refresh_token
    })
    .await;

    // Keycloak takes each refresh token once: a thief's use of it makes ours a reuse, which is refused.
    let stolen = stage.data("alice-refresh-token").await["refresh_token"].clone();
    let form = format!("grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={stolen}", ROPC.id, ROPC.secret);
    let request = reqwest::Client::new().post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    let token = stage.token("alice").await;
    renew(&stage, "alice", 2).await;
    stage.until_ready("alice").await;
    assert_ne!((stage.token("alice").await, stage.data("alice-refresh-token").await["refresh_token"].clone()), (token, stolen));

    // A refresh token that the server does not know: the grant itself is used at once.
    let forged = json!({"data": {"refresh_token": "Zm9yZ2Vk"}});
    stage.secrets().patch("alice-refresh-token", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(forged)).await.unwrap();
    let token = stage.token("alice").await;
    renew(&stage, "alice", 3).await;
    stage.until_ready("alice").await;
    assert_ne!(stage.token("alice").await, token);
    assert_ne!(stage.data("alice-refresh-token").await["refresh_token"], "forged");
}

#[tokio::test]
async fn the_refresh_token_grant_begins_with_the_users_token_and_goes_on_with_the_rotated_one() {
    let stage = Stage::set("rtgrant").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![answer("t1", Some("r1")), answer("t2", Some("r2")), answer("t3", None)]);
    stage.secret("user", &[("client_id", "c"), ("client_secret", "s"), ("first", "r0")]).await;
    let mut spec = spec(&endpoint.url("idp"), &json!({"type": "RefreshToken"}));
    spec["credentials"]["keys"] = json!({"refreshToken": "first"});
    stage.source("user-token", spec).await;
    stage.until_ready("user-token").await;
    renew(&stage, "user-token", 1).await;

    // The user provides a new one: that is another set of credentials.
    stage.secret("user", &[("client_id", "c"), ("client_secret", "s"), ("first", "new")]).await;
    assert!(endpoint.wait_for("idp", 3, Duration::from_secs(60)).await);
    let sent: Vec<String> = endpoint.requests("idp").iter().map(|request| request.field("refresh_token").unwrap().to_owned()).collect();
    assert_eq!(sent, ["r0", "r1", "new"]);
}
