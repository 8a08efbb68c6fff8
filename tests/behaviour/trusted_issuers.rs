//! Assertions that a real server judges by its trust in their issuer: the cluster's own, and a SAML identity provider.

use std::fs;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use testenv::Pki;
use testenv::accounts::{KEYCLOAK_ADMINISTRATOR, SAML_AUDIENCE, SAML_BEARER, SAML_ISSUER};

use crate::stage::Stage;

/// Keycloak's administration, as far as a test needs it.
struct Administration {
    base: String,
    bearer: String,
}

impl Administration {
    async fn log_on(stage: &Stage) -> Self {
        let base = stage.world.keycloak_url().unwrap().to_owned();
        let form = format!(
            "grant_type=password&client_id=admin-cli&username={}&password={}",
            KEYCLOAK_ADMINISTRATOR.name, KEYCLOAK_ADMINISTRATOR.password
        );
        let request = reqwest::Client::new().post(format!("{base}/realms/master/protocol/openid-connect/token"));
        let response = request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        Self { base, bearer: format!("Bearer {}", answer["access_token"].as_str().unwrap()) }
    }

    /// Removes what an earlier run in the same world left: an issuer is trusted once.
    async fn forget_issuer(&self, issuer: &str) {
        let instances = format!("{}/admin/realms/op/identity-provider/instances", self.base);
        let client = reqwest::Client::new();
        let found = client.get(&instances).header("authorization", &self.bearer).send().await.unwrap().text().await.unwrap();
        for provider in serde_json::from_str::<Vec<Value>>(&found).unwrap().iter().filter(|provider| provider["config"]["issuer"] == issuer)
        {
            let alias = provider["alias"].as_str().unwrap();
            client.delete(format!("{instances}/{alias}")).header("authorization", &self.bearer).send().await.unwrap();
        }
    }

    /// Makes an object, and says where it is.
    async fn make(&self, path: &str, body: &Value) -> String {
        let request = reqwest::Client::new().post(format!("{}/admin/realms/op/{path}", self.base)).header("authorization", &self.bearer);
        let response = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        let (status, location) = (response.status().as_u16(), response.headers().get("location").cloned());
        assert!((200..300).contains(&status), "{path}: {status} {}", response.text().await.unwrap());
        location.map(|location| location.to_str().unwrap().rsplit('/').next().unwrap().to_owned()).unwrap_or_default()
    }
}

