//! Token requests over the simulated network: `src/controller/http.rs` without its sockets.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::oauth::request::TokenRequest;
use crate::oauth::response::ResponseBody;
use crate::oauth::transport::TransportFault;
use crate::process::Process;
use crate::world::World;

/// What a connection depends on.
#[derive(Debug, Clone)]
pub struct Connection {
    /// PEM certificates to trust.
    pub ca_bundle: Option<Bytes>,
    /// The client certificate.
    pub identity: Option<Identity>,
    /// The forward proxy.
    pub proxy: Option<String>,
    /// How long connecting may take.
    pub connect_limit: Duration,
}

/// A client certificate.
#[derive(Debug, Clone)]
pub struct Identity;

impl Identity {
    /// Of PEM blocks.
    pub fn new(_: SecretString) -> Self {
        Self
    }
}

/// Why a request brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The egress policy denies the address.
    Denied,
    /// The CA bundle holds no certificate.
    UnusableCaBundle,
    /// No authority is trusted.
    NoTrustAnchors,
    /// The client certificate can't be used.
    UnusableIdentity,
    /// The proxy's URL is none.
    UnusableProxy,
    /// Something on the way failed.
    Fault(TransportFault),
}

/// Sends token requests into the simulated world.
pub struct TokenClient {
    world: Arc<World>,
    process: Arc<Process>,
}

impl TokenClient {
    /// A sender of a process.
    pub fn new(world: Arc<World>, process: Arc<Process>) -> Self {
        Self { world, process }
    }

    /// Sends the request's real bytes. Once sent it can't be called back, whatever becomes of the sender.
    pub async fn send(
        &self,
        request: &TokenRequest,
        connection: Connection,
        read_limit: Duration,
    ) -> Result<http::Response<ResponseBody>, Unanswered> {
        let limit = connection.connect_limit + read_limit;
        let (answer, answered) = oneshot::channel();
        if self.world.send_token_request(&self.process, request.encode(), answer).is_err() {
            // Killed right before.
            pending::<()>().await;
        }
        match timeout(limit, answered).await {
            Ok(Ok(answer)) => answer.map_err(Unanswered::Fault),
            Ok(Err(_)) => Err(Unanswered::Fault(TransportFault::Reset)),
            Err(_) => Err(Unanswered::Fault(TransportFault::Timeout)),
        }
    }
}
