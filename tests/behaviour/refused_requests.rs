//! Refused requests of clients that are known: the grant, the scope, the realm or zone, the path.

use testenv::accounts::{ALICE, CC, CLOSED_REALM, JWT_BEARER, NO_SERVICE_ACCOUNT, ROPC, ROPC_PUBLIC, SECURE_REALM};

use crate::refusal::{Case, are_told, case};
use crate::stage::Stage;

pub fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_token_url().unwrap();
    let realm = |name| stage.world.keycloak_token_url_of(name).unwrap();
    let service = |name, url: &str| case(name, url, "client_credentials");
    let not_allowed = "GrantTypeNotAllowed";
    vec![
        service("no-service-account", &url).client(&NO_SERVICE_ACCOUNT).gives(not_allowed),
        service("public-client", &url).client(&ROPC_PUBLIC).gives(not_allowed),
        case("no-password-grant", &url, "password").client(&CC).user(ALICE.name, ALICE.password).gives(not_allowed),
        exchange("no-token-exchange", &url).gives(not_allowed),
        case("unsupported-grant", &url, "saml2-bearer").client(&CC).with("assertion", "an-assertion").gives(not_allowed),
        service("unknown-scope", &url).client(&CC).with("scope", "no.such.scope").gives("InvalidScope"),
        service("unknown-realm", &realm("nowhere")).client(&CC).gives("TenantNotFound"),
        service("closed-realm", &realm(CLOSED_REALM)).client(&CC).gives("TenantNotFound"),
        service("https-required", &realm(SECURE_REALM)).client(&CC).gives("InvalidRequest"),
        service("wrong-path", &format!("{url}s")).client(&CC).gives("InvalidRequest"),
    ]
}

pub fn at_uaa(stage: &Stage) -> Vec<Case> {
    let url = stage.world.uaa_token_url().unwrap();
    let base = stage.world.uaa_url().unwrap();
    let service = |name| case(name, &url, "client_credentials");
    let not_allowed = "GrantTypeNotAllowed";
    // The zone is the host's first label. No resolver knows such a host: asked as a proxy, the UAA is reached all the same.
    let zone = "http://nowhere.uaa.test/uaa/oauth/token";
    vec![
        service("no-client-credentials").client(&JWT_BEARER).gives(not_allowed),
        case("no-password-grant", &url, "password").client(&JWT_BEARER).user(ALICE.name, ALICE.password).gives(not_allowed),
        case("no-refresh-grant", &url, "refresh_token").client(&CC).with("refresh_token", "a-token").gives(not_allowed),
        exchange("unsupported-grant", &url).gives(not_allowed),
        service("unknown-scope").client(&CC).with("scope", "no.such.scope").gives("InvalidScope"),
        case("unknown-scope-of-a-user", &url, "password")
            .client(&ROPC)
            .user(ALICE.name, ALICE.password)
            .with("scope", "no.such.scope")
            .gives("InvalidScope"),
        case("no-scope-for-users", &url, "password").client(&CC).user(ALICE.name, ALICE.password).gives("InvalidScope"),
        case("unknown-zone", zone, "client_credentials").client(&CC).through(base.trim_end_matches("/uaa")).gives("TenantNotFound"),
        case("wrong-path", &format!("{url}s"), "client_credentials").client(&CC).gives("NotAnOAuthResponse"),
    ]
}

fn exchange(name: &'static str, url: &str) -> Case {
    let exchange = case(name, url, "token-exchange").client(&CC).with("subject_token", "not.a.token");
    exchange.with("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
}

#[tokio::test]
async fn each_request_that_keycloak_refuses_has_its_reason() {
    let stage = Stage::set("keycloak-requests").await;
    are_told(&stage, &at_keycloak(&stage)).await;
}

#[tokio::test]
async fn each_request_that_the_uaa_refuses_has_its_reason() {
    let stage = Stage::set("uaa-requests").await;
    are_told(&stage, &at_uaa(&stage)).await;
}
