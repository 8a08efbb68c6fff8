//! Requests that the ledger holds as sent though nobody has sent them: their process was killed after it recorded them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::api_requests::Call;
use super::invariants::lockout::Strike;
use super::{APPS, OPERATOR, State};
use crate::clock;
use crate::process::Process;

/// From reading the credentials to sending them, with a write of the ledger that is tried again.
const PREPARED: Duration = Duration::from_secs(30);

/// What processes have prepared, by group.
#[derive(Debug, Default)]
pub struct Intents(BTreeMap<usize, Intent>);

#[derive(Debug)]
struct Intent {
    process: usize,
    read: Duration,
    recorded: Option<Duration>,
}

impl Intents {
    /// A request with the credentials of a group was sent.
    pub fn sent(&mut self, group: usize) {
        self.0.remove(&group);
    }
}

impl State {
    /// The API server does what may prepare a token request: the credentials are read, then the request is recorded.
    pub fn prepared(&mut self, process: &Process, call: &Call) {
        if let Call::ReadSecret(APPS, name) = call {
            self.intends(process, name);
        }
        if let Call::MergeSecret(OPERATOR, _, data) = call
            && data.values().flatten().any(|lines| !lines.0.is_empty())
        {
            self.recorded(process);
        }
    }

    fn intends(&mut self, process: &Process, credentials: &str) {
        let Some(group) = self.servers.groups.iter().position(|group| group.name == credentials) else { return };
        // What could not be recorded for sure is tried again from here, and stands where the write took effect.
        let before = self.intents.0.get(&group).filter(|intent| intent.process == process.number);
        let recorded = before.and_then(|intent| intent.recorded);
        self.intents.0.insert(group, Intent { process: process.number, read: clock::elapsed(), recorded });
    }

    fn recorded(&mut self, process: &Process) {
        let now = clock::elapsed();
        let own = self.intents.0.values_mut().filter(|intent| intent.process == process.number);
        own.filter(|intent| intent.read + PREPARED >= now).for_each(|intent| intent.recorded = Some(now));
        if process.is_dead() || process.is_frozen() {
            self.lost_intents();
        }
    }

    /// Nobody will send what was recorded.
    pub fn lost_intents(&mut self) {
        // What is on its way to the API server comes to be recorded yet.
        let (recorded, prepared): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.intents.0).into_iter().partition(|(_, intent)| intent.recorded.is_some());
        self.intents.0 = prepared;
        for (group, intent) in recorded {
            let (Some(at), Some(credentials)) = (intent.recorded, self.credentials(group)) else { continue };
            self.refusals.strike(group, Strike { at, client_secret: credentials.client_secret, password: None, is_refusal: false });
            self.saw("request recorded but never sent");
        }
    }
}
