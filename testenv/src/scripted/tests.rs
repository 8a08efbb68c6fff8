use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ScriptedEndpoint, Step};
use crate::ready::probe_client;

const TOKEN: Step = Step::Token { expires_in: 60 };

async fn endpoint(steps: Vec<Step>) -> (ScriptedEndpoint, String, Client) {
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("x", steps);
    let url = endpoint.url("x");
    (endpoint, url, probe_client(None).unwrap())
}

async fn status(client: &Client, url: &str) -> u16 {
    client.post(url).send().await.unwrap().status().as_u16()
}

async fn access_token(client: &Client, url: &str) -> String {
    let body: Value = serde_json::from_slice(&client.post(url).send().await.unwrap().bytes().await.unwrap()).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn steps_are_taken_one_a_request_and_the_last_one_repeats() {
    let (endpoint, url, client) = endpoint(vec![Step::Status(503), Step::Html(502), TOKEN]).await;
    assert_eq!((status(&client, &url).await, status(&client, &url).await), (503, 502));
    let (first, second) = (access_token(&client, &url).await, access_token(&client, &url).await);
    assert!(first.starts_with("scripted-") && first != second, "{first} {second}");
    assert_eq!(endpoint.count("x"), 4);
}

#[tokio::test]
async fn every_request_is_recorded_with_its_form_also_where_there_is_no_script() {
    let (endpoint, _, client) = endpoint(vec![TOKEN]).await;
    let answer = client.post(endpoint.url("other/oauth/token?a=b")).body("scope=a+b&client_secret=p%3Ass").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let requests = endpoint.requests("other");
    assert_eq!((requests[0].method.as_str(), requests[0].path_and_query.as_str()), ("POST", "/other/oauth/token?a=b"));
    assert_eq!((requests[0].field("scope"), requests[0].field("client_secret")), (Some("a b"), Some("p:ss")));
    assert_eq!(requests[0].header("content-length"), Some("30"));
    assert_eq!(endpoint.count("x"), 0);
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let (_endpoint, url, client) = endpoint(vec![Step::RateLimited { retry_after: Some("7".to_owned()) }]).await;
    let answer = client.post(url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()), (429, &b"7"[..]));
}

#[tokio::test]
async fn the_client_is_known_by_its_body_or_by_basic_in_either_encoding() {
    let step = Step::RequireClient { id: "c".to_owned(), secret: "p:s é".to_owned(), then: Box::new(TOKEN) };
    let (_endpoint, url, client) = endpoint(vec![step]).await;
    let answers = [
        client.post(&url).body("client_id=c&client_secret=p%3As+%C3%A9"),
        client.post(&url).basic_auth("c", Some("p:s é")),
        client.post(&url).basic_auth("c", Some("p%3As+%C3%A9")),
        client.post(&url).basic_auth("c", Some("wrong")),
        client.post(&url),
    ];
    let mut codes = Vec::new();
    for answer in answers {
        codes.push(answer.send().await.unwrap().status().as_u16());
    }
    assert_eq!(codes, [200, 200, 200, 401, 401]);
}

#[tokio::test]
async fn reset_breaks_the_connection_and_leaves_others_alone() {
    let (endpoint, url, client) = endpoint(vec![Step::Reset, TOKEN]).await;
    let mut stream = TcpStream::connect(url.trim_start_matches("http://").trim_end_matches("/x")).await.unwrap();
    stream.write_all(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let broken = stream.read(&mut [0; 100]).await.unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(status(&client, &url).await, 200);
    assert_eq!(endpoint.count("x"), 2);
}

#[tokio::test]
async fn a_slow_answer_and_a_slow_body_take_their_time() {
    let wait = Duration::from_millis(200);
    let (_endpoint, url, client) = endpoint(vec![Step::Slow(wait, Box::new(TOKEN)), Step::SlowBody(wait)]).await;
    let begun = Instant::now();
    assert_eq!(status(&client, &url).await, 200);
    assert!(begun.elapsed() >= wait);
    let begun = Instant::now();
    let answer = client.post(&url).send().await.unwrap();
    assert!(begun.elapsed() < wait, "headers come at once");
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(body["token_type"], "Bearer");
    assert!(begun.elapsed() >= wait);
}

#[tokio::test]
async fn a_huge_body_has_the_size_that_was_asked_for() {
    let (_endpoint, url, client) = endpoint(vec![Step::Huge(3_000_001)]).await;
    let answer = client.post(url).send().await.unwrap();
    assert_eq!(answer.content_length(), None);
    assert_eq!(answer.bytes().await.unwrap().len(), 3_000_001);
}

#[tokio::test]
async fn json_raw_garbage_and_redirect_are_sent_as_they_are() {
    let raw = Step::Raw { status: 418, headers: vec![("x-a".to_owned(), "b".to_owned())], body: b"tea".to_vec() };
    let json = Step::Json { status: 400, body: json!({"error": "invalid_scope"}) };
    let (endpoint, url, client) = endpoint(vec![raw, json, Step::Garbage, Step::Redirect("/y".to_owned())]).await;
    endpoint.script("y", vec![TOKEN]);
    let answer = client.post(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-a"].as_bytes()), (418, &b"b"[..]));
    assert_eq!(answer.bytes().await.unwrap(), "tea");
    assert_eq!(client.post(&url).send().await.unwrap().bytes().await.unwrap(), r#"{"error":"invalid_scope"}"#);
    assert!(std::str::from_utf8(&client.post(&url).send().await.unwrap().bytes().await.unwrap()).is_err());
    assert_eq!(status(&client, &url).await, 200);
    assert_eq!(endpoint.count("y"), 1);
}

#[tokio::test]
async fn with_tls_its_ca_is_trusted_and_a_wrong_name_is_not() {
    for (names, is_trusted) in [(&["127.0.0.1"], true), (&["other.example"], false)] {
        let endpoint = ScriptedEndpoint::start_tls_for(names).await.unwrap();
        endpoint.script("x", vec![TOKEN]);
        let ca = Certificate::from_pem(endpoint.ca_pem().unwrap().as_bytes()).unwrap();
        probe_client(None).unwrap();
        let client = Client::builder().tls_certs_only([ca]).build().unwrap();
        assert_eq!(client.post(endpoint.url("x")).send().await.is_ok(), is_trusted, "{names:?}");
    }
}

#[tokio::test]
async fn dropping_it_closes_the_port_and_its_connections() {
    let (endpoint, url, client) = endpoint(vec![Step::Slow(Duration::from_secs(60), Box::new(TOKEN))]).await;
    let waiting = tokio::spawn(client.post(&url).send());
    assert!(endpoint.wait_for("x", 1, Duration::from_secs(5)).await);
    drop(endpoint);
    assert!(waiting.await.unwrap().is_err());
    assert!(client.post(&url).send().await.is_err());
}
