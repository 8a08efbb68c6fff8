//! Metrics and health over HTTP.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures::stream;
use tokio::net::TcpListener;

use super::metrics::Metrics;
use super::metrics::exposition::Format;

/// Whether the process can do its work: `/readyz` says so.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// It can.
    pub fn ready(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn status(&self) -> StatusCode {
        if self.0.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }
}

/// Listens at an address; the port 0 takes a free one, which is logged.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "metrics and health are served");
    Ok(listener)
}

/// Serves `/metrics`, `/livez` and `/readyz` until `shutdown`.
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let text = move |headers: HeaderMap| async move {
        let format = Format::preferred(&headers);
        let pieces = stream::iter(metrics.write(format).into_iter().map(Ok::<_, Infallible>));
        ([(header::CONTENT_TYPE, format.content_type())], Body::from_stream(pieces)).into_response()
    };
    let router = Router::new()
        .route("/metrics", get(text))
        .route("/livez", get(|| async { StatusCode::OK }))
        .route("/readyz", get(move || async move { readiness.status() }));
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(shutdown).await {
        tracing::error!(%error, "metrics and health are no longer served");
    }
}
