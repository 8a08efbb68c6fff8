//! A proxy for each process of the operator: passes everything on to the API server, or spoils it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::connection::{Breakable, Reset};
use crate::way::{Asked, Stopped, Trap, Ways};

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
    let spoiling = ways.spoiled();
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
