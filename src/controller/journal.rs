//! Where the lock-out ledger outlives a process: one Secret in the operator's own namespace, a key for each process.
//! Keyed hashes, times and reasons; no credential.

use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::Mutex;

use super::apply::merge_own_secret;
use super::error::Error;
use super::random;
use crate::clock;
use crate::token_source::attempts::{Record, is_recent};

/// The Secret's name.
const NAME: &str = "tokensource-ledger";
/// The latest so many records are written: a Secret holds a mebibyte.
const RECORDS_MAX: usize = 8_000;

/// The ledger's Secret, as this process writes it.
pub struct Journal {
    secrets: Api<Secret>,
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
    /// Keys of other processes that say nothing any more.
    stale: Vec<String>,
}

impl Journal {
    /// The journal of this process, in the operator's own namespace.
    pub fn new(client: &Client) -> Self {
        let secrets = Api::namespaced(client.clone(), client.default_namespace());
        Self { secrets, key: random::id(), asked: AtomicU64::default(), written: Mutex::default() }
    }

    /// What all processes have written within the window.
    pub async fn read(&self) -> Result<Vec<Record>, Error> {
        let found = self.secrets.get_opt(NAME).await.map_err(Error::read(format!("Secret {NAME}")))?;
        let now = clock::precise();
        let (mut records, mut stale) = (Vec::new(), Vec::new());
        for (key, ByteString(bytes)) in found.and_then(|secret| secret.data).unwrap_or_default() {
            let text = String::from_utf8_lossy(&bytes);
            let recent: Vec<Record> =
                text.lines().filter_map(|line| line.parse().ok()).filter(|record: &Record| is_recent(record.time, now)).collect();
            if recent.is_empty() && key != self.key {
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
        let asked = self.asked.load(Ordering::SeqCst);
        let records = records();
        let latest = records.get(records.len().saturating_sub(RECORDS_MAX)..).unwrap_or_default();
        let text: String = latest.iter().map(|record| format!("{record}\n")).collect();
        merge_own_secret(&self.secrets, NAME, &self.key, text.as_bytes(), &written.stale).await?;
        *written = Written { asked, stale: Vec::new() };
        Ok(())
    }
}
