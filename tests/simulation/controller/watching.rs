//! Watches: what kube's `watcher` would deliver, late, or after a gap as a list. Mirrors the streams that `run_scope` in
//! `src/controller/mod.rs` builds: into the store first, then to whoever takes note, then to the queue.

use std::sync::Arc;

use futures::channel::mpsc;
use kube::ResourceExt as _;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use tokio::sync::mpsc::UnboundedSender;

use super::context::Context;
use super::references::References;
use super::trim;
use super::watched_secret::{SecretMeta, WatchedSecret, kept};
use super::watches::{News, watched_secrets, watched_sources};
use crate::api::TokenSource;
use crate::world::World;
use crate::world::watch::{Kind, Seen, Watched};

/// Delivers the sources of the operator's selection.
pub async fn sources(
    world: Arc<World>,
    context: Arc<Context>,
    references: Arc<References>,
    mut writer: Writer<TokenSource>,
    wish: UnboundedSender<String>,
) {
    let mut take_note = watched_sources(&context, &references, &context.shared.scopes[0].listed);
    let mut news = News::default();
    let mut watched = Watched::new(world, Kind::Source);
    loop {
        for seen in watched.next::<TokenSource>().await {
            let event = seen.map(|source: &mut TokenSource| trim::source(source));
            writer.apply_watcher_event(&event);
            let event = Ok(event);
            take_note(&event);
            if let Some(source) = event.ok().and_then(|event| news.of(event)) {
                _ = wish.send(source.name_any());
            }
        }
    }
}

/// Delivers the metadata of Secrets.
pub async fn secrets(
    world: Arc<World>,
    context: Arc<Context>,
    references: Arc<References>,
    mut writer: Writer<WatchedSecret>,
    wish: UnboundedSender<String>,
) {
    let (listed_again, mut lists) = mpsc::unbounded();
    let mut take_note = watched_secrets(&context, listed_again);
    let mut watched = Watched::new(world, Kind::Secret);
    loop {
        for seen in watched.next::<SecretMeta>().await {
            let event = kept(seen.into_event(|secret| secret));
            writer.apply_watcher_event(&event);
            let event = Ok(event);
            take_note(&event);
            // `touched_objects`, then `watches_stream`.
            if let Ok(Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) = &event {
                let mut concerned: Vec<String> = references.sources_of(&secret.0).into_iter().map(|source| source.name).collect();
                // A set has an order of its own in each run.
                concerned.sort();
                concerned.into_iter().for_each(|name| _ = wish.send(name));
            }
            // `reconcile_all_on`.
            while lists.try_recv().is_ok() {
                let mut all: Vec<String> = context.shared.scopes[0].store.state().iter().map(|source| source.name_any()).collect();
                all.sort();
                all.into_iter().for_each(|name| _ = wish.send(name));
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
