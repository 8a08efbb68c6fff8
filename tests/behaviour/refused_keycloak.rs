//! Keycloak refuses: each refusal with its own reason, and the Secret is not made.

use serde_json::{Value, json};
use testenv::accounts::{ALICE, CC, DISABLED, NO_SERVICE_ACCOUNT, OFF, ROPC};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::Stage;

/// Name, token URL, grant, credentials (client id and secret, user name and password), reason, cause.
type Case<'a> = (&'a str, &'a str, &'a Value, [&'a str; 4], &'a str, Option<&'a str>);

#[tokio::test]
async fn each_refusal_of_keycloak_has_its_reason() {
    let stage = Stage::set("keycloak").await;
    let operator = stage.operator();
    let url = stage.world.keycloak_token_url().unwrap();
    let no_realm = url.replace("/realms/op/", "/realms/nowhere/");
    let password = json!({"type": "Password"});
    let client = json!({"type": "ClientCredentials"});
    let cases: [Case<'_>; 8] = [
        ("wrong-secret", &url, &client, [CC.id, "wr0ng-s3cret", "", ""], "ClientAuthenticationFailed", Some("WrongSecret")),
        ("unknown-client", &url, &client, ["nobody", "wr0ng-s3cret", "", ""], "ClientAuthenticationFailed", Some("UnknownClient")),
        ("disabled-client", &url, &client, [OFF.id, OFF.secret, "", ""], "ClientAuthenticationFailed", None),
        ("grant-not-allowed", &url, &client, [NO_SERVICE_ACCOUNT.id, NO_SERVICE_ACCOUNT.secret, "", ""], "GrantTypeNotAllowed", None),
        ("no-realm", &no_realm, &client, [CC.id, CC.secret, "", ""], "TenantNotFound", None),
        ("wrong-password", &url, &password, [ROPC.id, ROPC.secret, ALICE.name, "wr0ng-passw0rd"], "UserAuthenticationFailed", None),
        ("disabled-user", &url, &password, [ROPC.id, ROPC.secret, DISABLED.name, DISABLED.password], "UserAccountDisabled", None),
        ("wrong-secret-user", &url, &password, [ROPC.id, "wr0ng-s3cret", ALICE.name, ALICE.password], "ClientAuthenticationFailed", None),
    ];
    for (name, url, grant, [id, secret, user, password], ..) in &cases {
        let credentials = format!("{name}-credentials");
        stage.secret(&credentials, &[("client_id", id), ("client_secret", secret), ("username", user), ("password", password)]).await;
        stage.source(name, json!({"tokenURL": url, "grant": grant, "credentials": {"secretRef": {"name": credentials}}})).await;
    }
    for (name, .., reason, cause) in &cases {
        let status = stage.until_refused(name, reason).await;
        assert!(status.is(ConditionType::Ready, ConditionStatus::False) && status.reason(ConditionType::Ready) == *reason, "{name}");
        assert!(status.is(ConditionType::Stalled, ConditionStatus::True), "{name}: {:#?}", status.0);
        let failure = status.0.last_failure.clone().unwrap();
        assert!((400..500).contains(&failure.http_status.unwrap()) && !failure.remedy.is_empty(), "{name}");
        let link = format!("/docs/failures.md#{}", reason.to_lowercase());
        assert!(status.message(ConditionType::Ready).ends_with(&link), "{name}: {}", status.message(ConditionType::Ready));
        if cause.is_some() {
            assert_eq!(status.cause().as_deref(), *cause, "{name}");
        }
        assert!(stage.secrets().get_opt(name).await.unwrap().is_none(), "{name}");
        stage.until_events(name, &[reason]).await;
        let shown = serde_json::to_string(&status.0).unwrap();
        assert!(!shown.contains("wr0ng") && !shown.contains("-pw"), "{name}: a credential in the status");
    }
    assert!(!operator.log().contains("wr0ng") && !operator.log().contains(CC.secret), "a credential in the log");
}

#[tokio::test]
async fn an_unknown_scope_is_an_invalid_scope() {
    let stage = Stage::set("scope").await;
    let _operator = stage.operator();
    stage.secret("client", &[("client_id", CC.id), ("client_secret", CC.secret)]).await;
    let url = stage.world.keycloak_token_url().unwrap();
    stage.source("scope", json!({"tokenURL": url, "credentials": {"secretRef": {"name": "client"}}, "scopes": ["no.such.scope"]})).await;

    let status = stage.until_refused("scope", "InvalidScope").await;
    assert_eq!(status.0.last_failure.unwrap().error.as_deref(), Some("invalid_scope"));
}

#[tokio::test]
async fn the_remedy_is_keycloaks_and_a_line_end_behind_the_secret_is_hinted_at() {
    let stage = Stage::set("remedy").await;
    let _operator = stage.operator();
    let url = stage.world.keycloak_token_url().unwrap();
    let credentials =
        [("padded", CC.id, format!("{}\n", CC.secret)), ("no-grant", NO_SERVICE_ACCOUNT.id, NO_SERVICE_ACCOUNT.secret.to_owned())];
    for (name, id, secret) in &credentials {
        let client = format!("{name}-client");
        stage.secret(&client, &[("client_id", id), ("client_secret", secret)]).await;
        stage.source(name, json!({"tokenURL": url, "credentials": {"secretRef": {"name": client}}})).await;
    }

    let padded = stage.until_refused("padded", "ClientAuthenticationFailed").await.0.last_failure.unwrap();
    assert!(padded.remedy.contains("Keycloak's word for a wrong secret. Hint: the client secret begins or ends"), "{}", padded.remedy);
    assert!(!padded.remedy.contains(CC.secret) && !padded.message.contains("Hint:"));
    let no_grant = stage.until_refused("no-grant", "GrantTypeNotAllowed").await.0.last_failure.unwrap();
    assert!(no_grant.remedy.contains("Service accounts roles") && !no_grant.remedy.contains("Hint:"), "{}", no_grant.remedy);
}
