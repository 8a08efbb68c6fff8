//! Where credentials may be sent to, from the first day.

use kube::api::{Patch, PatchParams};
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::ConditionType;

use crate::stage::Stage;

#[tokio::test]
async fn without_being_allowed_no_request_goes_to_loopback_by_address_or_by_name() {
    let stage = Stage::set("loopback").await;
    let _operator = stage.operator_with(&["--allow-http"]);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("inner", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let by_address = endpoint.url("inner");
    let port = by_address.rsplit(':').next().unwrap().to_owned();
    for (name, url) in
        [("address", by_address), ("name", format!("http://localhost:{port}")), ("mapped", format!("http://[::ffff:127.0.0.1]:{port}"))]
    {
        stage.source(name, json!({"tokenURL": url, "credentials": {"secretRef": {"name": "client"}}})).await;
        stage.until_refused(name, "HostNotAllowed").await;
    }
    assert_eq!(endpoint.count("inner"), 0);
}

#[tokio::test]
async fn credentials_go_to_the_hosts_that_the_administrator_and_the_secrets_owner_name() {
    let stage = Stage::set("hosts").await;
    let flags = ["--allow-http", "--allow-cidr", "127.0.0.0/8", "--allow-host", "127.0.0.*", "--require-allowed-hosts"];
    let _operator = stage.operator_with(&flags);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("idp", vec![Step::Token { expires_in: 3600 }]);
    let spec = |url: String| json!({"tokenURL": url, "credentials": {"secretRef": {"name": "client"}}});
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source("other", spec(endpoint.url("idp").replace("127.0.0.1", "localhost"))).await;
    let status = stage.until_refused("other", "HostNotAllowed").await;
    assert!(status.message(ConditionType::Ready).contains("--allow-host"));

    stage.source("orders", spec(endpoint.url("idp"))).await;
    let status = stage.until_refused("orders", "HostNotAllowed").await;
    assert!(status.message(ConditionType::Ready).contains("has no annotation tokensource.dev/allowed-hosts"));
    for (hosts, allowed) in [("login.example.com", false), ("login.example.com, 127.0.0.1", true)] {
        let annotation = json!({"metadata": {"annotations": {"tokensource.dev/allowed-hosts": hosts}}});
        stage.secrets().patch("client", &PatchParams::default(), &Patch::Merge(annotation)).await.unwrap();
        let told = if allowed { "TokenIssued" } else { "HostNotAllowed" };
        stage
            .until("orders", hosts, |status| {
                status.reason(ConditionType::Refreshed) == told
                    && (allowed || status.message(ConditionType::Ready).contains("may be sent to"))
            })
            .await;
    }
    assert_eq!(endpoint.count("idp"), 1);
}

#[tokio::test]
async fn the_api_server_gets_no_credentials_even_where_loopback_is_allowed_by_a_wider_range() {
    let stage = Stage::set("apiserver").await;
    let _operator = stage.operator_with(&["--deny-cidr", "192.0.2.0/24"]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source("plain", json!({"tokenURL": "http://192.0.2.1/token", "credentials": {"secretRef": {"name": "client"}}})).await;
    let status = stage.until_refused("plain", "InvalidSpec").await;
    assert!(status.0.last_failure.unwrap().message.contains("spec.tokenURL is a plain http URL"));

    stage.source("denied", json!({"tokenURL": "https://192.0.2.1/token", "credentials": {"secretRef": {"name": "client"}}})).await;
    stage.until_refused("denied", "HostNotAllowed").await;
    let api_server = stage.client.default_namespace().to_owned();
    assert!(!api_server.is_empty());
}
