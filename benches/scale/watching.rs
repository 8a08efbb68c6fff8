//! An observer with a watch of its own: which sources are ready, and how late their tokens come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use kube::runtime::watcher;
use tokensource::api::TokenSource;
use tokensource::api::condition::{ConditionStatus, ConditionType, find};
use tokensource::clock;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;

#[derive(Default)]
struct Seen {
    /// When the token of each ready source was obtained, and when it is due to be renewed.
    ready: HashMap<String, (Timestamp, Timestamp)>,
    /// Seconds from a renewal's due time to its status, for each that was seen.
    lateness: Vec<f64>,
    last_change: Option<Instant>,
}

pub struct Observer {
    seen: Arc<Mutex<Seen>>,
    watch: JoinHandle<()>,
}

impl Observer {
    pub fn start(cluster: &Cluster) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (told, sources) = (Arc::clone(&seen), cluster.sources());
        let watch = tokio::spawn(async move {
            let mut events = Box::pin(watcher(sources, watcher::Config::default()));
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(source) | watcher::Event::InitApply(source)) => told.lock().unwrap().note(&source),
                    Ok(watcher::Event::Delete(_) | watcher::Event::Init | watcher::Event::InitDone) => {}
                    Err(error) => eprintln!("the observer's watch: {error}"),
                }
            }
        });
        Self { seen, watch }
    }

    /// Waits until so many sources are ready, and tells when the last of them was seen to be.
    pub async fn until_ready(&self, count: usize) -> Instant {
        loop {
            {
                let seen = self.seen.lock().unwrap();
                if let (true, Some(last)) = (seen.ready.len() >= count, seen.last_change) {
                    return last;
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// When the token of each ready source is due to be renewed, in seconds.
    pub fn due_times(&self) -> Vec<f64> {
        self.seen.lock().unwrap().ready.values().map(|(_, due)| due.as_second() as f64).collect()
    }

    /// When the token of each ready source expires, in seconds, where all live so long.
    pub fn expiries(&self, life: u64) -> HashMap<String, i64> {
        let seen = self.seen.lock().unwrap();
        seen.ready.iter().map(|(name, (obtained, _))| (name.clone(), obtained.as_second() + i64::try_from(life).unwrap())).collect()
    }

    /// How many renewals were seen.
    pub fn renewals(&self) -> usize {
        self.seen.lock().unwrap().lateness.len()
    }

    /// The lateness of all renewals seen from here on is forgotten so far.
    pub fn forget_lateness(&self) {
        self.seen.lock().unwrap().lateness.clear();
    }

    /// The lateness in seconds below which such a share of the renewals lies.
    pub fn lateness(&self, share: f64) -> f64 {
        let mut all = self.seen.lock().unwrap().lateness.clone();
        all.sort_by(f64::total_cmp);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the list")]
        let index = ((all.len() as f64 - 1.0) * share).round().max(0.0) as usize;
        all.get(index).copied().unwrap_or_default()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Seen {
    fn note(&mut self, source: &TokenSource) {
        let Some(status) = &source.status else { return };
        let is_ready = find(&status.conditions, ConditionType::Ready).is_some_and(|condition| condition.status == ConditionStatus::True);
        let (true, Some(refreshed), Some(due)) = (is_ready, &status.last_refresh_time, &status.renewal_time) else { return };
        let name = source.metadata.name.clone().unwrap_or_default();
        let before = self.ready.insert(name, (refreshed.0, due.0));
        match before {
            Some((earlier, due)) if earlier != refreshed.0 => {
                self.lateness.push((clock::precise().duration_since(due)).as_secs_f64());
                self.last_change = Some(Instant::now());
            }
            Some(_) => {}
            None => self.last_change = Some(Instant::now()),
        }
    }
}
