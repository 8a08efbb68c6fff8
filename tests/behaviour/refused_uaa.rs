//! The Cloud Foundry UAA refuses. A wrong password and a wrong client give the same bytes in a user grant: only the probe
//! tells them apart.

use serde_json::{Value, json};
use testenv::accounts::{ALICE, CC, JWT_BEARER, ROPC};

use crate::stage::Stage;

#[tokio::test]
async fn each_refusal_of_the_uaa_has_its_reason() {
    let stage = Stage::set("uaa").await;
    let operator = stage.operator();
    let url = stage.world.uaa_token_url().unwrap();
    let password = json!({"type": "Password"});
    let client = json!({"type": "ClientCredentials"});
    let cases: [(&str, &Value, [&str; 4], Value, &str); 6] = [
        ("wrong-secret", &client, [CC.id, "wr0ng-s3cret", "", ""], json!([]), "ClientAuthenticationFailed"),
        ("unknown-client", &client, ["nobody", "wr0ng-s3cret", "", ""], json!([]), "ClientAuthenticationFailed"),
        ("grant-not-allowed", &password, [JWT_BEARER.id, JWT_BEARER.secret, ALICE.name, ALICE.password], json!([]), "GrantTypeNotAllowed"),
        ("wrong-password", &password, [ROPC.id, ROPC.secret, ALICE.name, "wr0ng-passw0rd"], json!([]), "UserAuthenticationFailed"),
        ("wrong-secret-user", &password, [ROPC.id, "wr0ng-s3cret", ALICE.name, ALICE.password], json!([]), "ClientAuthenticationFailed"),
        ("unknown-scope", &client, [CC.id, CC.secret, "", ""], json!(["no.such.scope"]), "InvalidScope"),
    ];
    for (name, grant, [id, secret, user, password], scopes, _) in &cases {
        let credentials = format!("{name}-credentials");
        stage.secret(&credentials, &[("client_id", id), ("client_secret", secret), ("username", user), ("password", password)]).await;
        stage
            .source(name, json!({"tokenURL": url, "grant": grant, "scopes": scopes, "credentials": {"secretRef": {"name": credentials}}}))
            .await;
    }
    for (name, .., reason) in &cases {
        let status = stage.until_refused(name, reason).await;
        assert!(!serde_json::to_string(&status.0).unwrap().contains("wr0ng"), "{name}: a credential in the status");
        assert!(stage.secrets().get_opt(name).await.unwrap().is_none(), "{name}");
    }
    assert!(!operator.log().contains("wr0ng"), "a credential in the log");
}

#[tokio::test]
async fn without_the_probe_the_answer_alone_does_not_say() {
    let stage = Stage::set("noprobe").await;
    let _operator = stage.operator();
    stage
        .secret(
            "user",
            &[("client_id", ROPC.id), ("client_secret", ROPC.secret), ("username", ALICE.name), ("password", "wr0ng-passw0rd-2")],
        )
        .await;
    let spec = json!({"tokenURL": stage.world.uaa_token_url().unwrap(), "grant": {"type": "Password"}, "diagnosis": {"probe": "Never"},
        "credentials": {"secretRef": {"name": "user"}}});
    stage.source("alice", spec).await;
    stage.until_refused("alice", "CredentialsRejected").await;
}
