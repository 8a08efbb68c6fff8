//! `tokensource check` as a person or a script calls it, without a cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};
use tokio::task::spawn_blocking;

const SECRET: &str = "hunter2+hunter2";
const PASSWORD: &str = "correct-horse";

/// A file with a source of each name and its spec, and the Secret `client`.
fn manifests(sources: &[(&str, Value)]) -> String {
    let data = json!({"client_id": "orders", "client_secret": SECRET, "username": "alice", "password": PASSWORD});
    let mut documents = vec![json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "client"}, "stringData": data})];
    documents.extend(sources.iter().map(|(name, spec)| {
        let mut spec = spec.clone();
        spec["credentials"] = json!({"secretRef": {"name": "client"}});
        json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": name}, "spec": spec})
    }));
    documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

async fn check(manifests: String, arguments: &[&str]) -> (Option<i32>, String, String) {
    check_where(&[], manifests, arguments).await
}

async fn check_where(environment: &[(&str, &Path)], manifests: String, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokensource"));
    command.args(["check", "-f", "-", "--allow-http"]).args(arguments).env("RUST_LOG", "trace");
    command.envs(environment.iter().copied());
    let output: Output = spawn_blocking(move || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(manifests.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (told, complaint) = (text(&output.stdout), text(&output.stderr));
    for secret in [SECRET, PASSWORD, "hunter2%2Bhunter2"] {
        assert!(!told.contains(secret) && !complaint.contains(secret), "a secret is shown: {told}{complaint}");
    }
    (output.status.code(), told, complaint)
}

fn ambiguous() -> Step {
    let headers = [("content-type", "application/json"), ("www-authenticate", "Basic realm=\"UAA/client\", error=\"unauthorized\"")];
    let body = json!({"error": "unauthorized", "error_description": "Bad credentials"}).to_string();
    Step::Raw { status: 401, headers: headers.map(|(name, value)| (name.into(), value.into())).to_vec(), body: body.into() }
}

#[tokio::test]
async fn a_token_is_told_by_life_and_claims_and_shown_only_on_request() {
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    // {"alg":"none"} . {"iss":"https://issuer.example","sub":"orders"} . no signature
    let jwt = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoib3JkZXJzIn0.c2ln";
    let body = json!({"access_token": jwt, "token_type": "bearer", "expires_in": 600, "scope": "read"});
    endpoint.script("good", vec![Step::Json { status: 200, body }]);
    let file = manifests(&[("orders", json!({"tokenURL": endpoint.url("good"), "scopes": ["read", "write"]}))]);

    let (code, told, _) = check(file.clone(), &[]).await;
    assert_eq!(code, Some(0), "{told}");
    for part in [
        "TokenSource default/orders",
        "client_secret=(hidden)",
        "client_id=orders",
        "Verdict: a token",
        "expires in 10m",
        "not granted: write",
        "https://issuer.example",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert!(!told.contains(jwt));

    let (_, told, _) = check(file.clone(), &["--show-token"]).await;
    assert!(told.contains(jwt));
    let (_, told, _) = check(file, &["-o", "json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["reason"], &told["token"]["claims"]["sub"]), (&json!("TokenIssued"), &json!("orders")));
    assert_eq!(told["request"]["parameters"]["client_secret"], "(hidden)");
    assert!(!told.to_string().contains(jwt));
}

#[tokio::test]
async fn a_refusal_is_explained_with_the_probe_where_it_does_not_say_whom_it_is_about() {
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let wrong_secret = json!({"error": "invalid_client", "error_description": "Invalid client secret for orders"});
    endpoint.script("secret", vec![Step::Json { status: 401, body: wrong_secret }]);
    endpoint.script("password", vec![ambiguous(), Step::Token { expires_in: 60 }]);
    let password = json!({"tokenURL": endpoint.url("password"), "grant": {"type": "Password"}});
    let file = manifests(&[("secret", json!({"tokenURL": endpoint.url("secret")})), ("password", password)]);

    let (code, told, _) = check(file.clone(), &[]).await;
    assert_eq!(code, Some(1), "{told}");
    for part in [
        "ClientAuthenticationFailed (WrongSecret)",
        "UserAuthenticationFailed",
        "the client was accepted where it asked alone",
        "Remedy",
        "Retry",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert_eq!((endpoint.count("secret"), endpoint.count("password")), (1, 2));

    let (code, told, _) = check(file, &["secret", "-o", "json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["cause"], &told["retry"], &told["httpStatus"]), (Some(1), &json!("WrongSecret"), &json!("slow"), &json!(401)));
}

#[tokio::test]
async fn a_source_that_asks_with_the_token_of_another_is_checked_after_it() {
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("first", vec![Step::Token { expires_in: 60 }]);
    endpoint.script("second", vec![Step::Token { expires_in: 60 }]);
    let second =
        json!({"tokenURL": endpoint.url("second"), "grant": {"type": "JWTBearer", "assertion": {"tokenSourceRef": {"name": "first"}}}});
    let file = manifests(&[("second", second), ("first", json!({"tokenURL": endpoint.url("first")}))]);
    let (code, told, _) = check(file, &["second"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(endpoint.requests("second")[0].field("assertion").is_some_and(|assertion| !assertion.is_empty()));
    assert!(told.find("default/first") < told.find("default/second"));
}

#[tokio::test]
async fn bad_input_ends_with_two_and_names_the_field_and_an_unreachable_server_with_three() {
    let source = |spec: Value| manifests(&[("orders", spec)]);
    for (file, arguments, expected) in [
        (source(json!({"tokenUrl": "https://a.example.com"})), vec![], "spec.tokenUrl"),
        (source(json!({"tokenURL": "ftp://a.example.com"})), vec![], "spec.tokenURL"),
        (source(json!({"tokenURL": "https://a.example.com", "clientAuthentication": {"method": "MutualTLS"}})), vec![], "certificate"),
        (source(json!({"tokenURL": "https://a.example.com"})), vec!["nobody"], "no TokenSource nobody"),
        ("kind: Secret".to_owned(), vec![], "metadata.name is missing"),
        ("{".to_owned(), vec![], "is no YAML"),
        (String::new(), vec![], "no TokenSource"),
    ] {
        let (code, told, complaint) = check(file, &arguments).await;
        assert_eq!(code, Some(2), "{expected}: {told}{complaint}");
        assert!(format!("{told}{complaint}").contains(expected), "{expected} is not in {told}{complaint}");
    }
    let (code, told, _) = check(source(json!({"tokenURL": "http://127.0.0.1:1/token"})), &[]).await;
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("ConnectionFailed"));
    let (code, told, _) = check(source(json!({"tokenURL": "http://127.0.0.1:1/token"})), &["--deny-cidr", "127.0.0.0/8"]).await;
    assert!(code == Some(2) && told.contains("HostNotAllowed"), "{told}");
}

#[tokio::test]
async fn nothing_that_was_sent_is_shown_although_the_server_quotes_it() {
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let echo = format!("client {SECRET} user {PASSWORD} hunter2%2Bhunter2");
    let headers = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let json = |body: Value| Step::Json { status: 400, body };
    let answers = [
        json(json!({"error": "invalid_request", "error_description": echo})),
        json(json!({"error": PASSWORD, "message": echo})),
        json(json!({"error": "x", "error_description": json!({"error": "y", "error_description": echo}).to_string()})),
        Step::Raw {
            status: 400,
            headers: headers("www-authenticate", &format!("Bearer error=\"x\", error_description=\"{echo}\"")),
            body: Vec::new(),
        },
        Step::Raw { status: 400, headers: headers("content-type", "text/html"), body: format!("<p>{echo}</p>").into_bytes() },
        Step::Raw { status: 302, headers: headers("location", &format!("/?p={PASSWORD}")), body: Vec::new() },
        Step::Raw { status: 400, headers: Vec::new(), body: echo.clone().into_bytes() },
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let name = format!("echo-{number}");
        endpoint.script(&name, vec![answer]);
        let file = manifests(&[("orders", json!({"tokenURL": endpoint.url(&name), "grant": {"type": "Password"}}))]);
        for format in ["text", "json"] {
            let (code, told, _) = check(file.clone(), &["-o", format]).await;
            assert_eq!(code, Some(1), "{told}");
        }
    }
}

#[tokio::test]
async fn missing_root_certificates_are_no_fault_of_the_spec() {
    let (empty, file) = (tempfile::TempDir::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let environment = [("SSL_CERT_DIR", empty.path()), ("SSL_CERT_FILE", file.path())];
    let sources = manifests(&[("orders", json!({"tokenURL": "https://127.0.0.1:1/token"}))]);
    let (code, told, _) = check_where(&environment, sources, &[]).await;
    assert!(code != Some(0) && told.contains("TLSVerificationFailed") && told.contains("SSL_CERT_FILE"), "{told}");
}
