//! The grants beside `client_credentials` and `password`, and what the requests of each hold.

use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};

use crate::stage::Stage;

/// Name, grant, and the parameters that it must send.
type Case<'a> = (&'a str, Value, &'a [(&'a str, &'a str)]);

#[tokio::test]
async fn each_grant_sends_its_own_parameters() {
    let stage = Stage::set("params").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s"), ("refresh_token", "first-refresh")]).await;
    stage.secret("assertion", &[("it", "the.assertion")]).await;
    let from = json!({"secretKeyRef": {"name": "assertion", "key": "it"}});
    let cases: [Case<'_>; 4] = [
        (
            "jwt",
            json!({"type": "JWTBearer", "assertion": from}),
            &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "the.assertion")],
        ),
        (
            "saml",
            json!({"type": "SAML2Bearer", "assertion": from}),
            &[("grant_type", "urn:ietf:params:oauth:grant-type:saml2-bearer"), ("assertion", "the.assertion")],
        ),
        (
            "exchange",
            json!({"type": "TokenExchange", "assertion": from, "requestedTokenType": "urn:ietf:params:oauth:token-type:jwt", "audience": "orders"}),
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", "the.assertion"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("requested_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                ("audience", "orders"),
            ],
        ),
        ("refresh", json!({"type": "RefreshToken"}), &[("grant_type", "refresh_token"), ("refresh_token", "first-refresh")]),
    ];
    for (name, grant, expected) in cases {
        endpoint.script(name, vec![Step::Token { expires_in: 3600 }]);
        stage.source(name, json!({"tokenURL": endpoint.url(name), "grant": grant, "credentials": {"secretRef": {"name": "client"}}})).await;
        stage.until_ready(name).await;
        let request = &endpoint.requests(name)[0];
        for (parameter, value) in expected {
            assert_eq!(request.field(parameter), Some(*value), "{name}: {parameter}");
        }
        assert_eq!(request.field("client_secret"), Some("s"), "{name}");
    }
}

#[tokio::test]
async fn a_one_time_code_stands_behind_the_password_and_is_never_sent_twice() {
    let stage = Stage::set("totp").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("ias", vec![Step::Token { expires_in: 3600 }]);
    let user = [
        ("client_id", "c"),
        ("client_secret", "s"),
        ("username", "P123456"),
        ("password", "correct-horse"),
        ("totpSecret", "JBSWY3DPEHPK3PXP"),
    ];
    stage.secret("user", &user).await;
    let spec = json!({"tokenURL": endpoint.url("ias"), "grant": {"type": "Password"}, "credentials": {"secretRef": {"name": "user"}}});
    for name in ["one", "two"] {
        stage.source(name, spec.clone()).await;
    }
    for name in ["one", "two"] {
        stage.until_ready(name).await;
    }
    let sent: Vec<String> = endpoint.requests("ias").iter().map(|request| request.field("password").unwrap().to_owned()).collect();
    let codes: Vec<&str> = sent.iter().filter_map(|password| password.strip_prefix("correct-horse")).collect();
    assert!(codes.len() == 2 && codes[0] != codes[1] && codes.iter().all(|code| code.len() == 6), "{} codes", codes.len());
}

#[tokio::test]
async fn a_service_binding_is_enough_and_its_rotation_is_followed() {
    let stage = Stage::set("binding").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("sub", vec![Step::Token { expires_in: 3600 }]);
    let binding = |secret: &str| {
        json!({"clientid": "sb-shop!t1", "clientsecret": secret, "url": endpoint.url("sub"), "credential-type": "binding-secret"})
            .to_string()
    };
    stage.secret("flat", &[("clientid", "sb-shop!t1"), ("clientsecret", "one"), ("url", &endpoint.url("sub"))]).await;
    stage.secret("document", &[("credentials", &binding("two")), ("type", "xsuaa")]).await;
    for name in ["flat", "document"] {
        stage.source(&format!("{name}-token"), json!({"credentials": {"secretRef": {"name": name}}})).await;
        stage.until_ready(&format!("{name}-token")).await;
    }
    let requests = endpoint.requests("sub");
    assert!(requests.iter().all(|request| request.path_and_query == "/sub/oauth/token"));
    assert_eq!((requests[0].field("client_secret"), requests[1].field("client_secret")), (Some("one"), Some("two")));

    stage.secret("document", &[("credentials", &binding("three")), ("type", "xsuaa")]).await;
    assert!(endpoint.wait_for("sub", 3, std::time::Duration::from_secs(60)).await);
    assert_eq!(endpoint.requests("sub")[2].field("client_secret"), Some("three"));
}

#[tokio::test]
async fn the_token_services_own_user_stands_in_the_header() {
    let stage = Stage::set("basicuser").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.secret("both", &[("client_id", "c"), ("client_secret", "s"), ("basicUsername", "svc"), ("basicPassword", "pw")]).await;
    for (name, method) in [("beside", "Body"), ("instead", "Basic")] {
        endpoint.script(name, vec![Step::Token { expires_in: 3600 }]);
        stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "both"}}, "clientAuthentication": {"method": method}})).await;
        stage.until_ready(name).await;
        let request = &endpoint.requests(name)[0];
        assert_eq!(request.header("authorization"), Some("Basic c3ZjOnB3"), "{name}");
        assert_eq!(request.field("client_secret"), (method == "Body").then_some("s"), "{name}");
    }
}
