//! Does what was decided: the only place that awaits.
//!
//! Two watches feed it, one of the sources and one of the metadata of Secrets; `reconcile` is its table of contents.

pub mod apply;
mod attempt;
pub mod audiences;
pub mod check;
mod clock_watch;
mod codes;
mod context;
mod dereference;
pub mod egress;
pub mod error;
mod events;
mod exchange;
mod gather;
mod http;
mod identity;
mod journal;
mod key;
mod leadership;
pub mod lease;
mod ledger;
mod listed;
mod look;
mod memory;
pub mod objects;
mod pacing;
mod proofs;
mod random;
mod read_request;
mod recent;
mod reconcile;
mod references;
mod refresh_token;
mod task;
mod trim;
mod turn;
mod waiting;
mod warm_up;
mod watched_secret;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::unbounded;
use futures::future::{self, BoxFuture, FutureExt as _, Shared as SharedFuture};
use futures::stream::{self, StreamExt as _};
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::{Controller, WatchStreamExt as _, controller, reflector, watcher};
use kube::{Api, Client};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use self::audiences::Audiences;
use self::clock_watch::clock_set;
use self::codes::Codes;
use self::context::{Context, Shared, Sources};
use self::egress::EgressPolicy;
use self::events::events;
use self::exchange::Exchange;
use self::http::TokenClient;
use self::journal::Journal;
use self::leadership::Leadership;
use self::lease::Election;
use self::ledger::Attempts;
use self::listed::Listed;
use self::memory::{ReadCredentials, Unwritten};
use self::pacing::Pacing;
use self::proofs::Proofs;
use self::recent::Recent;
use self::references::References;
use self::watched_secret::{SecretMeta, WatchedSecret};
use self::watches::{News, watched_secrets, watched_sources};
use crate::api::TokenSource;
use crate::observability::metrics::Metrics;
use crate::observability::server::Readiness;
use crate::token_source::hosts::HostPolicy;
use crate::token_source::observed::Policy;

pub use self::error::{RunError, chain};
pub use self::pacing::Limits;

/// How the operator runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespaces to watch; none: all.
    pub namespaces: Vec<String>,
    /// Only sources with these labels.
    pub label_selector: Option<String>,
    /// How many sources are looked at at the same time.
    pub concurrency: u16,
    /// What ServiceAccount tokens may be asked for.
    pub audiences: Audiences,
    /// How fast each token endpoint may be asked.
    pub endpoint_limits: Limits,
    /// The addresses that token requests may go to.
    pub egress: EgressPolicy,
    /// The hosts that credentials may be sent to.
    pub hosts: HostPolicy,
    /// Plain http token URLs are accepted.
    pub allow_http: bool,
    /// Never two automatic token requests of one source within this time.
    pub min_refresh_interval: Duration,
    /// How a leader is elected; none: this process is alone.
    pub election: Option<Election>,
}

/// How the API server is reached.
#[derive(Clone)]
pub struct Clients {
    /// For all but the Lease.
    pub client: Client,
    /// For the Lease alone: its renewal waits for nothing else.
    pub lease_client: Client,
}

/// Less than the 30 seconds that Kubernetes gives a pod.
const GRACE: Duration = Duration::from_secs(20);

/// How long the last Events may hold up the end.
const LAST_EVENTS: Duration = Duration::from_millis(500);

/// Secrets that nobody names as credentials or target, and that clusters hold by the thousand.
const SECRET_FIELDS: &str = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token";

/// Runs until `shutdown`; token requests under way then are finished and written. With an election it first waits to lead.
pub async fn run(
    clients: Clients,
    settings: Settings,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    shutdown: BoxFuture<'static, ()>,
) -> Result<(), RunError> {
    let shutdown = shutdown.shared();
    let Clients { client, lease_client } = clients;
    let work = |leadership| look_after(client.clone(), &settings, Arc::clone(&metrics), &readiness, shutdown.clone(), leadership);
    let Some(election) = &settings.election else {
        metrics.leads(true);
        return work(Leadership::for_good()).await;
    };
    lease::lead(&lease_client, election, &metrics, &readiness, shutdown.clone(), work).await
}

