//! A resource server: accepts a call with a good token, refuses any other, and remembers both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::authorization_server::AuthorizationServer;

const PATIENCE: Duration = Duration::from_secs(180);

/// The server, until the test ends.
pub struct ResourceServer {
    url: String,
    trust: Arc<Trust>,
}

/// What it accepts, and what has come.
struct Trust {
    issuer: String,
    /// Modulus and exponent by `kid`.
    keys: HashMap<String, (Vec<u8>, Vec<u8>)>,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    accepted: usize,
    /// `jti` of each token, in the order of their first use.
    tokens: Vec<String>,
    refused: Vec<&'static str>,
    last: Option<Instant>,
    longest_pause: Duration,
}

impl ResourceServer {
    /// Trusts the authorization server's keys of now.
    pub async fn start(authorization_server: &AuthorizationServer) -> Self {
        _ = rustls::crypto::ring::default_provider().install_default();
        let keys = authorization_server.keys().await;
        let keys = keys["keys"].as_array().unwrap().iter().filter(|key| key["alg"] == "RS256");
        let keys = keys.map(|key| (key["kid"].as_str().unwrap().to_owned(), (decoded(&key["n"]), decoded(&key["e"])))).collect();
        let trust = Arc::new(Trust { issuer: authorization_server.issuer(), keys, calls: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/", get(call)).with_state(Arc::clone(&trust));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, trust }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until so many different tokens have come; no call may be refused meanwhile.
    pub async fn until_tokens(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.tokens() < count {
            assert!(Instant::now() < deadline, "{} of {count} tokens came; {}", self.tokens(), self.summary());
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits for tokens that have not come yet. The next one may be on its way already, so it does not count.
    pub async fn until_more_tokens(&self, count: usize) {
        self.until_tokens(self.tokens() + count + 1).await;
    }

    /// What it would say to a token, without counting it as a call.
    pub fn verdict(&self, token: &str) -> Result<(), &'static str> {
        self.trust.judge(&format!("Bearer {token}")).map(|_| ())
    }

    fn tokens(&self) -> usize {
        let calls = self.trust.calls.lock().unwrap();
        assert!(calls.refused.is_empty(), "after {} accepted calls one is refused: {:?}", calls.accepted, calls.refused);
        calls.tokens.len()
    }

    /// What has come, in words.
    pub fn summary(&self) -> String {
        let calls = self.trust.calls.lock().unwrap();
        format!(
            "{} calls accepted with {} tokens, {} refused; the longest pause between two was {:.1} s",
            calls.accepted,
            calls.tokens.len(),
            calls.refused.len(),
            calls.longest_pause.as_secs_f64()
        )
    }
}

async fn call(State(trust): State<Arc<Trust>>, headers: HeaderMap) -> StatusCode {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let verdict = header.ok_or("no Authorization header").and_then(|header| trust.judge(header));
    let mut calls = trust.calls.lock().unwrap();
    let pause = calls.last.replace(Instant::now()).map(|last| last.elapsed()).unwrap_or_default();
    calls.longest_pause = calls.longest_pause.max(pause);
    match verdict {
        Ok(token) => {
            calls.accepted += 1;
            if !calls.tokens.contains(&token) {
                calls.tokens.push(token);
            }
            StatusCode::NO_CONTENT
        }
        Err(why) => {
            calls.refused.push(why);
            StatusCode::UNAUTHORIZED
        }
    }
}

impl Trust {
    /// The token's `jti`, or why it is not accepted (RFC 6750, RFC 7519).
    fn judge(&self, header: &str) -> Result<String, &'static str> {
        let token = header.strip_prefix("Bearer ").ok_or("no bearer token")?;
        let (signed, signature) = token.rsplit_once('.').ok_or("no JWT")?;
        let (head, claims) = signed.split_once('.').ok_or("no JWT")?;
        let key = self.keys.get(parsed(head)?["kid"].as_str().ok_or("no kid")?).ok_or("an unknown key")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "no base64")?;
        let key = RsaPublicKeyComponents { n: &key.0, e: &key.1 };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).map_err(|_| "a wrong signature")?;
        let claims = parsed(claims)?;
        if claims["iss"] != self.issuer.as_str() {
            return Err("another issuer");
        }
        if claims["exp"].as_i64().ok_or("no exp")? <= now() {
            return Err("expired");
        }
        Ok(claims["jti"].as_str().ok_or("no jti")?.to_owned())
    }
}

#[expect(clippy::disallowed_methods, reason = "a resource server looks at the clock")]
fn now() -> i64 {
    Timestamp::now().as_second()
}

fn parsed(part: &str) -> Result<Value, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| "no base64")?;
    serde_json::from_slice(&bytes).map_err(|_| "no JSON")
}

fn decoded(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}
