//! Refused client assertions, `private_key_jwt` and `client_secret_jwt`: by signature, audience, time, client, as a replay. The
//! UAA of the test world is too old to know any.

use testenv::Pki;
use testenv::accounts::{CC, CLIENT_SECRET_JWT, PRIVATE_KEY_JWT};

use crate::refusal::{Case, are_told, case};
use crate::signed::Jwt;
use crate::stage::Stage;

const ELSEWHERE: &str = "https://elsewhere.example.com";

pub async fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_token_url().unwrap();
    let mut cases = by_private_key(stage, &url).await;
    cases.extend(by_secret(stage, &url).await);
    cases
}

async fn by_private_key(stage: &Stage, url: &str) -> Vec<Case> {
    let id = PRIVATE_KEY_JWT.id;
    let good = Jwt::of_the_client(id, url);
    let jwt = |name, assertion: &str| refused(name, url, id, assertion);
    let signed = |jwt: Jwt<'_>| jwt.signed(stage, Pki::SIGNING);
    let replayed = signed(good);
    assert_eq!(jwt("first-use", &replayed).ask().await.status, 200);
    vec![
        jwt("forged-client-assertion", &good.signed(stage, Pki::WRONG)),
        jwt("client-assertion-for-elsewhere", &signed(Jwt { audience: ELSEWHERE, ..good })),
        jwt("expired-client-assertion", &signed(good.expired())),
        jwt("replayed-client-assertion", &replayed),
        jwt("client-assertion-of-another-issuer", &signed(Jwt { issuer: "another", ..good })).gives("ClientAuthenticationFailed"),
        jwt("garbage-client-assertion", "not.an.assertion"),
        refused("client-assertion-of-nobody", url, "nobody", &signed(Jwt::of_the_client("nobody", url)))
            .gives("ClientAuthenticationFailed"),
        // This client is registered for its secret.
        refused("client-assertion-instead-of-secret", url, CC.id, &signed(Jwt::of_the_client(CC.id, url)))
            .gives_cause("WrongSecret")
            .and_the_request("BadClientAssertion"),
    ]
}

async fn by_secret(stage: &Stage, url: &str) -> Vec<Case> {
    let (id, secret) = (CLIENT_SECRET_JWT.id, CLIENT_SECRET_JWT.secret);
    let good = Jwt::of_the_client(id, url);
    let jwt = |name, assertion: &str| refused(name, url, id, assertion);
    let replayed = good.with_secret(stage, secret);
    assert_eq!(jwt("first-use", &replayed).ask().await.status, 200);
    vec![
        jwt("secret-jwt-by-another-secret", &good.with_secret(stage, "another-long-shared-secret-0123456789")),
        jwt("secret-jwt-for-elsewhere", &Jwt { audience: ELSEWHERE, ..good }.with_secret(stage, secret)),
        jwt("expired-secret-jwt", &good.expired().with_secret(stage, secret)),
        jwt("replayed-secret-jwt", &replayed),
        jwt("secret-jwt-by-a-private-key", &good.signed(stage, Pki::SIGNING)),
    ]
}

fn refused(name: &'static str, url: &str, id: &str, assertion: &str) -> Case {
    case(name, url, "client_credentials").client_assertion(id, assertion).gives_cause("BadClientAssertion")
}

#[tokio::test]
async fn each_client_assertion_that_keycloak_refuses_has_its_reason() {
    let stage = Stage::set("keycloak-client-assertions").await;
    are_told(&stage, &at_keycloak(&stage).await).await;
}

#[tokio::test]
async fn refused_assertions_hold_back_no_right_one_of_the_same_client() {
    let stage = Stage::set("keycloak-one-right-assertion").await;
    let url = stage.world.keycloak_token_url().unwrap();
    let (id, secret) = (CLIENT_SECRET_JWT.id, "another-long-shared-secret-0123456789");
    let good = Jwt::of_the_client(id, &url);
    let wrong = ["first-wrong", "second-wrong"].map(|name| refused(name, &url, id, &good.with_secret(&stage, secret)));
    are_told(&stage, &wrong).await;
    // The next one knows of the refusals from the ledger.
    let _operator = stage.operator();
    let right = good.with_secret(&stage, CLIENT_SECRET_JWT.secret);
    refused("right", &url, id, &right).write(&stage).await;
    stage.until_ready("right").await;
}
