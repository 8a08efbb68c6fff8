//! Assertions that a real server judges by its trust in their issuer: the cluster's own, and a SAML identity provider.

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use serde_json::{Value, json};
use testenv::Pki;
use testenv::accounts::SAML_BEARER;

use crate::administration::Administrator;
use crate::signed::Saml;
use crate::stage::Stage;

/// Removes what an earlier run in the same world left: an issuer is trusted once.
async fn forget_issuer(administrator: &Administrator, issuer: &str) {
    let found = administrator.read("identity-provider/instances").await;
    for provider in serde_json::from_str::<Vec<Value>>(&found).unwrap().iter().filter(|provider| provider["config"]["issuer"] == issuer) {
        administrator.delete(&format!("identity-provider/instances/{}", provider["alias"].as_str().unwrap())).await;
    }
}

#[tokio::test]
async fn keycloak_trusts_the_clusters_issuer_and_so_a_service_accounts_token() {
    let stage = Stage::set("cluster").await;
    let metadata = ObjectMeta { name: Some("workload".into()), ..ObjectMeta::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(stage.client.clone(), &stage.namespace);
    accounts.create(&PostParams::default(), &ServiceAccount { metadata, ..ServiceAccount::default() }).await.unwrap();
    let keys = stage.client.request_text(http::Request::get("/openid/v1/jwks").body(Vec::new()).unwrap()).await.unwrap();

    let (administrator, name) = (Administrator::of_keycloak(&stage).await, stage.namespace.as_str());
    forget_issuer(&administrator, "https://kubernetes.default.svc").await;
    let config = json!({"issuer": "https://kubernetes.default.svc", "useJwksUrl": "false", "publicKeySignatureVerifier": keys, "jwtAuthorizationGrantEnabled": "true"});
    administrator
        .make(
            "identity-provider/instances",
            &json!({"alias": name, "providerId": "jwt-authorization-grant", "enabled": true, "config": config}),
        )
        .await;
    let user = json!({"username": name, "enabled": true, "emailVerified": true, "email": format!("{name}@example.test"), "firstName": "W", "lastName": "L"});
    let user = administrator.make("users", &user).await;
    let subject = format!("system:serviceaccount:{name}:workload");
    administrator
        .make(
            &format!("users/{user}/federated-identity/{name}"),
            &json!({"identityProvider": name, "userId": subject, "userName": subject}),
        )
        .await;
    let attributes = json!({"oauth2.jwt.authorization.grant.enabled": "true", "oauth2.jwt.authorization.grant.idp": name});
    administrator
        .make(
            "clients",
            &json!({"clientId": name, "secret": "s3cret", "publicClient": false, "standardFlowEnabled": false, "attributes": attributes}),
        )
        .await;

    let realm = format!("{}/realms/op", stage.world.keycloak_url().unwrap());
    let _operator = stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--trusted-assertion-audience", &realm]);
    stage.secret("client", &[("client_id", name), ("client_secret", "s3cret")]).await;
    let grant = json!({"type": "JWTBearer", "assertion": {"serviceAccountRef": {"name": "workload", "audience": realm}}});
    stage.source("workload", json!({"tokenURL": stage.world.keycloak_token_url().unwrap(), "grant": grant, "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("workload").await;
}

#[tokio::test]
async fn the_uaa_takes_a_signed_saml_assertion_as_grant_and_refuses_one_for_somebody_else() {
    let stage = Stage::set("saml").await;
    let _operator = stage.operator();
    let url = stage.world.uaa_saml_token_url().unwrap();
    stage.secret("client", &[("client_id", SAML_BEARER.id), ("client_secret", SAML_BEARER.secret)]).await;
    for (name, recipient) in [("good", url.as_str()), ("misaddressed", "https://elsewhere.example.com/token")] {
        let secret = format!("{name}-assertion");
        stage
            .secret(
                &secret,
                &[("saml", &Saml { recipient, ..Saml::about(&format!("{name}@example.test"), &url) }.signed(&stage, Pki::SAML_IDP))],
            )
            .await;
        let grant = json!({"type": "SAML2Bearer", "assertion": {"secretKeyRef": {"name": secret, "key": "saml"}}});
        stage.source(name, json!({"tokenURL": url, "grant": grant, "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    stage.until_ready("good").await;
    let status = stage.until("misaddressed", "a refusal", |status| status.0.last_failure.is_some()).await;
    assert_eq!(status.0.last_failure.unwrap().http_status, Some(401));
}
