//! The way to the API server: a proxy for each process of the operator, which passes everything on, or spoils it.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::connection::{Breakable, Reset};
use crate::random::Random;

const CONFLICTS_IN_A_ROW: u32 = 3;

/// A moment in the writing of a token, at which a process can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The answer is read, and its refresh token is not written.
    BeforeRefreshToken,
    /// The refresh token is written, the token is not.
    AfterRefreshToken,
    /// The answer is read, and the token is not written.
    BeforeSecret,
    /// The token is written, the status is not.
    AfterSecret,
}

impl Moment {
    fn is_before(self) -> bool {
        matches!(self, Self::BeforeRefreshToken | Self::BeforeSecret)
    }
}

/// Who was stopped, over which write.
#[derive(Debug)]
pub struct Stopped {
    pub process: u64,
    pub object: String,
}

/// How the way is spoiled now, in requests out of a hundred.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spoiling {
    /// Writes of target Secrets and statuses are answered with 409.
    pub conflicts: u64,
    /// Any request is answered with 429.
    pub too_many: u64,
    /// A write is done, and the connection ends instead of the answer.
    pub lost_answers: u64,
}

struct Trap {
    moment: Moment,
    caught: oneshot::Sender<Stopped>,
}

/// A write of who does not hold the Lease.
#[derive(Clone, Debug)]
pub struct Trespass {
    pub process: u64,
    pub holder: u64,
    pub what: String,
}

/// What all ways share.
pub struct Ways {
    upstream: String,
    client: reqwest::Client,
    spoiling: Mutex<Spoiling>,
    random: Mutex<Random>,
    trap: Mutex<Option<Trap>>,
    drop_watches: watch::Sender<u64>,
    /// Who wrote itself into the Lease last, and since when.
    holder: Mutex<Option<(u64, Instant)>>,
    trespasses: Mutex<Vec<Trespass>>,
    /// How many conflicts in a row an object has met.
    rows: Mutex<HashMap<String, u32>>,
    pub requests: AtomicU64,
    pub conflicts: AtomicU64,
    pub too_many: AtomicU64,
    pub lost_answers: AtomicU64,
    pub watches_dropped: AtomicU64,
}

impl Ways {
    pub fn to(upstream: &str, ca: &[u8], random: Random) -> Arc<Self> {
        let ca = reqwest::Certificate::from_pem(ca).unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap();
        Arc::new(Self {
            upstream: upstream.to_owned(),
            client,
            spoiling: Mutex::default(),
            random: Mutex::new(random),
            trap: Mutex::default(),
            drop_watches: watch::channel(0).0,
            holder: Mutex::default(),
            trespasses: Mutex::default(),
            rows: Mutex::default(),
            requests: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
            too_many: AtomicU64::new(0),
            lost_answers: AtomicU64::new(0),
            watches_dropped: AtomicU64::new(0),
        })
    }

    pub fn spoil(&self, spoiling: Spoiling) {
        *self.spoiling.lock().unwrap() = spoiling;
    }

    /// Ends all watches that are open.
    pub fn drop_watches(&self) {
        self.drop_watches.send_modify(|round| *round += 1);
    }

    /// Stops the next process that comes to this moment; its connection hangs from there on.
    pub fn trap(&self, moment: Moment) -> oneshot::Receiver<Stopped> {
        let (caught, told) = oneshot::channel();
        *self.trap.lock().unwrap() = Some(Trap { moment, caught });
        told
    }

    pub fn remove_trap(&self) {
        self.trap.lock().unwrap().take();
    }

    /// The process that wrote itself into the Lease last.
    pub fn holder(&self) -> Option<u64> {
        self.holder.lock().unwrap().map(|(process, _)| process)
    }

    pub fn trespasses(&self) -> Vec<Trespass> {
        self.trespasses.lock().unwrap().clone()
    }

    /// Never more than three times in a row for one object: somebody would have to write it between each read and write.
    fn conflicts_with(&self, request: &Asked, share: u64) -> bool {
        if !(request.is_target() || request.is_status()) {
            return false;
        }
        let mut rows = self.rows.lock().unwrap();
        let row = rows.entry(request.path.clone()).or_default();
        *row = if *row < CONFLICTS_IN_A_ROW && self.draws(share) { *row + 1 } else { 0 };
        let conflicts = *row > 0;
        self.conflicts.fetch_add(u64::from(conflicts), Ordering::SeqCst);
        conflicts
    }

    fn draws(&self, share: u64) -> bool {
        share > 0 && self.random.lock().unwrap().percent(share)
    }

    /// The trap, if this request is what it waits for.
    fn sprung(&self, request: &Asked) -> Option<Trap> {
        let mut trap = self.trap.lock().unwrap();
        let is_it = trap.as_ref().is_some_and(|trap| match trap.moment {
            Moment::BeforeRefreshToken | Moment::AfterRefreshToken => request.is_refresh_token(),
            Moment::BeforeSecret | Moment::AfterSecret => request.is_target() && !request.is_refresh_token(),
        });
        if is_it { trap.take() } else { None }
    }

    fn watch_for_trespass(&self, process: u64, request: &Asked, status: u16) {
        if !(200..300).contains(&status) {
            return;
        }
        if request.path.contains("/leases") {
            let holds = serde_json::from_slice::<Value>(&request.body)
                .is_ok_and(|lease| lease["spec"]["holderIdentity"].as_str().is_some_and(|id| !id.is_empty()));
            if holds && request.is_write() {
                let mut holder = self.holder.lock().unwrap();
                if holder.is_none_or(|(one, _)| one != process) {
                    *holder = Some((process, request.at));
                }
            }
        } else if request.is_write() && !request.path.contains("/events") && !request.path.ends_with("/secrets") {
            // Creations of the key and the ledger are made by whoever starts; the rest is the leader's.
            if let Some((holder, since)) = *self.holder.lock().unwrap()
                && holder != process
                && request.at > since
            {
                self.trespasses.lock().unwrap().push(Trespass { process, holder, what: format!("{} {}", request.method, request.path) });
            }
        }
    }
}

