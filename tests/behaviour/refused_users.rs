//! Refused users: unknown, with the wrong password, locked, switched off, or not done with their account. The UAA's are made
//! for each test: a failure counts against its user.

use serde_json::json;
use testenv::accounts::{
    ALICE, CONSENT, DISABLED, FAILURES_BEFORE_LOCK, LOCKED, LOCKING_REALM, MUST_CHANGE, OTHER_PROVIDER, ROPC, SAML_ISSUER,
};

use crate::administration::Administrator;
use crate::refusal::{Case, are_told, case};
use crate::stage::Stage;

const WRONG: &str = "wr0ng-passw0rd";
const RIGHT: &str = "r1ght-passw0rd";

pub async fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_token_url().unwrap();
    let user = |name, user: &str, password: &str| case(name, &url, "password").client(&ROPC).user(user, password);
    let temporary = format!("{}-temporary", stage.namespace);
    Administrator::of_keycloak(stage).await.keycloak_user(&temporary, RIGHT, true).await;
    let locking = stage.world.keycloak_token_url_of(LOCKING_REALM).unwrap();
    let locked = |password| case("locked-user", &locking, "password").client(&ROPC).user(LOCKED.name, password);
    lock(&locked(WRONG)).await;
    vec![
        user("wrong-password", ALICE.name, WRONG).gives("UserAuthenticationFailed"),
        user("unknown-user", "nobody", WRONG).gives("UserAuthenticationFailed"),
        // Keycloak does not say that a user is locked: the bytes are those of a wrong password.
        locked(LOCKED.password).gives("UserAuthenticationFailed"),
        user("disabled-user", DISABLED.name, DISABLED.password).gives("UserAccountDisabled"),
        user("must-change-password", MUST_CHANGE.name, MUST_CHANGE.password).gives("UserInteractionRequired"),
        // A required action like any other: the bytes do not say that it is the password.
        user("temporary-password", &temporary, RIGHT).gives("UserInteractionRequired"),
        case("no-consent", &url, "password").client(&CONSENT).user(ALICE.name, ALICE.password).gives("GrantTypeNotAllowed"),
    ]
}

pub async fn at_uaa(stage: &Stage) -> Vec<Case> {
    let url = stage.world.uaa_token_url().unwrap();
    let administrator = Administrator::of_uaa(stage).await;
    let named = |what: &str| format!("{}-{what}", stage.namespace);
    let (plain, disabled, must_change, locked, unverified) =
        (named("plain"), named("disabled"), named("must-change"), named("locked"), named("unverified"));
    for name in [&plain, &locked] {
        administrator.uaa_user(name, RIGHT, &json!({})).await;
    }
    administrator.uaa_user(&disabled, RIGHT, &json!({"active": false})).await;
    administrator.uaa_user(&unverified, RIGHT, &json!({"verified": false})).await;
    let id = administrator.uaa_user(&must_change, RIGHT, &json!({})).await;
    administrator.change(&format!("Users/{id}/status"), &json!({"passwordChangeRequired": true})).await;

    let by = |name, client, user: &str, password: &str| case(name, &url, "password").client(client).user(user, password);
    let user = |name, user: &str, password: &str| by(name, &ROPC, user, password);
    let unclear = |case: Case| case.gives("CredentialsRejected").and_the_probe("UserAuthenticationFailed");
    lock(&user("locked-user", &locked, WRONG)).await;
    vec![
        unclear(user("wrong-password", &plain, WRONG)),
        unclear(user("unknown-user", "nobody", WRONG)),
        user("locked-user", &locked, RIGHT).gives("UserAccountLocked"),
        // The UAA does not say that a user is switched off: the bytes are those of a wrong password.
        unclear(user("disabled-user", &disabled, RIGHT)),
        user("must-change-password", &must_change, RIGHT).gives("PasswordChangeRequired"),
        user("unverified-user", &unverified, RIGHT).gives("UserAccountDisabled"),
        user("unknown-provider", &plain, RIGHT).with("login_hint", r#"{"origin":"nowhere"}"#).gives("IdentityProviderNotSupported"),
        user("saml-provider", &plain, RIGHT)
            .with("login_hint", &json!({"origin": SAML_ISSUER}).to_string())
            .gives("IdentityProviderNotSupported"),
        by("no-provider-for-the-client", &OTHER_PROVIDER, &plain, RIGHT).gives("IdentityProviderNotSupported"),
    ]
}

/// Locks a user out, past the operator, which never would.
async fn lock(with_wrong_password: &Case) {
    for _ in 0..FAILURES_BEFORE_LOCK {
        assert!((400..500).contains(&with_wrong_password.ask().await.status));
    }
}

#[tokio::test]
async fn each_user_whom_keycloak_refuses_has_their_reason() {
    let stage = Stage::set("keycloak-users").await;
    are_told(&stage, &at_keycloak(&stage).await).await;
}

#[tokio::test]
async fn each_user_whom_the_uaa_refuses_has_their_reason() {
    let stage = Stage::set("uaa-users").await;
    are_told(&stage, &at_uaa(&stage).await).await;
}

#[tokio::test]
async fn many_sources_with_a_wrong_password_lock_nobody_out_of_the_uaa() {
    let stage = Stage::set("uaa-lockout").await;
    let _operator = stage.operator();
    let (url, user) = (stage.world.uaa_token_url().unwrap(), format!("{}-user", stage.namespace));
    Administrator::of_uaa(&stage).await.uaa_user(&user, RIGHT, &json!({})).await;
    stage.secret("user", &[("client_id", ROPC.id), ("client_secret", ROPC.secret), ("username", &user), ("password", WRONG)]).await;
    let names: Vec<String> = (0..=FAILURES_BEFORE_LOCK).map(|number| format!("source-{number}")).collect();
    for name in &names {
        stage.source(name, json!({"tokenURL": url, "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "user"}}})).await;
    }
    for name in &names {
        stage.until(name, "refused", |status| status.0.last_failure.is_some()).await;
        stage.annotate(name, "tokensource.dev/refresh-requested-at", "1").await;
        stage.until(name, "handled", |status| status.0.last_handled_refresh_request.is_some()).await;
    }
    let right = case("right-password", &url, "password").client(&ROPC).user(&user, RIGHT);
    assert_eq!(right.ask().await.status, 200, "the user is locked");
}

#[tokio::test]
async fn without_the_probe_the_answer_alone_does_not_say() {
    let stage = Stage::set("noprobe").await;
    let _operator = stage.operator();
    stage
        .secret("user", &[("client_id", ROPC.id), ("client_secret", ROPC.secret), ("username", "nobody"), ("password", "wr0ng-passw0rd-2")])
        .await;
    let spec = json!({"tokenURL": stage.world.uaa_token_url().unwrap(), "grant": {"type": "Password"}, "diagnosis": {"probe": "Never"},
        "credentials": {"secretRef": {"name": "user"}}});
    stage.source("alice", spec).await;
    stage.until_refused("alice", "CredentialsRejected").await;
}