/// Looks after the sources. All that is known of them is read here, so that a new leader begins like a new process.
async fn look_after(
    client: Client,
    settings: &Settings,
    metrics: Arc<Metrics>,
    readiness: &Readiness,
    shutdown: SharedFuture<BoxFuture<'static, ()>>,
    leadership: Leadership,
) -> Result<(), RunError> {
    let namespaces: Vec<Option<&str>> =
        if settings.namespaces.is_empty() { vec![None] } else { settings.namespaces.iter().map(|name| Some(name.as_str())).collect() };
    let (scopes, writers): (Vec<Sources>, Vec<Writer<TokenSource>>) = namespaces.iter().map(|_| sources()).unzip();
    metrics.watch(scopes.iter().map(|sources| sources.store.clone()).collect());
    let (events, unpublished) = events();
    let shared = Arc::new(Shared {
        exchange: Exchange {
            leadership: leadership.clone(),
            tokens: TokenClient::new(settings.egress.clone()),
            attempts: Attempts::new(Some(Journal::new(&client, leadership.clone()))),
            codes: Codes::default(),
            proofs: Proofs::default(),
            metrics: Arc::clone(&metrics),
        },
        metrics,
        events,
        key: key::load_or_create(&client).await?,
        policy: Policy { allow_http: settings.allow_http, min_refresh_interval: settings.min_refresh_interval },
        hosts: settings.hosts.clone(),
        audiences: settings.audiences.clone(),
        pacing: Pacing::new(settings.endpoint_limits),
        scopes,
        warmed_up: OnceCell::new(),
        leadership,
        client,
    });
    let mut publishing = tokio::spawn(unpublished.publish(shared.client.clone(), shared.leadership.clone()));
    recall(&shared).await?;
    readiness.ready();
    let scopes = namespaces.into_iter().zip(&shared.scopes).zip(writers);
    let runs = scopes.map(|((namespace, sources), writer)| run_scope(&shared, settings, namespace, sources, writer, shutdown.clone()));
    tokio::select! {
        _ = future::join_all(runs) => {}
        () = overdue(shutdown.clone()) => tracing::warn!("what is under way does not end: stopping all the same"),
    }
    if let Err(error) = shared.exchange.attempts.record().await {
        tracing::warn!(error = %chain(&error), "the lock-out ledger could not be written");
    }
    drop(shared);
    // The last Events; what does not get out in time is told by conditions.
    if timeout(LAST_EVENTS, &mut publishing).await.is_err() {
        publishing.abort();
    }
    Ok(())
}

/// Reads the lock-out ledger that other processes left, and writes it: without that no new credentials could be sent.
async fn recall(shared: &Shared) -> Result<(), RunError> {
    let failed = |source| RunError::Ledger { namespace: shared.client.default_namespace().to_owned(), source };
    shared.exchange.attempts.recall().await.map_err(failed)?;
    shared.exchange.attempts.record().await.map_err(failed)
}

/// Ends when what is under way has had its time after the shutdown: a look that hangs must not hold the process.
async fn overdue(shutdown: SharedFuture<BoxFuture<'static, ()>>) {
    shutdown.await;
    tokio::time::sleep(GRACE).await;
}

fn sources() -> (Sources, Writer<TokenSource>) {
    let (store, writer) = reflector::store();
    (Sources { store, listed: Listed::default() }, writer)
}

/// Runs the controller of one namespace, or of all.
async fn run_scope(
    shared: &Arc<Shared>,
    settings: &Settings,
    namespace: Option<&str>,
    sources: &Sources,
    source_writer: Writer<TokenSource>,
    shutdown: SharedFuture<BoxFuture<'static, ()>>,
) {
    let (secrets, secret_writer) = reflector::store::<WatchedSecret>();
    let references = Arc::new(References::default());
    let (calls, called) = unbounded();
    let context = Arc::new(Context {
        shared: Arc::clone(shared),
        calls,
        secrets,
        secrets_listed: Listed::default(),
        recent_sources: Recent::default(),
        recent_secrets: Recent::default(),
        read_credentials: ReadCredentials::default(),
        unwritten: Unwritten::default(),
    });
    let (listed_again, lists) = unbounded();
    let mut news = News::default();
    let source_events = watcher(api(shared, namespace), source_selection(settings))
        .modify(trim::source)
        .default_backoff()
        .reflect(source_writer)
        .inspect(watched_sources(&context, &references, &sources.listed))
        .filter_map(move |event| future::ready(event.map(|event| news.of(event)).transpose()));
    let secrets_watched = watcher(api::<SecretMeta>(shared, namespace), watcher::Config::default().fields(SECRET_FIELDS))
        .default_backoff()
        .map(|event| event.map(watched_secret::kept));
    let concerned = reflector(secret_writer, secrets_watched)
        .inspect(watched_secrets(&context, listed_again))
        .touched_objects()
        .flat_map(move |secret| stream::iter(secret.map(|WatchedSecret(secret)| references.sources_of(&secret)).unwrap_or_default()));
    Controller::for_stream(source_events, sources.store.clone())
        .with_config(controller::Config::default().concurrency(settings.concurrency))
        .reconcile_on(stream::select(called, concerned))
        .reconcile_all_on(stream::select(lists, clock_set()))
        .graceful_shutdown_on(shutdown)
        .run(look::look, reconcile::error_policy, context)
        .for_each(|result| async move { tell_trouble(result) })
        .await;
}

type Reconciled = Result<(ObjectRef<TokenSource>, controller::Action), controller::Error<error::Error, watcher::Error>>;

/// A reconcile that failed has told so itself, within its span.
fn tell_trouble(result: Reconciled) {
    match result {
        Err(controller::Error::ReconcilerFailed(..) | controller::Error::ObjectNotFound(_)) | Ok(_) => {}
        Err(error) => tracing::debug!(%error, "watch or queue failed"),
    }
}

fn api<K>(shared: &Shared, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    namespace.map_or_else(|| Api::all(shared.client.clone()), |namespace| Api::namespaced(shared.client.clone(), namespace))
}

fn source_selection(settings: &Settings) -> watcher::Config {
    watcher::Config { label_selector: settings.label_selector.clone(), ..watcher::Config::default() }
}