/// A request as it is passed on.
struct Asked {
    at: Instant,
    method: Method,
    path: String,
    query: String,
    body: Bytes,
}

impl Asked {
    fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    fn is_watch(&self) -> bool {
        self.query.contains("watch=true") || self.query.contains("watch=1")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn is_target(&self) -> bool {
        let own = ["tokensource-ledger", "tokensource-digest-key"];
        self.method == Method::PATCH && self.path.contains("/secrets/") && !own.contains(&self.name())
    }

    fn is_refresh_token(&self) -> bool {
        self.is_target() && self.name().ends_with("-refresh-token")
    }

    fn is_status(&self) -> bool {
        self.method == Method::PATCH && self.path.ends_with("/status")
    }
}

/// One process's way. It closes when dropped.
pub struct Way {
    pub url: String,
    task: AbortHandle,
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Way {
    pub async fn open(ways: &Arc<Ways>, process: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ways = Arc::clone(ways);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(serve(stream, Arc::clone(&ways), process));
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Self { url, task: task.abort_handle() }
    }
}

type Body = BoxBody<Bytes, io::Error>;
type Answer = Result<Response<Body>, io::Error>;

async fn serve(stream: TcpStream, ways: Arc<Ways>, process: u64) {
    let reset = Reset::default();
    _ = stream.set_nodelay(true);
    let stream = Breakable::new(stream, reset.clone());
    let service = service_fn(|request| pass(request, &ways, process, &reset));
    _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn pass(request: Request<Incoming>, ways: &Arc<Ways>, process: u64, reset: &Reset) -> Answer {
    let broken = || {
        reset.set();
        io::Error::from(io::ErrorKind::ConnectionReset)
    };
    ways.requests.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let asked = Asked { at: Instant::now(), method: parts.method.clone(), path, query, body };
    let spoiling = *ways.spoiling.lock().unwrap();
    if ways.draws(spoiling.too_many) {
        ways.too_many.fetch_add(1, Ordering::SeqCst);
        return Ok(status_object(429, "TooManyRequests", "the server has received too many requests"));
    }
    if ways.conflicts_with(&asked, spoiling.conflicts) {
        return Ok(status_object(409, "Conflict", "the object has been modified; please apply your changes to the latest version"));
    }
    let trap = ways.sprung(&asked);
    let object = asked.path.clone();
    let trap = match trap {
        Some(Trap { moment, caught }) if moment.is_before() => {
            _ = caught.send(Stopped { process, object });
            return hang(broken).await;
        }
        other => other,
    };
    let Ok(upstream) = forward(ways, &parts, &asked).await else { return Err(broken()) };
    ways.watch_for_trespass(process, &asked, upstream.status().as_u16());
    if let Some(Trap { caught, .. }) = trap {
        _ = caught.send(Stopped { process, object });
        return hang(broken).await;
    }
    if asked.is_write() && !asked.path.contains("/leases") && ways.draws(spoiling.lost_answers) {
        ways.lost_answers.fetch_add(1, Ordering::SeqCst);
        return Err(broken());
    }
    Ok(answer(ways, upstream, asked.is_watch()))
}

/// Until the process at the other end is killed.
async fn hang(broken: impl FnOnce() -> io::Error) -> Answer {
    sleep(Duration::from_secs(30)).await;
    Err(broken())
}

async fn forward(ways: &Ways, parts: &hyper::http::request::Parts, asked: &Asked) -> reqwest::Result<reqwest::Response> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = ways.client.request(asked.method.clone(), format!("{}{path}", ways.upstream)).body(asked.body.clone());
    for (name, value) in &parts.headers {
        if !["host", "connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            request = request.header(name, value);
        }
    }
    request.send().await
}

fn answer(ways: &Arc<Ways>, upstream: reqwest::Response, is_watch: bool) -> Response<Body> {
    let (sender, body) = Channel::<Bytes, io::Error>::new(16);
    let mut response = Response::new(body.boxed());
    *response.status_mut() = upstream.status();
    for (name, value) in upstream.headers() {
        if !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            response.headers_mut().append(name, value.clone());
        }
    }
    tokio::spawn(copy(Arc::clone(ways), upstream, sender, is_watch));
    response
}

async fn copy(ways: Arc<Ways>, mut upstream: reqwest::Response, mut sender: Sender<Bytes, io::Error>, is_watch: bool) {
    let mut drops = ways.drop_watches.subscribe();
    loop {
        tokio::select! {
            chunk = upstream.chunk() => match chunk {
                Ok(Some(chunk)) => if sender.send_data(chunk).await.is_err() {
                    return;
                },
                Ok(None) => return,
                Err(_) => return sender.abort(io::ErrorKind::ConnectionReset.into()),
            },
            _ = drops.changed(), if is_watch => {
                ways.watches_dropped.fetch_add(1, Ordering::SeqCst);
                return sender.abort(io::ErrorKind::ConnectionReset.into());
            }
        }
    }
}

fn status_object(code: u16, reason: &str, message: &str) -> Response<Body> {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code});
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = code.try_into().unwrap();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}
