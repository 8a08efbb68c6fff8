//! The lock-out ledger: the same rejected credentials are never sent more than twice in any 60 minutes, by all
//! sources together and over restarts. Vendors lock a client or a user after five.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::digest::Digest;
use super::schedule::{after, between};
use crate::oauth::rejection::Rejection;

mod record;

pub use record::Record;

/// The window that is counted in.
pub const WINDOW: Duration = Duration::from_secs(3600);
/// How many refusals it may hold.
pub const REFUSALS_MAX: usize = 2;
/// So many entries are kept without asking whether they still say something.
const ENTRIES_MIN: usize = 1024;

/// The credentials of one request: what a refusal can be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// All that is sent: client, user, assertion.
    pub whole: Digest,
    /// The client's alone. Others may send them with another user.
    pub client: Digest,
}

/// What is known of credentials before they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Unknown,
    /// A token that they brought is there; the request is made for another cause than its renewal.
    Accepted,
    /// A token that they brought is there, and is due to be renewed: a crash before the answer is found out by that.
    Renewed,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A token.
    Accepted,
    /// A refusal of credentials.
    Refused(Rejection),
    /// Neither: nothing was said of the credentials.
    Unjudged,
}

/// What is known of credentials that were refused or are being sent right now.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: HashMap<Digest, Entry>,
    /// With so many entries, those are dropped that say nothing any more.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Entry {
    /// When they were refused, oldest first.
    refused: Vec<Timestamp>,
    /// When an earlier process sent them, or may have, without leaving word of the answer.
    unanswered: Vec<Timestamp>,
    /// Since when requests with them are under way.
    under_way: Vec<Timestamp>,
    /// What the last refusal said.
    rejection: Option<Rejection>,
    /// When they last brought a token, if nothing refused them since.
    accepted: Option<Timestamp>,
}

/// Whether credentials may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// They may; [`Ledger::settle`] must follow.
    Send {
        /// Only after [`Ledger::records`] were written: a crash before the answer must not be forgotten.
        recorded: bool,
    },
    /// As many requests are under way as could be refused without breaking the promise: ask again shortly.
    Busy,
    /// They were refused too often.
    Withheld {
        /// When they may be sent again.
        until: Timestamp,
        /// What the last refusal said.
        rejection: Rejection,
    },
}

impl Presented {
    fn each(&self) -> impl Iterator<Item = &Digest> {
        let client = (self.client != self.whole).then_some(&self.client);
        [&self.whole].into_iter().chain(client)
    }

    /// Whom a refusal counts against. One of the client is one for everybody who sends it.
    fn refused_by(&self, rejection: Rejection) -> impl Iterator<Item = &Digest> {
        let all = rejection.cause().is_some();
        self.each().filter(move |digest| all || **digest == self.whole)
    }
}

impl Ledger {
    /// Asks whether these credentials may be sent, and counts them as under way if so.
    pub fn admit(&mut self, presented: &Presented, standing: Standing, now: Timestamp) -> Admission {
        if let Some((until, rejection)) = self.withheld(presented, now) {
            return Admission::Withheld { until, rejection };
        }
        let is_accepted = standing != Standing::Unknown;
        if presented.each().any(|digest| self.entries.get(digest).is_some_and(|entry| entry.is_busy(is_accepted, now))) {
            return Admission::Busy;
        }
        let alone = presented.each().all(|digest| self.entries.get(digest).is_none_or(|entry| entry.under_way.is_empty()));
        self.begin(presented, now);
        Admission::Send { recorded: !(alone && standing == Standing::Renewed) }
    }

    /// Lets a client be probed beside the refused request that asks for it, if that could not break the promise.
    pub fn admit_probe(&mut self, client: &Presented, now: Timestamp) -> bool {
        let is_free = |digest| self.entries.get(digest).is_none_or(|entry| entry.counted(now).len() + entry.under_way.len() < REFUSALS_MAX);
        let admitted = client.each().all(is_free);
        if admitted {
            self.begin(client, now);
        }
        admitted
    }

