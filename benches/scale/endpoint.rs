//! A token endpoint with a set latency, token life and limit. It counts, and knows each source by its client id.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// How long an answer takes.
pub const LATENCY: Duration = Duration::from_millis(20);

/// The life of tokens, which a run may change.
#[derive(Clone)]
pub struct Life(Arc<AtomicU64>);

impl Life {
    pub fn of_seconds(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

/// So many requests in each window of a minute; what comes beyond is answered by 429 with `Retry-After`.
#[derive(Clone, Copy)]
pub struct Limit {
    pub a_minute: usize,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Since the endpoint's start.
    pub after: Duration,
    pub client: String,
}

struct Shared {
    life: Life,
    limit: Option<Limit>,
    window: Mutex<(u64, usize)>,
    began: Instant,
    issued: AtomicUsize,
    refused: AtomicUsize,
    /// When each client's last token expires.
    expiries: Mutex<HashMap<String, Instant>>,
    arrivals: Mutex<Vec<Arrival>>,
}

pub struct Endpoint {
    pub url: String,
    pub life: Life,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Endpoint {
    pub async fn start(life: Life, limit: Option<Limit>) -> Self {
        let shared = Arc::new(Shared {
            life: life.clone(),
            limit,
            window: Mutex::default(),
            began: Instant::now(),
            issued: AtomicUsize::default(),
            refused: AtomicUsize::default(),
            expiries: Mutex::default(),
            arrivals: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let router = Router::new().route("/token", post(answer)).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, life, shared, server }
    }

    /// Tokens issued so far.
    pub fn issued(&self) -> usize {
        self.shared.issued.load(Ordering::Relaxed)
    }

    /// Requests answered by 429 so far.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// The requests so far, in the order in which they came.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.arrivals.lock().unwrap().clone()
    }

    /// How many clients have a token that is valid now.
    pub fn alive(&self) -> usize {
        let now = Instant::now();
        self.shared.expiries.lock().unwrap().values().filter(|expiry| **expiry > now).count()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, form: String) -> Response {
    let elapsed = shared.began.elapsed();
    let client = form.split('&').find_map(|pair| pair.strip_prefix("client_id=")).unwrap_or_default().to_owned();
    shared.arrivals.lock().unwrap().push(Arrival { after: elapsed, client: client.clone() });
    sleep(LATENCY).await;
    if let Some(wait) = shared.over_limit(elapsed) {
        shared.refused.fetch_add(1, Ordering::Relaxed);
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", wait.to_string())]).into_response();
    }
    let life = shared.life.0.load(Ordering::Relaxed);
    shared.expiries.lock().unwrap().insert(client, Instant::now() + Duration::from_secs(life));
    let number = shared.issued.fetch_add(1, Ordering::Relaxed);
    // As long as the JWTs that authorization servers issue.
    let token = format!("{number:0>900}");
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{life}}}"#);
    ([("content-type", "application/json")], body).into_response()
}

impl Shared {
    /// The seconds until the next window, where this one is full.
    fn over_limit(&self, elapsed: Duration) -> Option<u64> {
        let limit = self.limit?;
        let mut window = self.window.lock().unwrap();
        let minute = elapsed.as_secs() / 60;
        if window.0 != minute {
            *window = (minute, 0);
        }
        window.1 += 1;
        (window.1 > limit.a_minute).then_some(60 - elapsed.as_secs() % 60)
    }
}