#[tokio::test]
async fn keycloak_trusts_the_clusters_issuer_and_so_a_service_accounts_token() {
    let stage = Stage::set("cluster").await;
    let metadata = ObjectMeta { name: Some("workload".into()), ..ObjectMeta::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(stage.client.clone(), &stage.namespace);
    accounts.create(&PostParams::default(), &ServiceAccount { metadata, ..ServiceAccount::default() }).await.unwrap();
    let keys = stage.client.request_text(http::Request::get("/openid/v1/jwks").body(Vec::new()).unwrap()).await.unwrap();

    let (administration, name) = (Administration::log_on(&stage).await, stage.namespace.as_str());
    administration.forget_issuer("https://kubernetes.default.svc").await;
    let config = json!({"issuer": "https://kubernetes.default.svc", "useJwksUrl": "false", "publicKeySignatureVerifier": keys, "jwtAuthorizationGrantEnabled": "true"});
    administration
        .make(
            "identity-provider/instances",
            &json!({"alias": name, "providerId": "jwt-authorization-grant", "enabled": true, "config": config}),
        )
        .await;
    let user = json!({"username": name, "enabled": true, "emailVerified": true, "email": format!("{name}@example.test"), "firstName": "W", "lastName": "L"});
    let user = administration.make("users", &user).await;
    let subject = format!("system:serviceaccount:{name}:workload");
    administration
        .make(
            &format!("users/{user}/federated-identity/{name}"),
            &json!({"identityProvider": name, "userId": subject, "userName": subject}),
        )
        .await;
    let attributes = json!({"oauth2.jwt.authorization.grant.enabled": "true", "oauth2.jwt.authorization.grant.idp": name});
    administration
        .make(
            "clients",
            &json!({"clientId": name, "secret": "s3cret", "publicClient": false, "standardFlowEnabled": false, "attributes": attributes}),
        )
        .await;

    let realm = format!("{}/realms/op", administration.base);
    let _operator = stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--trusted-assertion-audience", &realm]);
    stage.secret("client", &[("client_id", name), ("client_secret", "s3cret")]).await;
    let grant = json!({"type": "JWTBearer", "assertion": {"serviceAccountRef": {"name": "workload", "audience": realm}}});
    stage.source("workload", json!({"tokenURL": stage.world.keycloak_token_url().unwrap(), "grant": grant, "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_ready("workload").await;
}

const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// The assertion in its canonical form, with a place for the signature.
fn assertion(id: &str, recipient: &str, user: &str, place: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test makes an assertion of now")]
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let (begin, end) = (now - SignedDuration::from_secs(30), now + SignedDuration::from_mins(5));
    format!(
        r#"<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" IssueInstant="{now}" Version="2.0"><saml2:Issuer>{SAML_ISSUER}</saml2:Issuer>{place}<saml2:Subject><saml2:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{user}</saml2:NameID><saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml2:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{recipient}"></saml2:SubjectConfirmationData></saml2:SubjectConfirmation></saml2:Subject><saml2:Conditions NotBefore="{begin}" NotOnOrAfter="{end}"><saml2:AudienceRestriction><saml2:Audience>{SAML_AUDIENCE}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions><saml2:AuthnStatement AuthnInstant="{now}" SessionIndex="{id}"><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement></saml2:Assertion>"#
    )
}

/// Signed as XML Signature wants it: enveloped, RSA and SHA-256, exclusive canonicalisation.
fn signed(stage: &Stage, recipient: &str, user: &str) -> String {
    const PLACE: &str = "<!-- signature -->";
    let file = |extension: &str| fs::read_to_string(stage.world.pki().join(format!("{}.{extension}", Pki::SAML_IDP))).unwrap();
    let id = format!("_{}", stage.namespace);
    let unsigned = assertion(&id, recipient, user, PLACE);
    let digest = ring::digest::digest(&ring::digest::SHA256, unsigned.replace(PLACE, "").as_bytes());
    let info = |namespace: &str| {
        format!(
            r##"<ds:SignedInfo{namespace}><ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##,
            BASE64_STANDARD.encode(digest)
        )
    };
    let namespace = r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
    let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::from_pem_slice(file("key").as_bytes()).unwrap()).unwrap();
    let signature = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap().sign(info(namespace).as_bytes()).unwrap();
    let certificate: String = file("crt").lines().filter(|line| !line.starts_with("-----")).collect();
    let block = format!(
        "<ds:Signature{namespace}>{}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        info(""),
        BASE64_STANDARD.encode(signature)
    );
    BASE64_URL_SAFE_NO_PAD.encode(unsigned.replace(PLACE, &block))
}

#[tokio::test]
async fn the_uaa_takes_a_signed_saml_assertion_as_grant_and_refuses_one_for_somebody_else() {
    let stage = Stage::set("saml").await;
    let _operator = stage.operator();
    let url = stage.world.uaa_saml_token_url().unwrap();
    stage.secret("client", &[("client_id", SAML_BEARER.id), ("client_secret", SAML_BEARER.secret)]).await;
    for (name, recipient) in [("good", url.as_str()), ("misaddressed", "https://elsewhere.example.com/token")] {
        let secret = format!("{name}-assertion");
        stage.secret(&secret, &[("saml", &signed(&stage, recipient, &format!("{name}@example.test")))]).await;
        let grant = json!({"type": "SAML2Bearer", "assertion": {"secretKeyRef": {"name": secret, "key": "saml"}}});
        stage.source(name, json!({"tokenURL": url, "grant": grant, "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    stage.until_ready("good").await;
    let status = stage.until("misaddressed", "a refusal", |status| status.0.last_failure.is_some()).await;
    assert_eq!(status.0.last_failure.unwrap().http_status, Some(401));
}
