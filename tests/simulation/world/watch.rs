//! What the API server tells those who watch: changes in their order, some time after they were made; after a gap, a list.

use std::sync::Arc;

use kube::runtime::watcher::Event;
use tokio::time::sleep;

use super::State;
use super::World;
use crate::api::TokenSource;
use crate::controller::watched_secret::SecretMeta;

/// One event.
pub enum Seen<K> {
    /// A list begins.
    Init,
    /// It holds this.
    InitApply(K),
    /// It ends.
    InitDone,
    /// Made or changed.
    Apply(K),
    /// Gone, or no longer selected.
    Delete(K),
}

impl<K> Seen<K> {
    /// As kube's watcher tells it.
    pub fn into_event(self, of: impl FnOnce(K) -> K) -> Event<K> {
        match self {
            Self::Init => Event::Init,
            Self::InitApply(object) => Event::InitApply(of(object)),
            Self::InitDone => Event::InitDone,
            Self::Apply(object) => Event::Apply(of(object)),
            Self::Delete(object) => Event::Delete(of(object)),
        }
    }
}

/// What has changed, and whether it is gone.
pub type Change<K> = (K, bool);

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `TokenSources`.
    Source,
    /// The metadata of Secrets.
    Secret,
}

/// A kind of object as the API server keeps it.
pub trait Kept: Clone {
    /// All that are selected.
    fn list(state: &State) -> Vec<Self>;
    /// All changes since the beginning.
    fn log(state: &State) -> &[Change<Self>];
}

impl Kept for TokenSource {
    fn list(state: &State) -> Vec<Self> {
        state.api.selected_sources()
    }

    fn log(state: &State) -> &[Change<Self>] {
        &state.api.source_log
    }
}

impl Kept for SecretMeta {
    fn list(state: &State) -> Vec<Self> {
        state.api.secret_metas()
    }

    fn log(state: &State) -> &[Change<Self>] {
        &state.api.secret_log
    }
}

/// One watch of one process.
pub struct Watched {
    world: Arc<World>,
    kind: Kind,
    /// How much of the log was told; none: it has to be listed.
    told: Option<usize>,
    /// A list has begun.
    is_listing: bool,
    gaps: u64,
}

impl Watched {
    /// A watch that begins with a list.
    pub fn new(world: Arc<World>, kind: Kind) -> Self {
        Self { world, kind, told: None, is_listing: false, gaps: 0 }
    }

    /// What comes next.
    pub async fn next<K: Kept>(&mut self) -> Vec<Seen<K>> {
        loop {
            while self.told.is_some_and(|told| self.has_told::<K>(told)) {
                self.world.changes(self.kind).notified().await;
            }
            let lag = self.world.lock().watch_lag();
            sleep(lag).await;
            self.until_reachable().await;
            let state = self.world.lock();
            let log = K::log(&state);
            let told = self.told.replace(log.len()).filter(|_| self.gaps == state.weather.gaps);
            self.gaps = state.weather.gaps;
            match told {
                // kube tells that a list begins before it asks for it.
                None if !self.is_listing => {
                    (self.is_listing, self.told) = (true, None);
                    return vec![Seen::Init];
                }
                None => {
                    self.is_listing = false;
                    return K::list(&state).into_iter().map(Seen::InitApply).chain([Seen::InitDone]).collect();
                }
                Some(told) if told < log.len() => {
                    let tell = |(object, gone): &Change<K>| if *gone { Seen::Delete(object.clone()) } else { Seen::Apply(object.clone()) };
                    return log[told..].iter().map(tell).collect();
                }
                Some(_) => {}
            }
        }
    }

    fn has_told<K: Kept>(&self, told: usize) -> bool {
        let state = self.world.lock();
        told == K::log(&state).len() && self.gaps == state.weather.gaps
    }

    async fn until_reachable(&self) {
        loop {
            let wait = {
                let mut state = self.world.lock();
                if !state.weather.cuts_watches() {
                    return;
                }
                state.random.millis(500, 3000)
            };
            sleep(wait).await;
        }
    }
}
