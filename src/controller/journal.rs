//! Where the lock-out ledger outlives a process: one Secret in the operator's own namespace, a key for each process.
//! Keyed hashes, times and reasons; no credential.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::apply::merge_own_secret;
use super::error::Error;
use super::leadership::Leadership;
use super::random;
use crate::clock;
use crate::token_source::attempts::Record;

/// The Secret's name.
const NAME: &str = "tokensource-ledger";
/// The latest so many records are written: a Secret holds a mebibyte.
const RECORDS_MAX: usize = 8_000;
/// Between two writes: what comes together is written together.
const GAP: Duration = Duration::from_millis(50);

/// The ledger's Secret, as this process writes it.
pub struct Journal {
    secrets: Api<Secret>,
    leadership: Leadership,
    /// This process's key.
    key: String,
    /// How many writes were asked for.
    asked: AtomicU64,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    /// The last write that was asked for before the last one began.
    asked: u64,
    /// When that ended.
    ended: Option<Instant>,
    /// Keys of other processes that say nothing any more.
    stale: Vec<String>,
}

impl Journal {
    /// The journal of this process, in the operator's own namespace.
    pub fn new(client: &Client, leadership: Leadership) -> Self {
        let secrets = Api::namespaced(client.clone(), client.default_namespace());
        Self { secrets, leadership, key: random::id(), asked: AtomicU64::default(), written: Mutex::default() }
    }

    /// What other processes have written within the window.
    pub async fn read(&self) -> Result<Vec<Record>, Error> {
        let found = self.secrets.get_opt(NAME).await.map_err(Error::read(format!("Secret {NAME}")))?;
        let now = clock::precise();
        let (mut records, mut stale) = (Vec::new(), Vec::new());
        let keys = found.and_then(|secret| secret.data).unwrap_or_default().into_iter().filter(|(key, _)| *key != self.key);
        for (key, ByteString(bytes)) in keys {
            let text = String::from_utf8_lossy(&bytes);
            let recent: Vec<Record> =
                text.lines().filter_map(|line| line.parse().ok()).filter(|record: &Record| record.is_recent(now)).collect();
            if recent.is_empty() {
                stale.push(key);
            }
            records.extend(recent);
        }
        self.written.lock().await.stale = stale;
        Ok(records)
    }

    /// Writes the records as they are when the write begins. Who asks while one is under way shares the next.
    pub async fn write(&self, records: impl Fn() -> Vec<Record>) -> Result<(), Error> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut written = self.written.lock().await;
        if written.asked >= mine {
            return Ok(());
        }
        if let Some(ended) = written.ended {
            sleep_until(ended + GAP).await;
        }
        let asked = self.asked.load(Ordering::SeqCst);
        let records = records();
        let latest = records.get(records.len().saturating_sub(RECORDS_MAX)..).unwrap_or_default();
        let lines: Vec<String> = latest.iter().map(ToString::to_string).collect();
        let value = lines.join("\n");
        self.leadership.while_held(merge_own_secret(&self.secrets, NAME, &self.key, value.as_bytes(), &written.stale)).await??;
        *written = Written { asked, ended: Some(Instant::now()), stale: Vec::new() };
        Ok(())
    }
}
