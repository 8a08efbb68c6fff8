//! A process of the operator from its start: mirrors `run`, `look_after`, `recall` and `run_scope` of `src/controller/mod.rs`, and
//! the queue of kube's `Controller` (`applier` and `scheduler` of kube-runtime 5): each source at most once at a time, a wish
//! for a look is kept at its earliest time, one that comes during a look is heard after it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{pending, poll_fn, ready};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::BoxFuture;
use kube::ResourceExt as _;
use kube::runtime::reflector::{self, ObjectRef, Store};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::{Instant, sleep_until};

use super::audiences::Audiences;
use super::clock_watch::clock_set;
use super::codes::Codes;
use super::context::{Context, Shared, Sources};
use super::error::{Error, RunError};
use super::events::events;
use super::exchange::Exchange;
use super::http::TokenClient;
use super::journal::Journal;
use super::leadership::Leadership;
use super::lease::{self, Election};
use super::ledger::Attempts;
use super::listed::Listed;
use super::memory::{ReadCredentials, Unwritten};
use super::pacing::{Limits, Pacing};
use super::proofs::Proofs;
use super::recent::Recent;
use super::reconcile::{look_at, retry_after};
use super::references::References;
use super::{key, watching};
use crate::api::TokenSource;
use crate::clock;
use crate::observability::metrics::Metrics;
use crate::observability::server::Readiness;
use crate::process::Process;
use crate::token_source::hosts::HostPolicy;
use crate::token_source::observed::Policy;
use crate::world::{APPS, OPERATOR, World};

thread_local! {
    // What is counted is not judged here, and making the families anew for each process takes longer than a simulated hour.
    static METRICS: Arc<Metrics> = Arc::new(Metrics::default());
}

/// The defaults of the command line.
const LIMITS: Limits = Limits { concurrency: 20, rate: 50.0 };
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// The looks that are under way, by source.
type Looks = BTreeMap<String, BoxFuture<'static, Result<Option<Duration>, Error>>>;

/// Runs until it loses the Lease, or can't start.
pub async fn run(world: Arc<World>, process: Arc<Process>, election: Option<Election>) -> Result<(), RunError> {
    let client = world.client(&process, OPERATOR);
    let metrics = METRICS.with(Arc::clone);
    let Some(election) = election else {
        return look_after(&world, &process, client, metrics, Leadership::for_good()).await;
    };
    let work = |leadership| look_after(&world, &process, client.clone(), Arc::clone(&metrics), leadership);
    lease::lead(&client, &election, &metrics, &Readiness::default(), pending(), work).await
}

async fn look_after(
    world: &Arc<World>,
    process: &Arc<Process>,
    client: kube::Client,
    metrics: Arc<Metrics>,
    leadership: Leadership,
) -> Result<(), RunError> {
    world.leads(process);
    let (store, writer) = reflector::store::<TokenSource>();
    let (events, unpublished) = events();
    process.spawn(unpublished.publish(client.clone(), leadership.clone()));
    let shared = Arc::new(Shared {
        exchange: Exchange {
            leadership: leadership.clone(),
            tokens: TokenClient::new(Arc::clone(world), Arc::clone(process)),
            attempts: Attempts::new(Some(Journal::new(&client, leadership.clone()))),
            codes: Codes::default(),
            proofs: Proofs::default(),
            metrics: Arc::clone(&metrics),
        },
        metrics,
        events,
        key: key::load_or_create(&client).await?,
        policy: Policy { allow_http: false, min_refresh_interval: MIN_REFRESH_INTERVAL },
        hosts: HostPolicy::default(),
        audiences: Audiences::default(),
        pacing: Pacing::new(LIMITS),
        scopes: vec![Sources { store, listed: Listed::default() }],
        warmed_up: OnceCell::new(),
        leadership,
        client,
    });
    recall(&shared).await?;
    let references = Arc::new(References::default());
    let (secrets, secret_writer) = reflector::store();
    let (calls, called) = unbounded();
    let context = Arc::new(Context {
        shared: Arc::clone(&shared),
        calls,
        secrets,
        secrets_listed: Listed::default(),
        recent_sources: Recent::default(),
        recent_secrets: Recent::default(),
        read_credentials: ReadCredentials::default(),
        unwritten: Unwritten::default(),
    });
    let (wish, wishes) = mpsc::unbounded_channel();
    process.spawn(wish_for_all(clock_set(), shared.scopes[0].store.clone(), wish.clone()));
    let sources = watching::sources(Arc::clone(world), Arc::clone(&context), Arc::clone(&references), writer, wish.clone());
    let secrets = watching::secrets(Arc::clone(world), Arc::clone(&context), references, secret_writer, wish);
    process.spawn(sources);
    process.spawn(secrets);
    world.note(|| format!("process {} looks after the sources since {}", process.number, clock::precise()));
    serve(world, process, &context, wishes, called).await;
    Ok(())
}

