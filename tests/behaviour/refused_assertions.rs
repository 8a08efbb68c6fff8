//! Refused assertions as grants: by signature, issuer, audience, user, time, as a replay, or as no assertion at all.

use serde_json::Value;
use testenv::Pki;
use testenv::accounts::{ALICE, ALICE_AT_ASSERTION_ISSUER, CC, Client, JWT_BEARER, SAML_BEARER, TOKEN_EXCHANGE};

use crate::refusal::{Case, are_told, case};
use crate::signed::{Jwt, Saml};
use crate::stage::Stage;

const ELSEWHERE: &str = "https://elsewhere.example.com";
const STRANGER: &str = "https://unknown-issuer.test";

pub async fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_token_url().unwrap();
    let realm = format!("{}/realms/op", stage.world.keycloak_url().unwrap());
    let good = Jwt { audience: &realm, ..Jwt::of_the_issuer(ALICE_AT_ASSERTION_ISSUER) };
    let replayed = good.signed(stage, Pki::SIGNING);
    assert_eq!(by_jwt("first-use", &url, &JWT_BEARER, &replayed).ask().await.status, 200);
    let mut cases = jwts(stage, &url, &good);
    cases.extend([
        by_jwt("replayed-assertion", &url, &JWT_BEARER, &replayed),
        by_jwt("assertion-about-a-stranger", &url, &JWT_BEARER, &Jwt { subject: "ext-nobody", ..good }.signed(stage, Pki::SIGNING)),
        by_jwt("assertion-of-a-client-without-the-grant", &url, &CC, &good.signed(stage, Pki::SIGNING)).gives("GrantTypeNotAllowed"),
    ]);
    cases.extend(exchanges(stage, &url).await);
    cases
}

/// What an exchange refuses: the token, the audience that it is for or shall be for, the type that it shall become.
async fn exchanges(stage: &Stage, url: &str) -> Vec<Case> {
    const TYPE: &str = "urn:ietf:params:oauth:token-type";
    let (own, others) = (issued(url, &TOKEN_EXCHANGE).await, issued(url, &CC).await);
    let forged = Jwt::of_the_client(TOKEN_EXCHANGE.id, url).signed(stage, Pki::WRONG);
    let exchange = |name, token: &str| {
        let exchange = case(name, url, "token-exchange").client(&TOKEN_EXCHANGE).with("subject_token", token);
        exchange.with("subject_token_type", &format!("{TYPE}:access_token"))
    };
    vec![
        exchange("garbage-to-exchange", "not.a.token").gives("AssertionRejected"),
        exchange("forged-token-to-exchange", &forged).gives("AssertionRejected"),
        exchange("others-token-to-exchange", &others).gives("AccessDenied"),
        exchange("exchange-for-an-unknown-audience", &own).with("audience", "nowhere").gives("InvalidScope"),
        exchange("exchange-for-an-unknown-scope", &own).with("scope", "no.such.scope").gives("InvalidScope"),
        exchange("exchange-for-another-type", &own).with("requested_token_type", &format!("{TYPE}:saml2")).gives("InvalidRequest"),
    ]
}

async fn issued(url: &str, client: &Client) -> String {
    let answer = case("issue", url, "client_credentials").client(client).ask().await;
    serde_json::from_str::<Value>(&answer.body).unwrap()["access_token"].as_str().unwrap().to_owned()
}

pub fn at_uaa(stage: &Stage) -> Vec<Case> {
    let url = stage.world.uaa_token_url().unwrap();
    let mut cases = jwts(stage, &url, &Jwt { audience: JWT_BEARER.id, ..Jwt::of_the_issuer(ALICE.name) });
    cases.extend(saml(stage));
    cases
}

/// What both servers refuse.
fn jwts(stage: &Stage, url: &str, good: &Jwt<'_>) -> Vec<Case> {
    let jwt = |name, assertion: &str| by_jwt(name, url, &JWT_BEARER, assertion);
    vec![
        jwt("forged-assertion", &good.signed(stage, Pki::WRONG)),
        jwt("assertion-of-an-unknown-issuer", &Jwt { issuer: STRANGER, ..*good }.signed(stage, Pki::SIGNING)),
        jwt("assertion-for-elsewhere", &Jwt { audience: ELSEWHERE, ..*good }.signed(stage, Pki::SIGNING)),
        jwt("expired-assertion", &good.expired().signed(stage, Pki::SIGNING)),
        jwt("garbage-assertion", "not-an-assertion"),
    ]
}

fn saml(stage: &Stage) -> Vec<Case> {
    let url = stage.world.uaa_saml_token_url().unwrap();
    let user = format!("{}@example.test", stage.namespace);
    let good = Saml::about(&user, &url);
    let saml = |name, assertion: &str| {
        case(name, &url, "saml2-bearer").client(&SAML_BEARER).with("assertion", assertion).gives("AssertionRejected")
    };
    vec![
        saml("forged-saml", &good.signed(stage, Pki::WRONG)),
        saml("saml-of-an-unknown-issuer", &Saml { issuer: "unknown-saml-idp", ..good }.signed(stage, Pki::SAML_IDP)),
        saml("saml-for-another-audience", &Saml { audience: "another-sp", ..good }.signed(stage, Pki::SAML_IDP)),
        saml("saml-for-another-recipient", &Saml { recipient: ELSEWHERE, ..good }.signed(stage, Pki::SAML_IDP)),
        saml("expired-saml", &good.expired().signed(stage, Pki::SAML_IDP)),
        saml("garbage-saml", "not-an-assertion"),
    ]
}

fn by_jwt(name: &'static str, url: &str, client: &Client, assertion: &str) -> Case {
    case(name, url, "jwt-bearer").client(client).with("assertion", assertion).gives("AssertionRejected")
}

#[tokio::test]
async fn each_assertion_that_keycloak_refuses_has_its_reason() {
    let stage = Stage::set("keycloak-assertions").await;
    are_told(&stage, &at_keycloak(&stage).await).await;
}

#[tokio::test]
async fn each_assertion_that_the_uaa_refuses_has_its_reason() {
    let stage = Stage::set("uaa-assertions").await;
    are_told(&stage, &at_uaa(&stage)).await;
}

#[tokio::test]
async fn the_uaa_minds_no_replay() {
    let stage = Stage::set("uaa-replays").await;
    let jwt = Jwt { audience: JWT_BEARER.id, ..Jwt::of_the_issuer(ALICE_AT_ASSERTION_ISSUER) }.signed(&stage, Pki::SIGNING);
    let url = stage.world.uaa_saml_token_url().unwrap();
    let saml = Saml::about(&format!("{}@example.test", stage.namespace), &url).signed(&stage, Pki::SAML_IDP);
    for request in [
        by_jwt("jwt", &stage.world.uaa_token_url().unwrap(), &JWT_BEARER, &jwt),
        case("saml", &url, "saml2-bearer").client(&SAML_BEARER).with("assertion", &saml),
    ] {
        for _ in 0..2 {
            assert_eq!(request.ask().await.status, 200, "{}", request.name);
        }
    }
}
