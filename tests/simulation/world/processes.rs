//! Processes begin, are killed, lose the Lease and begin again, as a Deployment lets them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::invariants::lockout::Strike;
use super::{State, World};
use crate::clock;
use crate::controller::error::{Error, RunError};
use crate::controller::operator;
use crate::process::Process;

/// An answer is recorded within a second, and a write may wait for another.
const TAKEN_BACK: Duration = Duration::from_secs(3);

impl World {
    /// Begins a process of a replica, unless there is one or none is wanted.
    pub fn start(self: &Arc<Self>, replica: usize) {
        let Some((process, election)) = self.change(|state| {
            let runs = state.processes.iter().any(|process| process.replica == replica);
            if runs || !state.wanted[replica] {
                return None;
            }
            state.begun += 1;
            let process = Process::new(state.begun, replica, Arc::clone(&state.machines[replica]));
            state.processes.push(Arc::clone(&process));
            state.note(|| format!("process {} begins on machine {replica}", process.number));
            state.saw("process begun");
            Some((process, state.election.clone()))
        }) else {
            return;
        };
        let world = Arc::clone(self);
        let own = Arc::clone(&process);
        process.spawn(async move {
            let ended = operator::run(Arc::clone(&world), Arc::clone(&own), election).await;
            world.ended(&own, ended.as_ref().err());
        });
    }

    fn ended(self: &Arc<Self>, process: &Arc<Process>, error: Option<&RunError>) {
        let what = match error {
            Some(RunError::Lost(_)) => "process ended: Lease lost",
            Some(RunError::Key(_) | RunError::Ledger { .. } | RunError::Lease { .. }) => "process ended: could not begin",
            None => "process ended",
        };
        // Its watches and timers end with it.
        self.kill(process, what, Duration::from_secs(10));
    }

    /// Kills a process; another one begins some time later.
    pub fn kill(self: &Arc<Self>, process: &Arc<Process>, what: &'static str, pause: Duration) {
        process.kill();
        self.remove(process, what, pause);
    }

    /// Freezes a process between two of its effects, for longer than most Leases last.
    pub fn freeze(self: &Arc<Self>, process: &Arc<Process>) {
        let pause = self.change(|state| {
            process.freeze(true);
            if state.leads_now(process) {
                state.led_until = clock::elapsed();
            }
            state.note(|| format!("process {} is frozen", process.number));
            state.saw("leader frozen between two effects");
            state.lost_memory();
            state.lost_permits();
            state.random.seconds(300, 2400)
        });
        let (world, process) = (Arc::clone(self), Arc::clone(process));
        tokio::spawn(async move {
            sleep(pause).await;
            world.change(|state| {
                process.freeze(false);
                state.note(|| format!("process {} is woken", process.number));
                state.lost_memory();
            });
        });
    }

    fn remove(self: &Arc<Self>, process: &Arc<Process>, what: &'static str, pause: Duration) {
        let (replica, pause) = (process.replica, pause + self.lock().random.millis(200, 3000));
        self.change(|state| {
            state.processes.retain(|other| other.number != process.number);
            if state.leads_now(process) {
                state.leader = None;
                if !process.is_frozen() {
                    state.led_until = clock::elapsed();
                }
                state.lost_permits();
            }
            state.saw(what);
            state.note(|| format!("process {}: {what}", process.number));
            state.lost_memory();
        });
        let world = Arc::clone(self);
        tokio::spawn(async move {
            sleep(pause).await;
            world.start(replica);
        });
    }

    /// A process begins to look after the sources.
    pub fn leads(&self, process: &Arc<Process>) {
        self.change(|state| {
            let now = clock::elapsed();
            // Without an election nothing tells when it was; with one, nobody leads for longer than that after a sign of life.
            let led_until = if state.has_leader() { now } else { state.led_until };
            let end = state.election.as_ref().map_or(now, |election| now.min(led_until + election.terms.deadline()));
            state.terms.push(end);
            state.leader = Some(Arc::clone(process));
            state.saw("leader began");
            state.disturb_all();
        });
    }

    /// A look at a source has ended.
    pub fn looked(&self, process: &Arc<Process>, name: &str, result: &Result<Option<Duration>, Error>) {
        self.change(|state| {
            let told = match result {
                Ok(wait) => format!("again in {wait:?}"),
                Err(error) => {
                    state.saw(if matches!(error, Error::NotLeading) { "look ended by fencing" } else { "look failed" });
                    error.to_string()
                }
            };
            state.note(|| format!("process {} looked at {name}: {told}", process.number));
        });
    }
}

impl State {
    /// Whether a process is the one that looks after the sources.
    pub fn leads_now(&self, process: &Process) -> bool {
        self.leader.as_ref().is_some_and(|leader| leader.number == process.number)
    }

    /// Whether somebody looks after the sources.
    pub fn has_leader(&self) -> bool {
        self.leader.as_ref().is_some_and(|leader| !leader.is_dead() && !leader.is_frozen())
    }

    /// What was in a process's memory alone is gone, or may come too late.
    pub fn lost_memory(&mut self) {
        self.woken = Some(clock::elapsed());
        self.disturb_all();
        self.excuse_refresh_tokens();
        for track in &mut self.tracks {
            track.failed_at.clear();
            track.issued_at = None;
        }
    }

    /// What was sent stays in the ledger as sent where no answer to it was taken in and recorded: nobody will do so now. The answer
    /// may have come a moment ago; a refused refresh token is not the last of it.
    pub fn lost_permits(&mut self) {
        self.lost_intents();
        for index in 0..self.tracks.len() {
            let (group, track) = (self.tracks[index].group, &mut self.tracks[index]);
            let Some(sent) = track.sent.take() else { continue };
            let is_open = track.in_flight > 0 || sent.answered.is_none_or(|answered| answered + TAKEN_BACK > clock::elapsed());
            if is_open {
                self.refusals.strike(group, Strike { at: sent.at, client_secret: sent.client_secret, password: None, is_refusal: false });
                self.saw("request that stays in the ledger as sent");
            }
        }
    }

    /// What happens now may cost refresh tokens that are not kept yet.
    pub fn excuse_refresh_tokens(&mut self) {
        for index in 0..self.tracks.len() {
            let kept = self.kept_refresh_token(index);
            let Some(given) = &mut self.tracks[index].given else { continue };
            if !given.is_excused && kept.as_ref() != Some(&given.token) {
                given.is_excused = true;
                self.saw("refresh token in danger");
            }
        }
    }
}
