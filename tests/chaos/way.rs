//! The way to the API server, as all processes of the operator share it: how it is spoiled, who is stopped on it, and who wrote.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::random::Random;

const CONFLICTS_IN_A_ROW: u32 = 3;

/// A moment in the writing of a token, at which a process can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The answer is read, and its refresh token is not written.
    BeforeRefreshToken,
    /// The refresh token is written, the token is not.
    AfterRefreshToken,
    /// The answer is read, and the token is not written.
    BeforeSecret,
    /// The token is written, the status is not.
    AfterSecret,
}

impl Moment {
    pub fn is_before(self) -> bool {
        matches!(self, Self::BeforeRefreshToken | Self::BeforeSecret)
    }
}

/// Who was stopped, over which write.
#[derive(Debug)]
pub struct Stopped {
    pub process: u64,
    pub object: String,
}

/// How the way is spoiled now, in requests out of a hundred.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spoiling {
    /// Writes of target Secrets and statuses are answered with 409.
    pub conflicts: u64,
    /// Any request is answered with 429.
    pub too_many: u64,
    /// A write is done, and the connection ends instead of the answer.
    pub lost_answers: u64,
}

/// Where a process is to be stopped, and whom to tell.
pub struct Trap {
    pub moment: Moment,
    pub caught: oneshot::Sender<Stopped>,
}

/// A write of who does not hold the Lease.
#[derive(Clone, Debug)]
pub struct Trespass {
    pub process: u64,
    pub holder: u64,
    pub what: String,
}

/// What all ways share.
pub struct Ways {
    pub upstream: String,
    pub client: reqwest::Client,
    spoiling: Mutex<Spoiling>,
    random: Mutex<Random>,
    trap: Mutex<Option<Trap>>,
    pub drop_watches: watch::Sender<u64>,
    /// Who wrote itself into the Lease last, and since when.
    holder: Mutex<Option<(u64, Instant)>>,
    trespasses: Mutex<Vec<Trespass>>,
    /// How many conflicts in a row an object has met.
    rows: Mutex<HashMap<String, u32>>,
    pub requests: AtomicU64,
    pub conflicts: AtomicU64,
    pub too_many: AtomicU64,
    pub lost_answers: AtomicU64,
    pub watches_dropped: AtomicU64,
}

impl Ways {
    pub fn to(upstream: &str, ca: &[u8], random: Random) -> Arc<Self> {
        let ca = reqwest::Certificate::from_pem(ca).unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap();
        Arc::new(Self {
            upstream: upstream.to_owned(),
            client,
            spoiling: Mutex::default(),
            random: Mutex::new(random),
            trap: Mutex::default(),
            drop_watches: watch::channel(0).0,
            holder: Mutex::default(),
            trespasses: Mutex::default(),
            rows: Mutex::default(),
            requests: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
            too_many: AtomicU64::new(0),
            lost_answers: AtomicU64::new(0),
            watches_dropped: AtomicU64::new(0),
        })
    }

    pub fn spoil(&self, spoiling: Spoiling) {
        *self.spoiling.lock().unwrap() = spoiling;
    }

    /// How it is spoiled now.
    pub fn spoiled(&self) -> Spoiling {
        *self.spoiling.lock().unwrap()
    }

    /// Ends all watches that are open.
    pub fn drop_watches(&self) {
        self.drop_watches.send_modify(|round| *round += 1);
    }

    /// Stops the next process that comes to this moment; its connection hangs from there on.
    pub fn trap(&self, moment: Moment) -> oneshot::Receiver<Stopped> {
        let (caught, told) = oneshot::channel();
        *self.trap.lock().unwrap() = Some(Trap { moment, caught });
        told
    }

    pub fn remove_trap(&self) {
        self.trap.lock().unwrap().take();
    }

    /// The process that wrote itself into the Lease last.
    pub fn holder(&self) -> Option<u64> {
        self.holder.lock().unwrap().map(|(process, _)| process)
    }

    pub fn trespasses(&self) -> Vec<Trespass> {
        self.trespasses.lock().unwrap().clone()
    }

    /// Whether a write meets a conflict. Never more than three times in a row for one object: somebody would have to write it between each read and write.
    pub fn conflicts_with(&self, request: &Asked, share: u64) -> bool {
        if !(request.is_target() || request.is_status()) {
            return false;
        }
        let mut rows = self.rows.lock().unwrap();
        let row = rows.entry(request.path.clone()).or_default();
        *row = if *row < CONFLICTS_IN_A_ROW && self.draws(share) { *row + 1 } else { 0 };
        let conflicts = *row > 0;
        self.conflicts.fetch_add(u64::from(conflicts), Ordering::SeqCst);
        conflicts
    }

    /// True for such a share of requests.
    pub fn draws(&self, share: u64) -> bool {
        share > 0 && self.random.lock().unwrap().percent(share)
    }

    /// The trap, if this request is what it waits for.
    pub fn sprung(&self, request: &Asked) -> Option<Trap> {
        let mut trap = self.trap.lock().unwrap();
        let is_it = trap.as_ref().is_some_and(|trap| match trap.moment {
            Moment::BeforeRefreshToken | Moment::AfterRefreshToken => request.is_refresh_token(),
            Moment::BeforeSecret | Moment::AfterSecret => request.is_target() && !request.is_refresh_token(),
        });
        if is_it { trap.take() } else { None }
    }

    /// Takes note of who holds the Lease, and of who writes without it.
    pub fn watch_for_trespass(&self, process: u64, request: &Asked, status: u16) {
        if !(200..300).contains(&status) {
            return;
        }
        if request.path.contains("/leases") {
            let holds = serde_json::from_slice::<Value>(&request.body)
                .is_ok_and(|lease| lease["spec"]["holderIdentity"].as_str().is_some_and(|id| !id.is_empty()));
            if holds && request.is_write() {
                let mut holder = self.holder.lock().unwrap();
                if holder.is_none_or(|(one, _)| one != process) {
                    *holder = Some((process, request.at));
                }
            }
        } else if request.is_write() && !request.path.contains("/events") && !request.path.ends_with("/secrets") {
            // Creations of the key and the ledger are made by whoever starts; the rest is the leader's.
            if let Some((holder, since)) = *self.holder.lock().unwrap()
                && holder != process
                && request.at > since
            {
                self.trespasses.lock().unwrap().push(Trespass { process, holder, what: format!("{} {}", request.method, request.path) });
            }
        }
    }
}

/// A request as it is passed on.
pub struct Asked {
    pub at: Instant,
    pub method: Method,
    pub path: String,
    pub query: String,
    pub body: Bytes,
}

impl Asked {
    pub fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    pub fn is_watch(&self) -> bool {
        self.query.contains("watch=true") || self.query.contains("watch=1")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn is_target(&self) -> bool {
        let own = ["tokensource-ledger", "tokensource-digest-key"];
        self.method == Method::PATCH && self.path.contains("/secrets/") && !own.contains(&self.name())
    }

    fn is_refresh_token(&self) -> bool {
        self.is_target() && self.name().ends_with("-refresh-token")
    }

    fn is_status(&self) -> bool {
        self.method == Method::PATCH && self.path.ends_with("/status")
    }
}
