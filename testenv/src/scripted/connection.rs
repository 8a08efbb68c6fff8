//! The endpoint's connections.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, Socket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Scripts;
use super::answer::{Answer, answer, no_script};
use super::record::RecordedRequest;

/// Accepts until it is aborted; its connections end with it.
pub(super) async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, scripts: Scripts, accepted_count: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                accepted_count.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(stream, acceptor.clone(), scripts.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connection that a client breaks off is no concern of the endpoint.
async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, scripts: Scripts) {
    let Ok(breaker) = Breaker::of(&stream) else { return };
    match acceptor {
        None => answer_requests(stream, breaker, scripts).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer_requests(stream, breaker, scripts).await;
            }
        }
    }
}

async fn answer_requests(stream: impl AsyncRead + AsyncWrite + Unpin, breaker: Breaker, scripts: Scripts) {
    let service = service_fn(|request| answer_request(request, &breaker, &scripts));
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer_request(request: Request<Incoming>, breaker: &Breaker, scripts: &Scripts) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    let recorded = RecordedRequest::new(&parts, body);
    let name = parts.uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    let Some(step) = scripts.take_step(name, recorded.clone()) else { return Ok(no_script()) };
    let answered = answer(step, &recorded).await;
    if answered.is_err() {
        breaker.close_with_reset();
    }
    answered
}

/// A second handle on a connection's socket: hyper owns the first.
struct Breaker(Mutex<Option<Socket>>);

impl Breaker {
    fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self(Mutex::new(Some(SockRef::from(stream).try_clone()?))))
    }

    /// From now on closing the socket discards what is unsent and sends RST. The option belongs to the socket, not to the
    /// handle; the handle is let go, because only the last one closes the socket.
    fn close_with_reset(&self) {
        if let Some(socket) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}
