//! Assertions of every source, as client authentication and as grant.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use serde_json::json;
use testenv::accounts::{ALICE_AT_ASSERTION_ISSUER, JWT_BEARER, PRIVATE_KEY_JWT};
use testenv::{Pki, ScriptedEndpoint, Step};

use crate::signed::{Jwt, private_key};
use crate::stage::{Stage, eventually};

#[tokio::test]
async fn keycloak_accepts_a_client_by_its_signed_assertion_and_refuses_another_key() {
    let stage = Stage::set("pkjwt").await;
    let _operator = stage.operator();
    let url = stage.world.keycloak_token_url().unwrap();
    stage.secret("right", &[("privateKey", &private_key(&stage, Pki::SIGNING))]).await;
    stage.secret("wrong", &[("privateKey", &private_key(&stage, Pki::WRONG))]).await;
    for name in ["right", "wrong"] {
        let assertion = json!({"signedJWT": {"algorithm": "RS256"}});
        let spec = json!({"tokenURL": url, "clientID": PRIVATE_KEY_JWT.id, "credentials": {"secretRef": {"name": name}},
            "clientAuthentication": {"method": "ClientAssertion", "assertion": assertion}});
        stage.source(&format!("{name}-key"), spec).await;
    }
    stage.until_ready("right-key").await;
    let status = stage.until_refused("wrong-key", "ClientAuthenticationFailed").await;
    assert_eq!(status.cause().as_deref(), Some("BadClientAssertion"));
}

