//! Watches: what kube's `watcher` would deliver, late, or after a gap as a list. Mirrors the streams that `run_scope` in
//! `src/controller/mod.rs` builds: into the store first, then to whoever takes note, then to the queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use tokio::sync::mpsc::UnboundedSender;

use super::context::{Context, SecretMeta};
use super::references::References;
use super::trim;
use super::watches::{watched_secrets, watched_sources, what_matters};
use tokio::time::Instant;

use crate::api::TokenSource;
use crate::world::World;
use crate::world::watch::{Kind, Seen, Watched};

/// kube's `PredicateConfig` forgets what it has not seen for so long.
const PREDICATE_TTL: Duration = Duration::from_secs(3600);

/// Delivers the sources of the operator's selection.
pub async fn sources(
    world: Arc<World>,
    context: Arc<Context>,
    references: Arc<References>,
    mut writer: Writer<TokenSource>,
    wish: UnboundedSender<String>,
) {
    let mut take_note = watched_sources(&context, &references, &context.shared.scopes[0].listed);
    let mut known: BTreeMap<String, (u64, Instant)> = BTreeMap::new();
    let mut watched = Watched::new(world, Kind::Source);
    loop {
        for seen in watched.next::<TokenSource>().await {
            let event = seen.map(|source: &mut TokenSource| trim::source(source));
            writer.apply_watcher_event(&event);
            let event = Ok(event);
            take_note(&event);
            // `applied_objects`, then `predicate_filter`.
            if let Ok(Event::Apply(source) | Event::InitApply(source)) = &event {
                let (matters, now) = (what_matters(source), Instant::now());
                let before = known.insert(source.name_any(), (matters, now));
                if before.is_none_or(|(mattered, seen)| mattered != matters || now - seen >= PREDICATE_TTL) {
                    _ = wish.send(source.name_any());
                }
            }
        }
    }
}

/// Delivers the metadata of Secrets.
pub async fn secrets(
    world: Arc<World>,
    context: Arc<Context>,
    references: Arc<References>,
    mut writer: Writer<SecretMeta>,
    wish: UnboundedSender<String>,
) {
    let mut take_note = watched_secrets(&context);
    let mut watched = Watched::new(world, Kind::Secret);
    loop {
        for seen in watched.next::<SecretMeta>().await {
            let event = seen.map(trim::secret);
            writer.apply_watcher_event(&event);
            let event = Ok(event);
            take_note(&event);
            // `touched_objects`, then `watches_stream`.
            if let Ok(Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) = &event {
                for source in references.sources_of(secret) {
                    _ = wish.send(source.name);
                }
            }
        }
    }
}

impl Seen<TokenSource> {
    fn map(self, trim: impl Fn(&mut TokenSource)) -> Event<TokenSource> {
        self.into_event(|mut source| {
            trim(&mut source);
            source
        })
    }
}

impl Seen<SecretMeta> {
    fn map(self, trim: impl Fn(&mut SecretMeta)) -> Event<SecretMeta> {
        self.into_event(|mut secret: PartialObjectMeta<_>| {
            trim(&mut secret);
            secret
        })
    }
}