    fn begin(&mut self, presented: &Presented, now: Timestamp) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, entry| entry.says_something(now));
            self.sweep_at = self.entries.len() * 2 + ENTRIES_MIN;
        }
        for digest in presented.each() {
            let entry = self.entries.entry(digest.clone()).or_default();
            entry.forget(now);
            entry.under_way.push(now);
        }
    }

    /// Until when these credentials are held back, and what refused them last.
    pub fn withheld(&self, presented: &Presented, now: Timestamp) -> Option<(Timestamp, Rejection)> {
        let held = presented.each().filter_map(|digest| {
            let entry = self.entries.get(digest)?;
            let counted = entry.counted(now);
            let oldest = counted.get(counted.len().checked_sub(REFUSALS_MAX)?)?;
            Some((next_second(after(*oldest, WINDOW)), entry.rejection.unwrap_or(Rejection::CredentialsRejected)))
        });
        held.max_by_key(|(until, _)| *until)
    }

    /// Records the end of a request that was admitted at `sent`.
    pub fn settle(&mut self, presented: &Presented, sent: Timestamp, answered: Answered, now: Timestamp) {
        for digest in presented.each() {
            let Some(entry) = self.entries.get_mut(digest) else { continue };
            if let Some(index) = entry.under_way.iter().position(|time| *time == sent) {
                entry.under_way.swap_remove(index);
            }
            if answered == Answered::Accepted {
                entry.unanswered.clear();
                entry.accepted = Some(now);
            }
        }
        if let Answered::Refused(rejection) = answered {
            for digest in presented.refused_by(rejection) {
                let entry = self.entries.entry(digest.clone()).or_default();
                entry.refused.push(now);
                entry.rejection = Some(rejection);
                entry.accepted = None;
            }
        }
    }

    /// Takes in that a token was written for these credentials in that second: what was sent before was not refused.
    pub fn accepted_at(&mut self, presented: &Presented, time: Timestamp) {
        for digest in presented.each() {
            if let Some(entry) = self.entries.get_mut(digest) {
                entry.unanswered.retain(|sent| sent.as_second() > time.as_second());
            }
        }
    }

    /// Takes in that an earlier process may have sent these credentials unrecorded, since their renewal was due before this
    /// one began. Tells whether that is still open.
    pub fn suspect(&mut self, presented: &Presented, began: Timestamp) -> bool {
        let mut is_open = false;
        for digest in presented.each() {
            let entry = self.entries.entry(digest.clone()).or_default();
            if entry.accepted.is_none() {
                is_open = true;
                if !entry.unanswered.contains(&began) {
                    entry.unanswered.push(began);
                }
            }
        }
        is_open
    }

    /// Takes in what another process has written; what several have written counts once.
    pub fn restore(&mut self, record: &Record) {
        let entry = self.entries.entry(record.credentials.clone()).or_default();
        let times = match record.rejection {
            Some(_) => &mut entry.refused,
            None => &mut entry.unanswered,
        };
        if !times.contains(&record.time) {
            times.push(record.time);
            times.sort_unstable();
        }
        entry.rejection = record.rejection.or(entry.rejection);
    }

    /// All that the promise depends on and a restart must not forget.
    pub fn records(&self, now: Timestamp) -> Vec<Record> {
        let mut records: Vec<Record> = self.entries.iter().flat_map(|(credentials, entry)| entry.records(credentials, now)).collect();
        records.sort_by(|one, other| (one.time, &one.credentials).cmp(&(other.time, &other.credentials)));
        records
    }
}

impl Entry {
    /// What counts as refused within the window, oldest first. Rather one request less: what has no answer counts too.
    fn counted(&self, now: Timestamp) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.refused.iter().chain(&self.unanswered).copied().filter(|time| is_recent(*time, now)).collect();
        times.sort_unstable();
        times
    }

    /// One at a time while nobody knows whether they are accepted.
    fn is_busy(&self, is_accepted: bool, now: Timestamp) -> bool {
        let limit = if is_accepted || self.accepted.is_some() { REFUSALS_MAX } else { 1 };
        self.under_way.len() >= limit || self.counted(now).len() + self.under_way.len() >= REFUSALS_MAX
    }

    fn records(&self, credentials: &Digest, now: Timestamp) -> Vec<Record> {
        let said = Some(self.rejection.unwrap_or(Rejection::CredentialsRejected));
        let mut records = Vec::new();
        for (times, rejection) in [(&self.refused, said), (&self.unanswered, None), (&self.under_way, None)] {
            for time in times.iter().copied().filter(|time| is_recent(*time, now)) {
                let mut record = Record { credentials: credentials.clone(), time, rejection };
                // Two of the same moment are two when they are read back.
                while records.contains(&record) {
                    record.time = after(record.time, Duration::from_millis(1));
                }
                records.push(record);
            }
        }
        records
    }

    fn forget(&mut self, now: Timestamp) {
        self.refused.retain(|time| is_recent(*time, now));
        self.unanswered.retain(|time| is_recent(*time, now));
    }

    fn says_something(&self, now: Timestamp) -> bool {
        let is_accepted = self.accepted.is_some_and(|time| is_recent(time, now));
        is_accepted || !self.under_way.is_empty() || !self.counted(now).is_empty()
    }
}

/// The whole second at or after a time: statuses tell no fractions, and the window must be over.
fn next_second(time: Timestamp) -> Timestamp {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    if whole < time { after(whole, Duration::from_secs(1)) } else { whole }
}

/// Whether it lies within the window. What lies in the future (the clock was set back) does too: rather one request less.
pub fn is_recent(refused: Timestamp, now: Timestamp) -> bool {
    between(refused, now) < WINDOW
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