/// kube's `reconcile_all_on`.
async fn wish_for_all(calls: impl futures::Stream<Item = ()>, sources: Store<TokenSource>, wish: mpsc::UnboundedSender<String>) {
    calls
        .for_each(|()| {
            // The store gives them by chance.
            let names: BTreeSet<String> = sources.state().iter().map(|source| source.name_any()).collect();
            names.into_iter().for_each(|name| _ = wish.send(name));
            ready(())
        })
        .await;
}

async fn recall(shared: &Shared) -> Result<(), RunError> {
    let failed = |source| RunError::Ledger { namespace: shared.client.default_namespace().to_owned(), source };
    shared.exchange.attempts.recall().await.map_err(failed)?;
    shared.exchange.attempts.record().await.map_err(failed)
}

/// Looks at the sources that somebody wishes to be looked at, each when it is time.
async fn serve(
    world: &Arc<World>,
    process: &Arc<Process>,
    context: &Arc<Context>,
    mut wishes: mpsc::UnboundedReceiver<String>,
    mut called: UnboundedReceiver<ObjectRef<TokenSource>>,
) {
    let (mut due, mut looks) = (BTreeMap::<String, Instant>::new(), Looks::new());
    loop {
        let now = Instant::now();
        let ready: Vec<String> =
            due.iter().filter(|(name, at)| **at <= now && !looks.contains_key(*name)).map(|(name, _)| name.clone()).collect();
        for name in ready {
            due.remove(&name);
            let reference = ObjectRef::new(&name).within(APPS);
            // Deleted meanwhile: kube's `ObjectNotFound`.
            if let Some(source) = context.shared.scopes.iter().find_map(|sources| sources.store.get(&reference)) {
                looks.insert(name, Box::pin(look_at(source, Arc::clone(context))));
            }
        }
        let next = due.iter().filter(|(name, _)| !looks.contains_key(*name)).map(|(_, at)| *at).min();
        tokio::select! {
            biased;
            (name, result) = first_done(&mut looks), if !looks.is_empty() => {
                looks.remove(&name);
                world.looked(process, &name, &result);
                let wait = result.unwrap_or_else(|error| retry_after(&error));
                if let Some(at) = wait.and_then(|wait| Instant::now().checked_add(wait)) {
                    wish_at(&mut due, name, at);
                }
            }
            Some(source) = called.next() => wish_at(&mut due, source.name, Instant::now()),
            Some(name) = wishes.recv() => wish_at(&mut due, name, Instant::now()),
            () = sleep_until(next.unwrap_or(now)), if next.is_some() => {}
        }
    }
}

/// Each look is asked in the order of names, whoever has woken this: some of tokio's channels wake by chance, of their own.
async fn first_done(looks: &mut Looks) -> (String, Result<Option<Duration>, Error>) {
    poll_fn(|context| {
        let done = looks.iter_mut().find_map(|(name, look)| match look.as_mut().poll(context) {
            Poll::Ready(result) => Some((name.clone(), result)),
            Poll::Pending => None,
        });
        done.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

fn wish_at(due: &mut BTreeMap<String, Instant>, name: String, at: Instant) {
    let kept = due.entry(name).or_insert(at);
    *kept = at.min(*kept);
}
