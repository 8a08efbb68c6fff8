//! The only place that opens a connection to a token endpoint.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect;
use reqwest::tls::Certificate;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use url::Url;

use super::egress::{Denied, EgressPolicy, JudgedResolver};
use crate::oauth::request::TokenRequest;
use crate::oauth::response::ResponseBody;
use crate::oauth::transport::TransportFault;

/// No token answer is longer; reading stops there.
const BODY_MAX: usize = 1024 * 1024;
/// Connections that nobody used for so long are closed. Longer than the time between two renewals of short-lived tokens.
const IDLE: Duration = Duration::from_secs(90);
/// So many kinds of connection are kept; CA bundles that were replaced would else pile up.
const CLIENTS_MAX: usize = 256;

/// What a connection depends on: sources that agree on it share their connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// PEM certificates to trust instead of the system's.
    pub ca_bundle: Option<Bytes>,
    /// The client certificate to show.
    pub identity: Option<Identity>,
    /// The forward proxy to go through.
    pub proxy: Option<String>,
    /// How long connecting may take.
    pub connect_limit: Duration,
}

/// A client certificate with its key. Told apart, and printed, by its fingerprint.
#[derive(Clone)]
pub struct Identity {
    pem: SecretString,
    fingerprint: Vec<u8>,
}

impl Identity {
    /// Of PEM blocks: certificates, then the key.
    pub fn new(pem: SecretString) -> Self {
        let fingerprint = digest(&SHA256, pem.expose_secret().as_bytes()).as_ref().to_vec();
        Self { pem, fingerprint }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Identity")
    }
}

/// Sends token requests, over one client for each kind of connection.
pub struct TokenClient {
    policy: Arc<EgressPolicy>,
    clients: Mutex<HashMap<Connection, reqwest::Client>>,
}

/// Why a request brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The egress policy denies the address.
    Denied,
    /// The CA bundle holds no usable PEM certificate.
    UnusableCaBundle,
    /// There is no CA bundle, and the system trusts no authority.
    NoTrustAnchors,
    /// The client certificate is none that TLS can use.
    UnusableIdentity,
    /// The proxy's URL is none.
    UnusableProxy,
    /// Something on the way failed.
    Fault(TransportFault),
}

impl TokenClient {
    /// A sender that opens connections only where the policy permits.
    pub fn new(policy: EgressPolicy) -> Self {
        Self { policy: Arc::new(policy), clients: Mutex::default() }
    }

    /// Sends the request and reads the answer, up to a mebibyte. Redirects are not followed.
    pub async fn send(
        &self,
        request: &TokenRequest,
        connection: Connection,
        read_limit: Duration,
    ) -> Result<http::Response<ResponseBody>, Unanswered> {
        self.judge(request.endpoint.url(), connection.proxy.as_deref()).await.map_err(|Denied| Unanswered::Denied)?;
        let limit = connection.connect_limit + read_limit;
        let client = self.client(connection)?;
        let request = request.encode().map(|body| reqwest::Body::from(body.expose_secret().to_owned()));
        let request = reqwest::Request::try_from(request).map_err(|error| unanswered(&error))?;
        let response = match timeout(limit, client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(unanswered(&error)),
            Err(_) => return Err(Unanswered::Fault(TransportFault::Timeout)),
        };
        let mut answer = http::Response::new(ResponseBody::TooLarge);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = match timeout(read_limit, read(response)).await {
            Ok(body) => body.map_err(|error| unanswered(&error))?,
            Err(_) => return Err(Unanswered::Fault(TransportFault::Timeout)),
        };
        Ok(answer)
    }

    /// Judges what no resolver of ours will: hosts that are addresses, and a name that a proxy resolves.
    async fn judge(&self, endpoint: &Url, proxy: Option<&str>) -> Result<(), Denied> {
        let proxy = proxy.and_then(|proxy| Url::parse(proxy).ok());
        for url in [Some(endpoint), proxy.as_ref()].into_iter().flatten() {
            if let Some(host) = url.host() {
                self.policy.check_literal(&host)?;
            }
        }
        match (proxy, endpoint.host_str()) {
            (Some(_), Some(name)) => self.policy.check_name(name).await,
            (Some(_) | None, _) => Ok(()),
        }
    }

    fn client(&self, connection: Connection) -> Result<reqwest::Client, Unanswered> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&connection) {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .dns_resolver(Arc::new(JudgedResolver(Arc::clone(&self.policy))))
            .connect_timeout(connection.connect_limit)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("tokensource/", env!("CARGO_PKG_VERSION")));
        if let Some(bundle) = &connection.ca_bundle {
            let certificates = Certificate::from_pem_bundle(bundle).ok().filter(|certificates| !certificates.is_empty());
            builder = builder.tls_certs_only(certificates.ok_or(Unanswered::UnusableCaBundle)?);
        }
        if let Some(Identity { pem, .. }) = &connection.identity {
            let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes()).map_err(|_| Unanswered::UnusableIdentity)?;
            builder = builder.identity(identity);
        }
        if let Some(proxy) = &connection.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| Unanswered::UnusableProxy)?);
        }
        // Nothing else is read as late as this.
        let unusable = if connection.ca_bundle.is_some() { Unanswered::UnusableCaBundle } else { Unanswered::NoTrustAnchors };
        let client = builder.build().map_err(|_| unusable)?;
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(connection, client.clone());
        Ok(client)
    }
}

/// Reads the body, up to the limit. What lies beyond is never asked for.
async fn read(mut response: reqwest::Response) -> Result<ResponseBody, reqwest::Error> {
    if response.content_length().is_some_and(|length| length > BODY_MAX as u64) {
        return Ok(ResponseBody::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > BODY_MAX {
            return Ok(ResponseBody::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(ResponseBody::Whole(body.freeze()))
}

/// Tells the policy's own refusal from faults, by the chain of causes. Its text is read and never shown: it can hold
/// the URL.
fn unanswered(error: &reqwest::Error) -> Unanswered {
    let mut chain = String::new();
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        if cause.is::<Denied>() {
            return Unanswered::Denied;
        }
        chain.push_str(&cause.to_string());
        chain.push('\n');
        next = cause.source();
    }
    if error.is_timeout() { Unanswered::Fault(TransportFault::Timeout) } else { Unanswered::Fault(TransportFault::recognise(&chain)) }
}
