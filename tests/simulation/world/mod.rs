//! The world around the operator's processes: API server, authorization servers, what is wrong with them, and what is known of
//! everything that has happened. Each change of it is one step; the invariants are judged with it.

mod answers;
pub mod api_requests;
pub mod api_server;
pub mod authorization_server;
mod intents;
pub mod invariants;
mod network;
mod processes;
pub mod track;
pub mod watch;
pub mod weather;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;

use self::api_server::ApiServer;
use self::authorization_server::{AuthorizationServers, Grant};
use self::intents::Intents;
use self::invariants::lockout::Refusals;
use self::track::Track;
use self::watch::Kind;
use self::weather::{Watches, Weather};
use crate::clock;
use crate::controller::lease::Election;
use crate::process::{Machine, Process};
use crate::random::Random;
use crate::token_source::digest::DigestKey;
use crate::trace::{Reader, Trace};

/// The namespace of the sources.
pub const APPS: &str = "apps";
/// The operator's own.
pub const OPERATOR: &str = "operator";

/// The world, shared by all that happens in it.
pub struct World {
    state: Mutex<State>,
    // Not tokio's `watch`: that wakes those who wait in an order of its own, by chance.
    source_changes: Notify,
    secret_changes: Notify,
}

/// All of it.
pub struct State {
    /// What chance decides.
    pub random: Random,
    /// The API server.
    pub api: ApiServer,
    /// The authorization servers.
    pub servers: AuthorizationServers,
    /// What is wrong.
    pub weather: Weather,
    /// How a leader is elected; none: there is one replica.
    pub election: Option<Election>,
    /// The machines, one a replica.
    pub machines: Vec<Arc<Machine>>,
    /// Which replicas are to run.
    pub wanted: Vec<bool>,
    /// Those that run.
    pub processes: Vec<Arc<Process>>,
    /// How many have begun.
    pub begun: usize,
    /// Who looks after the sources.
    pub leader: Option<Arc<Process>>,
    /// Whom the Lease names.
    pub lease_holder: Option<usize>,
    /// Until when somebody led, where nobody does.
    pub led_until: Duration,
    /// Of each that began to lead: until when the one before may have sent something.
    pub terms: Vec<Duration>,
    /// When clocks jumped.
    pub jumps: Vec<Duration>,
    /// When a process was last frozen or woken.
    pub woken: Option<Duration>,
    /// Until when pauses that authorization servers asked for may last.
    pub pauses: [Duration; 2],
    /// What is known of each source.
    pub tracks: Vec<Track>,
    /// What was refused.
    pub refusals: Refusals,
    /// Token requests that are about to be sent.
    pub intents: Intents,
    /// The key of the digests.
    pub key: DigestKey,
    /// What was seen, by name.
    pub seen: BTreeMap<&'static str, u64>,
    /// The steps.
    pub trace: Trace,
    /// What must never be.
    pub violations: Vec<String>,
}

impl World {
    /// A world without sources.
    pub fn new(seed: u64, key: &[u8], reader: Reader) -> Arc<Self> {
        let state = State {
            random: Random::of(seed),
            api: ApiServer::default(),
            servers: AuthorizationServers::default(),
            weather: Weather::default(),
            election: None,
            machines: vec![Arc::default(), Arc::default()],
            wanted: vec![true, false],
            processes: Vec::new(),
            begun: 0,
            leader: None,
            lease_holder: None,
            led_until: Duration::ZERO,
            terms: Vec::new(),
            jumps: Vec::new(),
            woken: None,
            pauses: [Duration::ZERO; 2],
            tracks: Vec::new(),
            refusals: Refusals::default(),
            intents: Intents::default(),
            key: DigestKey::new(key),
            seen: BTreeMap::new(),
            trace: Trace::new(reader),
            violations: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), source_changes: Notify::new(), secret_changes: Notify::new() })
    }

    /// The state, to read.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes the state, and wakes the watches that it concerns.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let logs = |state: &State| (state.api.source_log.len(), state.api.secret_log.len(), state.weather.gaps);
        let before = logs(&state);
        let changed = change(&mut state);
        let after = logs(&state);
        drop(state);
        if before.0 != after.0 || before.2 != after.2 {
            self.source_changes.notify_waiters();
        }
        if before.1 != after.1 || before.2 != after.2 {
            self.secret_changes.notify_waiters();
        }
        changed
    }

    /// Wakes who waits for a change of a kind, first come, first served.
    pub fn changes(&self, kind: Kind) -> &Notify {
        match kind {
            Kind::Source => &self.source_changes,
            Kind::Secret => &self.secret_changes,
        }
    }

    /// Writes a line into the trace.
    pub fn note(&self, line: impl FnOnce() -> String) {
        self.lock().note(line);
    }
}

impl State {
    /// Writes a line into the trace.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.step(clock::elapsed(), line);
    }

    /// Counts what was seen.
    pub fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// What must never be has been.
    pub fn violated(&mut self, what: &'static str, facts: String) {
        let line = format!("VIOLATED {what}: {facts}");
        self.note(|| line.clone());
        self.violations.push(format!("{:?} {line}", clock::elapsed()));
    }

    /// How late the watches are now.
    pub fn watch_lag(&mut self) -> Duration {
        match self.weather.watches {
            Watches::Fine | Watches::Lost => self.random.millis(1, 100),
            Watches::Late => self.random.millis(1000, 25_000),
        }
    }

    /// The source of a name like `s1`, or of its Secrets.
    pub fn index(&self, name: &str) -> Option<usize> {
        let name = name.strip_suffix("-refresh-token").unwrap_or(name);
        self.tracks.iter().position(|track| track.name == name)
    }

    /// Something has changed that concerns a source.
    pub fn disturb(&mut self, index: usize) {
        self.tracks[index].disturbed = clock::elapsed();
    }

    /// Something has changed that concerns all sources.
    pub fn disturb_all(&mut self) {
        for index in 0..self.tracks.len() {
            self.disturb(index);
        }
    }

    /// Something has changed that concerns all sources with these credentials.
    pub fn disturb_group(&mut self, group: usize) {
        for index in 0..self.tracks.len() {
            if self.tracks[index].group == group {
                self.disturb(index);
            }
        }
    }

    /// By what a source asks.
    pub fn grant(&self, index: usize) -> Grant {
        self.servers.groups[self.tracks[index].group].grant
    }

    /// The refresh token that is kept for a source.
    pub fn kept_refresh_token(&self, index: usize) -> Option<String> {
        let kept = self.api.secret(APPS, &format!("{}-refresh-token", self.tracks[index].name))?;
        let value = kept.secret.data.as_ref()?.get("refresh_token")?;
        String::from_utf8(value.0.clone()).ok()
    }
}
