//! A token endpoint that answers by a script: for the faults that no real server commits on request.

mod answer;
mod connection;
mod presets;
mod record;
mod step;
mod tls;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use record::RecordedRequest;
pub use step::Step;
pub use tls::TLS_NAMES;

use crate::error::Error;
use tls::Identity;

/// An HTTP server on loopback. Each path `/<name>` (and what follows it, such as `/<name>/oauth/token`) has a script of its
/// own, so that one endpoint serves many tests; a path without a script answers 404. It runs in the runtime that started it,
/// and stops when dropped.
///
/// ```no_run
/// # async fn example() -> Result<(), testenv::Error> {
/// use testenv::{ScriptedEndpoint, Step};
///
/// let endpoint = ScriptedEndpoint::start().await?;
/// endpoint.script("flaky", vec![Step::Status(503), Step::Token { expires_in: 60 }]);
/// let token_url = endpoint.url("flaky");
/// // … let the operator at it …
/// assert_eq!(endpoint.count("flaky"), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ScriptedEndpoint {
    address: SocketAddr,
    scripts: Scripts,
    connections: Arc<AtomicUsize>,
    ca_pem: Option<String>,
    server: JoinHandle<()>,
}

impl ScriptedEndpoint {
    /// Plain http on a free port.
    pub async fn start() -> Result<Self, Error> {
        Self::listen(0, None).await
    }

    /// Plain http on `port`; 0 for a free one.
    pub async fn start_on(port: u16) -> Result<Self, Error> {
        Self::listen(port, None).await
    }

    /// https on a free port, with a certificate for [`TLS_NAMES`] of a CA of its own: [`Self::ca_pem`].
    pub async fn start_tls() -> Result<Self, Error> {
        Self::start_tls_for(&TLS_NAMES).await
    }

    /// https with a certificate for `names` (DNS names or IPv4 addresses): for a test with the wrong ones.
    pub async fn start_tls_for(names: &[&str]) -> Result<Self, Error> {
        Self::listen(0, Some(Identity::create(names)?)).await
    }

    async fn listen(port: u16, identity: Option<Identity>) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(Error::Port)?;
        let address = listener.local_addr().map_err(Error::Port)?;
        let scripts = Scripts::default();
        let (acceptor, ca_pem) = identity.map(|identity| (identity.acceptor, identity.ca_pem)).unzip();
        let connections = Arc::default();
        let server = tokio::spawn(connection::accept(listener, acceptor, scripts.clone(), Arc::clone(&connections)));
        Ok(Self { address, scripts, connections, ca_pem, server })
    }

    /// The URL of `/<name>`.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base_url())
    }

    /// The URL without a path, and without a slash at the end.
    pub fn base_url(&self) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The CA to trust, as PEM; none without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Sets what `/<name>` answers from now on: one step a request, the last one again and again. What was recorded stays.
    pub fn script(&self, name: &str, steps: Vec<Step>) {
        self.scripts.set(name, steps);
    }

    /// Scripts with telling names, for people: `token`, `flaky`, `slow`, …
    pub fn script_presets(&self) -> Vec<(&'static str, &'static str)> {
        presets::all()
            .into_iter()
            .map(|preset| {
                self.script(preset.name, preset.steps);
                (preset.name, preset.meaning)
            })
            .collect()
    }

    /// The requests to `/<name>` so far, oldest first. One is recorded when it has arrived as a whole, before it is answered.
    pub fn requests(&self, name: &str) -> Vec<RecordedRequest> {
        self.scripts.locked().get(name).map(|script| script.requests.clone()).unwrap_or_default()
    }

    /// How many requests came to `/<name>` so far.
    pub fn count(&self, name: &str) -> usize {
        self.scripts.locked().get(name).map_or(0, |script| script.requests.len())
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until at least `count` requests came to `/<name>`; false if they did not within `limit`.
    pub async fn wait_for(&self, name: &str, count: usize, limit: Duration) -> bool {
        let begun = Instant::now();
        while self.count(name) < count {
            if begun.elapsed() > limit {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }
}

impl Drop for ScriptedEndpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What is left of a script, and what came in.
#[derive(Debug, Default)]
struct Script {
    steps: VecDeque<Step>,
    requests: Vec<RecordedRequest>,
}

/// All scripts, by name; shared with the connections.
#[derive(Clone, Debug, Default)]
struct Scripts(Arc<Mutex<HashMap<String, Script>>>);

impl Scripts {
    /// A test that panicked while it looked does not spoil the others.
    fn locked(&self) -> MutexGuard<'_, HashMap<String, Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, name: &str, steps: Vec<Step>) {
        self.locked().entry(name.to_owned()).or_default().steps = steps.into();
    }

    /// Records the request, and takes the step that answers it.
    fn take_step(&self, name: &str, request: RecordedRequest) -> Option<Step> {
        let mut scripts = self.locked();
        let script = scripts.entry(name.to_owned()).or_default();
        script.requests.push(request);
        if script.steps.len() > 1 { script.steps.pop_front() } else { script.steps.front().cloned() }
    }
}

/// The endpoint breaks the connection on purpose.
fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

#[cfg(test)]
mod tests;
