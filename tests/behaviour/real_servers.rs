//! What only real servers can say: special characters on the way to them, assertions and exchanges that they judge.

use serde_json::json;
use testenv::accounts::{ALICE_AT_ASSERTION_ISSUER, JWT_BEARER, TOKEN_EXCHANGE};
use testenv::{Pki, ScriptedEndpoint, Step};

use crate::administration::Administrator;
use crate::signed::Jwt;
use crate::stage::Stage;

/// All printable ASCII, and what is beyond it.
fn every_character() -> String {
    (' '..='~').chain("ä€".chars()).collect()
}

async fn register_on_keycloak(stage: &Stage, id: &str, secret: &str) {
    let client =
        json!({"clientId": id, "secret": secret, "serviceAccountsEnabled": true, "standardFlowEnabled": false, "publicClient": false});
    Administrator::of_keycloak(stage).await.make("clients", &client).await;
}

async fn register_on_uaa(stage: &Stage, id: &str, secret: &str) {
    let client = json!({"client_id": id, "client_secret": secret, "authorized_grant_types": ["client_credentials"], "authorities": ["uaa.resource"]});
    Administrator::of_uaa(stage).await.make("oauth/clients", &client).await;
}

#[tokio::test]
async fn a_secret_of_every_character_arrives_in_the_body_and_in_the_header() {
    let stage = Stage::set("characters").await;
    let _operator = stage.operator();
    let (id, secret) = (stage.namespace.clone(), every_character());
    register_on_keycloak(&stage, &id, &secret).await;
    register_on_uaa(&stage, &id, &secret).await;
    stage.secret("client", &[("client_id", &id), ("client_secret", &secret)]).await;
    let (keycloak, uaa) = (stage.world.keycloak_token_url().unwrap(), stage.world.uaa_token_url().unwrap());
    let cases = [
        ("keycloak-body", &keycloak, json!({"method": "Body"})),
        ("keycloak-basic", &keycloak, json!({"method": "Basic"})),
        ("uaa-body", &uaa, json!({"method": "Body"})),
        ("uaa-basic", &uaa, json!({"method": "Basic", "basicEncoding": "Raw"})),
    ];
    for (name, url, method) in &cases {
        stage
            .source(name, json!({"tokenURL": url, "clientAuthentication": method, "credentials": {"secretRef": {"name": "client"}}}))
            .await;
    }
    for (name, ..) in &cases {
        stage.until_ready(name).await;
    }
}

#[tokio::test]
async fn the_uaa_takes_an_assertion_as_grant() {
    let stage = Stage::set("uaajwt").await;
    let _operator = stage.operator();
    let jwt = Jwt { audience: JWT_BEARER.id, ..Jwt::of_the_issuer(ALICE_AT_ASSERTION_ISSUER) };
    stage.secret("client", &[("client_id", JWT_BEARER.id), ("client_secret", JWT_BEARER.secret)]).await;
    stage.secret("assertion", &[("jwt", &jwt.signed(&stage, Pki::SIGNING))]).await;
    let grant = json!({"type": "JWTBearer", "assertion": {"secretKeyRef": {"name": "assertion", "key": "jwt"}}});
    stage
        .source(
            "alice",
            json!({"tokenURL": stage.world.uaa_token_url().unwrap(), "grant": grant, "credentials": {"secretRef": {"name": "client"}}}),
        )
        .await;
    stage.until_ready("alice").await;
}

#[tokio::test]
async fn keycloak_exchanges_the_token_of_one_source_for_that_of_another() {
    let stage = Stage::set("exchange").await;
    let _operator = stage.operator();
    let url = stage.world.keycloak_token_url().unwrap();
    stage.secret("client", &[("client_id", TOKEN_EXCHANGE.id), ("client_secret", TOKEN_EXCHANGE.secret)]).await;
    let from = json!({"secretRef": {"name": "client"}});
    stage.source("subject", json!({"tokenURL": url, "credentials": from})).await;
    let grant = json!({"type": "TokenExchange", "assertion": {"tokenSourceRef": {"name": "subject"}}, "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token"});
    stage.source("exchanged", json!({"tokenURL": url, "grant": grant, "credentials": from})).await;

    stage.until_ready("exchanged").await;
    assert_eq!(stage.data("exchanged").await["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_ne!(stage.token("exchanged").await, stage.token("subject").await);
}

#[tokio::test]
async fn a_forward_proxy_is_used_and_judged_like_the_endpoint() {
    let stage = Stage::set("proxy").await;
    let operator = stage.operator();
    // A proxy is asked for the whole URL: the scripted endpoint answers in place of a host that nobody could reach.
    let proxy = ScriptedEndpoint::start().await.unwrap();
    proxy.script("idp", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = |proxy: &str| json!({"tokenURL": "http://idp.invalid/idp", "credentials": {"secretRef": {"name": "client"}}, "request": {"proxyURL": proxy}});
    stage.source("through", spec(&proxy.base_url())).await;
    stage.until_ready("through").await;
    assert_eq!(proxy.requests("idp")[0].header("host"), Some("idp.invalid"));
    drop(operator);

    let _strict = stage.operator_with(&["--allow-http"]);
    stage.source("denied", spec(&proxy.base_url())).await;
    stage.until_refused("denied", "HostNotAllowed").await;
    assert_eq!(proxy.count("idp"), 1);
}