#[tokio::test]
async fn keycloak_takes_an_assertion_as_grant_and_refuses_a_forged_one() {
    let stage = Stage::set("jwtbearer").await;
    let _operator = stage.operator();
    let url = stage.world.keycloak_token_url().unwrap();
    stage.secret("client", &[("client_id", JWT_BEARER.id), ("client_secret", JWT_BEARER.secret)]).await;
    for (name, signer) in [("good", Pki::SIGNING), ("forged", Pki::WRONG)] {
        let secret = format!("{name}-assertion");
        let realm = format!("{}/realms/op", stage.world.keycloak_url().unwrap());
        let jwt = Jwt { audience: &realm, ..Jwt::of_the_issuer(ALICE_AT_ASSERTION_ISSUER) };
        stage.secret(&secret, &[("jwt", &jwt.signed(&stage, signer))]).await;
        let grant = json!({"type": "JWTBearer", "assertion": {"secretKeyRef": {"name": secret, "key": "jwt"}}});
        stage.source(name, json!({"tokenURL": url, "grant": grant, "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    stage.until_ready("good").await;
    stage.until_refused("forged", "AssertionRejected").await;
}

#[tokio::test]
async fn a_signed_assertion_says_what_the_spec_says_and_is_another_each_time() {
    let stage = Stage::set("claims").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("signer", &[("client_id", "issuer"), ("client_secret", "s"), ("privateKey", &private_key(&stage, Pki::SIGNING))]).await;
    let signed = json!({"algorithm": "PS256", "keyID": "key-1", "audience": "urn:idp", "lifetime": "5m", "claims": {"sub": "alice", "roles": "reader"}});
    let spec = json!({"tokenURL": endpoint.url("idp"), "grant": {"type": "JWTBearer", "assertion": {"signedJWT": signed}}, "credentials": {"secretRef": {"name": "signer"}}});
    stage.source("alice", spec).await;
    stage.until_ready("alice").await;
    stage.annotate("alice", "tokensource.dev/refresh-requested-at", "1").await;
    assert!(endpoint.wait_for("idp", 2, Duration::from_secs(60)).await);

    let part = |request: usize, index: usize| -> serde_json::Value {
        let assertion = endpoint.requests("idp")[request].field("assertion").unwrap().to_owned();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(assertion.split('.').nth(index).unwrap()).unwrap()).unwrap()
    };
    let (header, claims) = (part(0, 0), part(0, 1));
    assert_eq!((&header["alg"], &header["kid"]), (&json!("PS256"), &json!("key-1")));
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["aud"], &claims["roles"]),
        (&json!("issuer"), &json!("alice"), &json!("urn:idp"), &json!("reader"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_ne!(claims["jti"], part(1, 1)["jti"]);
}

#[tokio::test]
async fn a_service_accounts_token_is_a_client_assertion_for_the_endpoint_alone() {
    let stage = Stage::set("secretless").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("token", vec![Step::Token { expires_in: 3600 }]);
    let metadata = ObjectMeta { name: Some("workload".into()), ..ObjectMeta::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(stage.client.clone(), &stage.namespace);
    accounts.create(&PostParams::default(), &ServiceAccount { metadata, ..ServiceAccount::default() }).await.unwrap();
    let spec = |audience: Option<&str>| {
        let mut account = json!({"name": "workload"});
        account.as_object_mut().unwrap().extend(audience.map(|audience| ("audience".to_owned(), audience.into())));
        json!({"tokenURL": endpoint.url("token"), "clientID": "workload",
            "clientAuthentication": {"method": "ClientAssertion", "assertion": {"serviceAccountRef": account}}})
    };
    stage.source("secretless", spec(None)).await;
    stage.until_ready("secretless").await;

    let request = &endpoint.requests("token")[0];
    assert_eq!(request.field("client_assertion_type"), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    // The issuer of the assertion itself says that it is good, for this audience and no other.
    let review = |audience: String| {
        let spec = TokenReviewSpec { token: Some(request.field("client_assertion").unwrap().to_owned()), audiences: Some(vec![audience]) };
        let review = TokenReview { spec, ..TokenReview::default() };
        let reviews = Api::<TokenReview>::all(stage.client.clone());
        async move { reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap().authenticated == Some(true) }
    };
    assert!(review(endpoint.base_url()).await);
    assert!(!review("https://kubernetes.default.svc".into()).await);

    stage.source("greedy", spec(Some("https://kubernetes.default.svc"))).await;
    stage.until_refused("greedy", "InvalidSpec").await;
    stage.source("untrusted", spec(Some("api://elsewhere"))).await;
    stage.until_refused("untrusted", "InvalidSpec").await;
    assert_eq!(endpoint.count("token"), 1);
}

#[tokio::test]
async fn the_token_of_one_source_is_the_assertion_of_another_and_is_followed_as_it_is_renewed() {
    let stage = Stage::set("chained").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    for name in ["provider", "partner"] {
        endpoint.script(name, vec![Step::Token { expires_in: 3600 }]);
    }
    let partner = json!({"tokenURL": endpoint.url("partner"), "clientID": "partner-client",
        "clientAuthentication": {"method": "ClientAssertion", "assertion": {"type": "JWTBearer", "tokenSourceRef": {"name": "provider"}}}});
    stage.source("partner", partner).await;
    stage.until_refused("partner", "AssertionSourceNotReady").await;
    assert_eq!(endpoint.count("partner"), 0);

    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source("provider", json!({"tokenURL": endpoint.url("provider"), "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("partner").await;
    assert_eq!(endpoint.requests("partner")[0].field("client_assertion"), Some(stage.token("provider").await.as_str()));

    let first = stage.token("provider").await;
    stage.annotate("provider", "tokensource.dev/refresh-requested-at", "1").await;
    eventually("the provider has a new token", || async { stage.token("provider").await != first }).await;
    assert!(endpoint.wait_for("partner", 2, Duration::from_secs(60)).await);
    assert_eq!(endpoint.requests("partner")[1].field("client_assertion"), Some(stage.token("provider").await.as_str()));
}

#[tokio::test]
async fn a_circle_of_sources_is_told() {
    let stage = Stage::set("circle").await;
    let _operator = stage.operator();
    for (name, other) in [("one", "two"), ("two", "one")] {
        let spec = json!({"tokenURL": "https://auth.example.com/token", "clientID": name,
            "clientAuthentication": {"method": "ClientAssertion", "assertion": {"tokenSourceRef": {"name": other}}}});
        stage.source(name, spec).await;
    }
    stage.annotate("one", "tokensource.dev/refresh-requested-at", "1").await;
    let status = stage.until_refused("one", "InvalidSpec").await;
    assert!(status.0.last_failure.unwrap().message.contains("one → two → one"));
}
