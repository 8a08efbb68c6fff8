//! What the spec says about the request is what the endpoint receives.

use std::time::Duration;

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};

use crate::stage::Stage;

#[tokio::test]
async fn every_part_of_the_request_arrives() {
    let stage = Stage::set("parts").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("all", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("id", "the id"), ("secret", "p+ss w%rd"), ("username", "alice"), ("password", "a&b=ä€")]).await;
    let spec = json!({
        "tokenURL": format!("{}?zone=1", endpoint.url("all")),
        "grant": {"type": "Password", "audience": "https://api.example.com", "resource": "urn:orders"},
        "credentials": {"secretRef": {"name": "client"}, "keys": {"clientID": "id", "clientSecret": "secret"}},
        "clientAuthentication": {"method": "Basic"},
        "scopes": ["openid", "groups"], "tokenFormat": "JWT", "refreshExpirySeconds": 43200, "maxExchangePeriodHours": 24,
        "request": {"headers": {"X-Correlation-Source": "tokensource"}, "query": {"landscape": "us10"}, "body": {"response_type": "token"}}
    });
    stage.source("all", spec).await;
    stage.until_ready("all").await;

    let request = &endpoint.requests("all")[0];
    assert_eq!(request.method, "POST");
    assert!(request.path_and_query.ends_with("?zone=1&landscape=us10"), "{}", request.path_and_query);
    let header = |name| request.header(name).unwrap_or_default();
    assert_eq!(header("accept"), "application/json");
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header("x-correlation-source"), "tokensource");
    assert_eq!(header("x-cf-encoded-credentials"), "true");
    assert_eq!(header("authorization"), "Basic dGhlK2lkOnAlMkJzcyt3JTI1cmQ=");
    let form: Vec<(&str, &str)> = request.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        form,
        [
            ("grant_type", "password"),
            ("username", "alice"),
            ("password", "a&b=ä€"),
            ("scope", "openid groups"),
            ("audience", "https://api.example.com"),
            ("resource", "urn:orders"),
            ("token_format", "jwt"),
            ("refresh_expiry", "43200"),
            ("max_exchange_period", "24"),
            ("response_type", "token"),
        ]
    );
}

#[tokio::test]
async fn a_common_url_carries_the_tenant() {
    let stage = Stage::set("tenant").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("acme", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let url = endpoint.url("acme").replace("/acme", "/{tenant}");
    stage
        .source(
            "tenant",
            json!({"tokenURL": url, "tokenURLType": "Common", "tenant": "acme", "credentials": {"secretRef": {"name": "client"}}}),
        )
        .await;

    stage.until_ready("tenant").await;
    assert_eq!(endpoint.count("acme"), 1);
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let stage = Stage::set("connections").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("kept", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    for number in 0..5 {
        let name = format!("source-{number}");
        stage.source(&name, json!({"tokenURL": endpoint.url("kept"), "credentials": {"secretRef": {"name": "client"}}})).await;
        stage.until_ready(&name).await;
    }
    assert!(endpoint.wait_for("kept", 5, Duration::from_secs(5)).await);
    assert_eq!(endpoint.connections(), 1);
}
