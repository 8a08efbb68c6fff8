//! Bad input gets a clear condition, nothing is overwritten, nothing stops.

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::Stage;

#[tokio::test]
async fn what_is_missing_or_wrong_is_named_and_its_mending_is_noticed() {
    let stage = Stage::set("input").await;
    let mut operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("orders", vec![Step::Token { expires_in: 3600 }]);
    let url = endpoint.url("orders");
    stage.secret("empty", &[("client_id", "c"), ("client_secret", "")]).await;
    stage.secret("other-keys", &[("user", "c"), ("pass", "s")]).await;
    stage.secret("good", &[("client_id", "c"), ("client_secret", "s")]).await;
    let from = |secret: &str| json!({"secretRef": {"name": secret}});
    let cases = [
        ("no-secret", json!({"tokenURL": url, "credentials": from("nowhere")}), "CredentialsNotFound", "there is no Secret nowhere"),
        (
            "empty-secret",
            json!({"tokenURL": url, "credentials": from("empty")}),
            "CredentialsIncomplete",
            "key client_secret of Secret empty is empty",
        ),
        (
            "no-keys",
            json!({"tokenURL": url, "credentials": from("other-keys")}),
            "CredentialsIncomplete",
            "Secret other-keys has no key client_id",
        ),
        (
            "wrong-key",
            json!({"tokenURL": url, "credentials": {"secretRef": {"name": "good"}, "keys": {"clientSecret": "nope"}}}),
            "CredentialsIncomplete",
            "Secret good has no key nope",
        ),
        ("own-target", json!({"tokenURL": url, "credentials": from("good"), "secret": {"name": "good"}}), "InvalidSpec", "both say good"),
        (
            "no-host",
            json!({"tokenURL": "https://no-such-host.invalid/token", "credentials": from("good")}),
            "ConnectionFailed",
            "no-such-host.invalid",
        ),
        (
            "no-bundle",
            json!({"tokenURL": url, "credentials": from("good"), "tls": {"caBundle": {"configMapRef": {"name": "nowhere", "key": "ca.crt"}}}}),
            "CredentialsNotFound",
            "there is no ConfigMap nowhere",
        ),
        (
            "no-certificate",
            json!({"tokenURL": url, "credentials": from("good"), "tls": {"caBundle": {"secretRef": {"name": "good", "key": "client_id"}}}}),
            "InvalidSpec",
            "spec.tls.caBundle holds no usable PEM certificate",
        ),
    ];
    let good = stage.secrets().get("good").await.unwrap();
    for (name, spec, ..) in &cases {
        stage.source(name, spec.clone()).await;
    }
    for (name, _, reason, text) in &cases {
        let status = stage.until_refused(name, reason).await;
        assert!(status.is(ConditionType::Ready, ConditionStatus::False), "{name}");
        let message = status.message(ConditionType::Ready);
        assert!(message.contains(text), "{name}: {message}");
    }
    assert_eq!(endpoint.count("orders"), 0);
    assert_eq!(stage.secrets().get("good").await.unwrap(), good);

    stage.secret("nowhere", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.secret("empty", &[("client_id", "c"), ("client_secret", "s")]).await;
    for name in ["no-secret", "empty-secret"] {
        stage.until_ready(name).await;
    }
    assert!(operator.is_running());
}
