//! Refused refresh tokens: expired, used up, revoked, somebody else's, or none at all.

use std::time::Duration;

use serde_json::{Value, json};
use testenv::accounts::{ALICE, Client, ROPC, ROPC_SHORT, SHORT_REFRESH_SECONDS};
use tokio::time::sleep;

use crate::administration::Administrator;
use crate::refusal::{Case, are_told, case};
use crate::stage::Stage;

const PASSWORD: &str = "r1ght-passw0rd";

pub async fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_token_url().unwrap();
    let issued = |client| issued(&url, client, ALICE.name, ALICE.password);
    let (expired, used, revoked, tampered) = (issued(&ROPC_SHORT).await, issued(&ROPC).await, issued(&ROPC).await, issued(&ROPC).await);
    let (others, stolen) = (issued(&ROPC).await, issued(&ROPC).await);
    rotated(&url, &used).await;
    let followed = rotated(&url, &stolen).await;
    assert_eq!(refresh("reused", &url, &ROPC, &stolen).ask().await.status, 400);
    let revocation = case("revocation", &url.replace("/token", "/revoke"), "refresh_token").client(&ROPC).with("token", &revoked);
    assert_eq!(revocation.ask().await.status, 200);
    sleep(Duration::from_secs(u64::from(SHORT_REFRESH_SECONDS) + 1)).await;
    vec![
        refresh("expired-refresh-token", &url, &ROPC_SHORT, &expired),
        refresh("used-refresh-token", &url, &ROPC, &used),
        // Where one was used twice, its successor is worth nothing either.
        refresh("refresh-token-after-reuse", &url, &ROPC, &followed),
        refresh("revoked-refresh-token", &url, &ROPC, &revoked),
        refresh("another-clients-refresh-token", &url, &ROPC_SHORT, &others),
        refresh("tampered-refresh-token", &url, &ROPC, &tamper(&tampered)),
        refresh("garbage-refresh-token", &url, &ROPC, "not-a-refresh-token"),
    ]
}

pub async fn at_uaa(stage: &Stage) -> Vec<Case> {
    let url = stage.world.uaa_token_url().unwrap();
    let administrator = Administrator::of_uaa(stage).await;
    let named = |what: &str| format!("{}-{what}", stage.namespace);
    let (user, logged_out, left) = (named("refresher"), named("logged-out"), named("left"));
    administrator.uaa_user(&user, PASSWORD, &json!({})).await;
    let logged_out_id = administrator.uaa_user(&logged_out, PASSWORD, &json!({})).await;
    let left_id = administrator.uaa_user(&left, PASSWORD, &json!({})).await;
    let issued = async |client, user: &str| issued(&url, client, user, PASSWORD).await;
    let (expired, others, tampered) = (issued(&ROPC_SHORT, &user).await, issued(&ROPC_SHORT, &user).await, issued(&ROPC, &user).await);
    let (revoked, left) = (issued(&ROPC, &logged_out).await, issued(&ROPC, &left).await);
    administrator.read(&format!("oauth/token/revoke/user/{logged_out_id}")).await;
    administrator.delete(&format!("Users/{left_id}")).await;
    sleep(Duration::from_secs(u64::from(SHORT_REFRESH_SECONDS) + 1)).await;
    vec![
        refresh("expired-refresh-token", &url, &ROPC_SHORT, &expired),
        refresh("revoked-refresh-token", &url, &ROPC, &revoked),
        refresh("another-clients-refresh-token", &url, &ROPC, &others),
        refresh("refresh-token-of-a-deleted-user", &url, &ROPC, &left),
        refresh("tampered-refresh-token", &url, &ROPC, &tamper(&tampered)),
        refresh("garbage-refresh-token", &url, &ROPC, "not-a-refresh-token"),
    ]
}

fn refresh(name: &'static str, url: &str, client: &Client, token: &str) -> Case {
    case(name, url, "refresh_token").client(client).with("refresh_token", token).gives("RefreshTokenInvalid")
}

async fn issued(url: &str, client: &Client, user: &str, password: &str) -> String {
    refresh_token(case("issue", url, "password").client(client).user(user, password)).await
}

async fn rotated(url: &str, token: &str) -> String {
    refresh_token(refresh("rotate", url, &ROPC, token)).await
}

async fn refresh_token(request: Case) -> String {
    let answer = request.ask().await;
    assert_eq!(answer.status, 200, "{}", request.name);
    serde_json::from_str::<Value>(&answer.body).unwrap()["refresh_token"].as_str().unwrap().to_owned()
}

/// With another signature.
fn tamper(token: &str) -> String {
    let (kept, signature) = token.rsplit_once('.').unwrap();
    format!("{kept}.{}", signature.chars().rev().collect::<String>())
}

#[tokio::test]
async fn each_refresh_token_that_keycloak_refuses_has_its_reason() {
    let stage = Stage::set("keycloak-refresh-tokens").await;
    are_told(&stage, &at_keycloak(&stage).await).await;
}

#[tokio::test]
async fn each_refresh_token_that_the_uaa_refuses_has_its_reason() {
    let stage = Stage::set("uaa-refresh-tokens").await;
    are_told(&stage, &at_uaa(&stage).await).await;
}
