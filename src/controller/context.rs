//! What every reconcile shares.

use std::sync::Arc;

use futures::channel::mpsc::UnboundedSender;
use kube::Client;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::OnceCell;

use super::audiences::Audiences;
use super::events::Events;
use super::exchange::Exchange;
use super::leadership::Leadership;
use super::listed::Listed;
use super::memory::{ReadCredentials, Unwritten};
use super::pacing::Pacing;
use super::recent::Recent;
use super::watched_secret::WatchedSecret;
use crate::api::TokenSource;
use crate::observability::metrics::Metrics;
use crate::token_source::digest::DigestKey;
use crate::token_source::hosts::HostPolicy;
use crate::token_source::observed::Policy;

/// What the whole process shares, also where it runs one controller a namespace.
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// Whether this process may act.
    pub leadership: Leadership,
    /// Token requests.
    pub exchange: Exchange,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Events.
    pub events: Events,
    /// The key of all digests.
    pub key: DigestKey,
    /// Settings that decisions depend on.
    pub policy: Policy,
    /// The hosts that credentials may be sent to.
    pub hosts: HostPolicy,
    /// What ServiceAccount tokens may be asked for.
    pub audiences: Audiences,
    /// The pace of the token endpoints.
    pub pacing: Pacing,
    /// The sources of each scope.
    pub scopes: Vec<Sources>,
    /// Whether what the statuses of all scopes keep was taken in.
    pub warmed_up: OnceCell<()>,
}

/// The sources of one scope: a namespace, or the whole cluster.
pub struct Sources {
    /// All of them.
    pub store: Store<TokenSource>,
    /// Whether they were listed.
    pub listed: Listed,
}

/// What the reconciles of one controller share.
pub struct Context {
    /// What the whole process shares.
    pub shared: Arc<Shared>,
    /// What is kept of all Secrets of this controller's scope.
    pub secrets: Store<WatchedSecret>,
    /// Whether they were listed.
    pub secrets_listed: Listed,
    /// Where this controller listens for sources whose turn has come.
    pub calls: UnboundedSender<ObjectRef<TokenSource>>,
    /// Sources whose status was written and not yet seen.
    pub recent_sources: Recent<TokenSource>,
    /// Secrets that were written and not yet seen.
    pub recent_secrets: Recent<WatchedSecret>,
    /// What versions of credentials Secrets were found to hold, by source UID.
    pub read_credentials: ReadCredentials,
    /// Tokens that were issued and could not be written yet.
    pub unwritten: Unwritten,
}

impl Context {
    /// The source as it is known now: our own last write of it where the watch is behind, else what the watch knows. It may know more
    /// than when the look was planned.
    pub fn newest_source(&self, source: Arc<TokenSource>) -> Arc<TokenSource> {
        // In this order: what our writes are let go for is in the store.
        let written = self.recent_sources.newest(&ObjectRef::from_obj(source.as_ref())).map(Arc::new);
        let watched = || self.source(source.namespace(), source.metadata.name.as_deref()?);
        written.or_else(watched).unwrap_or(source)
    }

    /// Another source of the same namespace.
    pub fn source(&self, namespace: &str, name: &str) -> Option<Arc<TokenSource>> {
        let reference = ObjectRef::new(name).within(namespace);
        self.shared.scopes.iter().find_map(|sources| sources.store.get(&reference))
    }
}
