//! `tokensource run`.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures::FutureExt as _;
use kube::Config;
use kube::client::ClientBuilder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tower::limit::ConcurrencyLimitLayer;

use super::cluster;
use super::reach::ReachArgs;
use crate::controller::audiences::Audiences;
use crate::controller::egress::EgressPolicy;
use crate::controller::lease::Election;
use crate::controller::{self, Clients, Limits, Settings};
use crate::observability::metrics::Metrics;
use crate::observability::server::{Readiness, listen, serve};
use crate::observability::tracing::{LogFormat, start};
use crate::token_source::leadership::Terms;

/// Requests to the API server under way; watches count until they begin.
const API_REQUESTS_AT_A_TIME: usize = 32;
/// How long a scrape under way may hold up the end.
const LAST_SCRAPE: Duration = Duration::from_secs(1);

/// How the operator runs. Every flag can also be given as an environment variable.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Watch this namespace only; may be repeated. Without it: all namespaces.
    #[arg(long = "namespace", env = "TOKENSOURCE_NAMESPACE", value_delimiter = ',', value_name = "NAME")]
    namespaces: Vec<String>,

    /// Watch only sources with these labels, as in `kubectl get -l`.
    #[arg(long, env = "TOKENSOURCE_LABEL_SELECTOR", value_name = "SELECTOR")]
    label_selector: Option<String>,

    /// How many sources are looked at at the same time.
    #[arg(long, env = "TOKENSOURCE_CONCURRENCY", default_value_t = 256, value_name = "N")]
    concurrency: u16,

    /// Elect a leader: of several replicas one looks after the sources, the others stand by.
    #[arg(long, env = "TOKENSOURCE_LEADER_ELECT")]
    leader_elect: bool,

    /// The Lease in the operator's own namespace by which the leader is elected.
    #[arg(long, env = "TOKENSOURCE_LEASE_NAME", default_value = "tokensource", value_name = "NAME")]
    lease_name: String,

    /// How long the Lease lasts. For tests: 15 seconds are what all replicas agree on.
    #[arg(long, env = "TOKENSOURCE_LEASE_DURATION", value_parser = super::duration, value_name = "DURATION", hide = true)]
    lease_duration: Option<Duration>,

    /// Where metrics (/metrics) and health (/livez, /readyz) are served; port 0: a free one, which is logged.
    #[arg(long, env = "TOKENSOURCE_METRICS_ADDR", default_value = "0.0.0.0:8080", value_name = "ADDRESS:PORT")]
    metrics_addr: SocketAddr,

    /// The form of the logs on standard error.
    #[arg(long, env = "TOKENSOURCE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    #[command(flatten)]
    reach: ReachArgs,

    /// So many token requests at a time go to one endpoint.
    #[arg(long, env = "TOKENSOURCE_ENDPOINT_CONCURRENCY", default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    endpoint_concurrency: u16,

    /// So many token requests a second go to one endpoint (15 at most to an SAP Identity Authentication tenant).
    #[arg(long, env = "TOKENSOURCE_ENDPOINT_RATE", default_value = "50", value_name = "N", value_parser = rate)]
    endpoint_rate: f64,

    /// Never two automatic token requests of one TokenSource within so many seconds (or 10s, 1m).
    #[arg(long, env = "TOKENSOURCE_MIN_REFRESH_INTERVAL", default_value = "10s", value_parser = super::duration, value_name = "DURATION")]
    min_refresh_interval: Duration,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "must be a number, such as 50 or 0.5".to_owned())?;
    if (0.1..=1_000_000.0).contains(&rate) { Ok(rate) } else { Err("must be 0.1 to 1000000".to_owned()) }
}

pub(super) async fn run(args: RunArgs) -> ExitCode {
    let traces = start(args.log_format);
    let code = match operate(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", controller::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    };
    traces.end().await;
    code
}

fn settings(args: RunArgs, origin: String, api_server: &[IpAddr]) -> Settings {
    let terms = args.lease_duration.map(Terms::of).unwrap_or_default();
    Settings {
        namespaces: args.namespaces,
        label_selector: args.label_selector,
        concurrency: args.concurrency,
        audiences: Audiences { trusted: args.reach.trusted_assertion_audiences.clone(), api_server: vec![origin] },
        endpoint_limits: Limits { concurrency: args.endpoint_concurrency.into(), rate: args.endpoint_rate },
        egress: EgressPolicy::new(&args.reach.denied, &args.reach.allowed, api_server),
        hosts: args.reach.hosts(),
        allow_http: args.reach.allow_http,
        min_refresh_interval: args.min_refresh_interval,
        election: args.leader_elect.then_some(Election { lease_name: args.lease_name, terms }),
    }
}

async fn operate(args: RunArgs) -> Result<(), Box<dyn std::error::Error>> {
    let config = cluster::identified(Config::infer().await?);
    let origin = url::Url::parse(&config.cluster_url.to_string()).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let api_server = addresses(&config.cluster_url).await;
    let metrics_addr = args.metrics_addr;
    let settings = settings(args, origin, &api_server);
    let (metrics, readiness) = (Arc::<Metrics>::default(), Readiness::default());
    let clients = clients(&config, &metrics)?;
    let version = clients.lease_client.apiserver_version().await?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), kubernetes = version.git_version, "tokensource starts");
    let listener = listen(metrics_addr).await.map_err(|error| format!("--metrics-addr {metrics_addr}: {error}"))?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! { _ = terminated.recv() => {}, _ = interrupted.recv() => {} }
        tracing::info!("finishing what is under way, then stopping");
    };
    let (ended, end) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, Arc::clone(&metrics), readiness.clone(), async { _ = end.await }));
    let result = controller::run(clients, settings, metrics, readiness, shutdown.boxed()).await;
    // Until here a probe is answered and the last metrics can be read.
    _ = ended.send(());
    _ = timeout(LAST_SCRAPE, served).await;
    Ok(result?)
}

/// More requests at a time would not be answered sooner, and each needs a connection of its own.
fn clients(config: &Config, metrics: &Metrics) -> Result<Clients, kube::Error> {
    let builder = || Ok::<_, kube::Error>(ClientBuilder::try_from(config.clone())?.with_layer(metrics.kubernetes_requests()));
    let limit = ConcurrencyLimitLayer::new(API_REQUESTS_AT_A_TIME);
    Ok(Clients { client: builder()?.with_layer(&limit).build(), lease_client: builder()?.build() })
}

/// The API server's addresses, to which no token request goes.
async fn addresses(url: &http::Uri) -> Vec<IpAddr> {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let resolved =
        tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()));
    resolved.await.ok().and_then(Result::ok).unwrap_or_default()
}
