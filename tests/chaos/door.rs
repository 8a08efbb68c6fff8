//! A token endpoint of the authorization server: a port that can be closed, and answers that can be spoiled.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::authorization_server::{Asked, AuthorizationServer};
use crate::connection::{Breakable, Reset};
use crate::visits::Visits;

/// What is wrong with a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// Nothing listens.
    Down,
    /// Each answer takes 3 seconds.
    Slow,
    /// No answer before the operator's own time-out.
    Silent,
    /// The connection is reset instead of an answer, and the request is not judged.
    Reset,
    /// The request is judged, and the connection is reset instead of the answer.
    LostAnswer,
    /// Answers that are none: bytes, half a token, a gateway's page.
    Garbage,
    /// 429 without `Retry-After`.
    Storm,
    /// 429 with this `Retry-After` in seconds.
    StormUntil(u64),
}

/// Longer than the operator's read time-out of 10 seconds.
const SILENCE: Duration = Duration::from_secs(14);
const SLOWNESS: Duration = Duration::from_secs(3);

pub struct Door {
    /// The host by which the specs name it.
    pub host: String,
    pub port: u16,
    trouble: watch::Sender<Trouble>,
    hits: Arc<AtomicU64>,
}

impl Door {
    /// Opens it. Without `keeps_alive` each request needs a connection, so each needs the host's name resolved.
    pub async fn open(number: usize, host: &str, keeps_alive: bool, server: &AuthorizationServer, visits: &Visits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (trouble, troubled) = watch::channel(Trouble::None);
        let hits = Arc::<AtomicU64>::default();
        let (server, visits) = (server.clone(), visits.clone());
        let desk = Desk { number, keeps_alive, server, visits, trouble: troubled, hits: Arc::clone(&hits) };
        tokio::spawn(listen(listener, port, desk));
        Self { host: host.to_owned(), port, trouble, hits }
    }

    pub fn url(&self) -> String {
        format!("http://{}:{}/oauth/token", self.host, self.port)
    }

    pub fn set(&self, trouble: Trouble) {
        self.trouble.send_replace(trouble);
    }

    /// How many requests have met a trouble.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
struct Desk {
    number: usize,
    keeps_alive: bool,
    server: AuthorizationServer,
    visits: Visits,
    trouble: watch::Receiver<Trouble>,
    hits: Arc<AtomicU64>,
}

async fn listen(first: TcpListener, port: u16, desk: Desk) {
    let mut first = Some(first);
    loop {
        let bound = match first.take() {
            Some(listener) => Ok(listener),
            None => TcpListener::bind(("127.0.0.1", port)).await,
        };
        let Ok(listener) = bound else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut connections = JoinSet::new();
        let mut trouble = desk.trouble.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, desk.clone()));
                },
                Some(_) = connections.join_next() => {}
                down = trouble.wait_for(|trouble| *trouble == Trouble::Down) => {
                    if down.is_err() {
                        return;
                    }
                    break;
                }
            }
        }
        // Listener and connections are gone before the wait.
        drop((listener, connections));
        if trouble.wait_for(|trouble| *trouble != Trouble::Down).await.is_err() {
            return;
        }
    }
}

async fn serve(stream: TcpStream, desk: Desk) {
    let reset = Reset::default();
    let stream = Breakable::new(stream, reset.clone());
    let keeps_alive = desk.keeps_alive;
    let service = service_fn(|request| answer(request, &desk, &reset));
    _ = http1::Builder::new().keep_alive(keeps_alive).serve_connection(TokioIo::new(stream), service).await;
}

type Answer = Result<Response<Full<Bytes>>, io::Error>;

async fn answer(request: Request<Incoming>, desk: &Desk, reset: &Reset) -> Answer {
    let asked = read(request, desk.number).await?;
    let _stay = desk.visits.enter(&asked.client);
    let trouble = *desk.trouble.borrow();
    if trouble != Trouble::None {
        desk.hits.fetch_add(1, Ordering::SeqCst);
    }
    sleep(desk.server.held(&asked.source)).await;
    match trouble {
        Trouble::None | Trouble::Down => {}
        Trouble::Slow => sleep(SLOWNESS).await,
        Trouble::Silent => {
            desk.server.missed(&asked);
            sleep(SILENCE).await;
            return Err(broken(reset));
        }
        Trouble::Reset => {
            desk.server.missed(&asked);
            return Err(broken(reset));
        }
        Trouble::LostAnswer => {
            desk.server.judge(&asked, false);
            return Err(broken(reset));
        }
        Trouble::Garbage => {
            desk.server.missed(&asked);
            return Ok(garbage(desk.hits.load(Ordering::SeqCst)));
        }
        Trouble::Storm => {
            desk.server.missed(&asked);
            return Ok(response(429, "", ""));
        }
        Trouble::StormUntil(seconds) => {
            desk.server.missed(&asked);
            let mut answer = response(429, "", "");
            answer.headers_mut().insert("retry-after", seconds.into());
            return Ok(answer);
        }
    }
    let (status, body) = desk.server.judge(&asked, true);
    Ok(response(status, "application/json", body.to_string()))
}

fn broken(reset: &Reset) -> io::Error {
    reset.set();
    io::ErrorKind::ConnectionReset.into()
}

fn garbage(turn: u64) -> Response<Full<Bytes>> {
    match turn % 4 {
        0 => response(200, "application/json", &b"\x1f\x8b\xff\xfe{\"access_token\": oops"[..]),
        1 => response(200, "application/json", "{\"access_token\":\"half-a-to"),
        2 => response(200, "application/json", "{}"),
        _ => response(502, "text/html", "<html><title>502 Bad Gateway</title><h1>Bad Gateway</h1></html>"),
    }
}

fn response(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status.try_into().unwrap();
    if !content_type.is_empty() {
        response.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    response
}

async fn read(request: Request<Incoming>, door: usize) -> io::Result<Asked> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let basic = header("authorization");
    let basic =
        basic.strip_prefix("Basic ").and_then(|pair| BASE64_STANDARD.decode(pair).ok()).and_then(|pair| String::from_utf8(pair).ok());
    let (client, secret) = basic.as_deref().and_then(|pair| pair.split_once(':')).map_or_else(
        || (form.get("client_id").cloned().unwrap_or_default(), form.get("client_secret").cloned().unwrap_or_default()),
        |(client, secret)| (client.to_owned(), secret.to_owned()),
    );
    Ok(Asked { door, source: header("x-source"), client, secret, form })
}
