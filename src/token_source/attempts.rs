//! The lock-out ledger: the same rejected credentials are never sent more than twice in any 60 minutes, by all
//! sources together and over restarts. Vendors lock a client or a user after five.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::digest::Digest;
use super::schedule::after;
use crate::oauth::rejection::Rejection;

mod entry;
mod record;

use entry::{Entry, UnderWay};
pub use record::{Record, Said};

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

/// What a process after this one would know of a request if this one died before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Unknown,
    /// That it may have been sent: a token that the credentials brought is there, and is due to be renewed.
    Renewed,
}

/// What a token that is there proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it was asked for with: client, user, assertion.
    pub credentials: Digest,
    /// When, in milliseconds.
    pub requested_at: Timestamp,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A token.
    Accepted,
    /// A refusal of credentials.
    Refused(Rejection),
    /// Neither: nothing was said of the credentials, or nothing was sent.
    Unjudged,
    /// Nobody waited for the answer.
    Lost,
}

/// What is known of credentials that were refused or are being sent right now.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: HashMap<Digest, Entry>,
    /// With so many entries, those are dropped that say nothing any more.
    sweep_at: usize,
}

/// Whether credentials may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// They may; [`Ledger::settle`] must follow.
    Send {
        /// Only after [`Ledger::records`] were written: a crash before the answer must not be forgotten.
        recorded: bool,
    },
    /// One request with them is under way, and two could be lost in one crash: ask again when it is answered.
    Busy,
    /// They were refused too often.
    Withheld {
        /// When they may be sent again.
        until: Timestamp,
        /// What the last refusal said.
        rejection: Rejection,
        /// Some of it was sent by other processes that have not written the answer yet: it may be there by now.
        is_open: bool,
    },
}

impl Presented {
    fn each(&self) -> impl Iterator<Item = &Digest> {
        let client = (self.client != self.whole).then_some(&self.client);
        [&self.whole].into_iter().chain(client)
    }
}

impl Ledger {
    /// Asks whether these credentials may be sent, and counts them as under way if so.
    pub fn admit(&mut self, presented: &Presented, standing: Standing, now: Timestamp) -> Admission {
        if let Some(withheld) = self.withheld(presented, now) {
            return withheld;
        }
        if presented.each().any(|digest| self.entries.get(digest).is_some_and(|entry| !entry.under_way.is_empty())) {
            return Admission::Busy;
        }
        let quiet = presented.each().all(|digest| self.entries.get(digest).is_none_or(|entry| entry.counted(now).is_empty()));
        let recorded = !(quiet && standing == Standing::Renewed);
        self.begin(presented, now, recorded);
        Admission::Send { recorded }
    }

    /// Lets a client be probed beside the refused request that asks for it, if that could not break the promise.
    pub fn admit_probe(&mut self, client: &Presented, now: Timestamp) -> bool {
        let is_free = |digest| self.entries.get(digest).is_none_or(|entry| entry.counted(now).len() + entry.under_way.len() < REFUSALS_MAX);
        let admitted = client.each().all(is_free);
        if admitted {
            self.begin(client, now, true);
        }
        admitted
    }

    fn begin(&mut self, presented: &Presented, now: Timestamp, recorded: bool) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, entry| entry.says_something(now));
            self.sweep_at = self.entries.len() * 2 + ENTRIES_MIN;
        }
        for digest in presented.each() {
            let entry = self.entries.entry(digest.clone()).or_default();
            entry.forget(now);
            entry.begin(UnderWay { sent: now, recorded });
        }
    }

    /// Until when these credentials are held back, if they are.
    pub fn withheld(&self, presented: &Presented, now: Timestamp) -> Option<Admission> {
        let held = presented.each().filter_map(|digest| {
            let entry = self.entries.get(digest)?;
            let counted = entry.counted(now);
            let oldest = counted.get(counted.len().checked_sub(REFUSALS_MAX)?)?;
            Some((next_second(after(*oldest, WINDOW)), entry))
        });
        let (until, entry) = held.max_by_key(|(until, _)| *until)?;
        let rejection = entry.rejection.unwrap_or(Rejection::CredentialsRejected);
        Some(Admission::Withheld { until, rejection, is_open: entry.elsewhere.iter().any(|(_, rejection)| rejection.is_none()) })
    }

    /// Records the end of a request that was admitted at `sent`.
    pub fn settle(&mut self, presented: &Presented, sent: Timestamp, answered: Answered, now: Timestamp) {
        for digest in presented.each() {
            let Some(entry) = self.entries.get_mut(digest) else { continue };
            entry.end(sent);
            match answered {
                Answered::Accepted => entry.accept(sent, now),
                Answered::Lost => entry.lost.push(sent),
                Answered::Refused(_) | Answered::Unjudged => {}
            }
        }
        if let Answered::Refused(rejection) = answered {
            for digest in presented.each() {
                let entry = self.entries.entry(digest.clone()).or_default();
                if *digest == presented.whole || entry.may_be_meant(rejection) {
                    entry.refused.push(now);
                    entry.rejection = Some(rejection);
                    entry.accepted = None;
                }
            }
        }
    }

    /// Takes in that a token is there: what others sent with its credentials until it was asked for was not refused. Of another user, or
    /// of an assertion that is another by now, it is known to prove the client where that sent something at that very time. Tells
    /// whether something was open.
    pub fn proved(&mut self, presented: &Presented, proof: &Proof) -> bool {
        let is_same = proof.credentials == presented.whole;
        let mut is_news = false;
        for digest in presented.each() {
            let entry = self.entries.get_mut(digest).filter(|entry| is_same || entry.has_open(proof.requested_at));
            is_news |= entry.is_some_and(|entry| entry.proved_by(proof.requested_at));
        }
        is_news
    }

    /// Takes in that an earlier process may have sent these credentials unrecorded, at that time at the latest, since their renewal
    /// was due while it led. Tells whether that is still open. It counts once, and not once a restart while an endpoint is away.
    pub fn suspect(&mut self, presented: &Presented, sent_before: Timestamp) -> bool {
        let mut is_open = false;
        for digest in presented.each() {
            let entry = self.entries.entry(digest.clone()).or_default();
            if entry.accepted.is_none() {
                is_open = true;
                entry.suspected = Some(sent_before);
            }
        }
        is_open
    }

    /// Takes in all that other processes have written, instead of what they had written before.
    pub fn restore(&mut self, records: &[Record]) {
        self.entries.values_mut().for_each(|entry| entry.elsewhere.clear());
        let proved: HashSet<(&Digest, Timestamp)> =
            records.iter().filter(|record| record.said == Said::Proved).map(|record| (&record.credentials, record.time)).collect();
        for Record { credentials, time, said } in records {
            let entry = self.entries.entry(credentials.clone()).or_default();
            match said {
                Said::Refused(rejection) => {
                    entry.elsewhere.push((*time, Some(*rejection)));
                    entry.rejection.get_or_insert(*rejection);
                }
                Said::Sent if !proved.contains(&(credentials, *time)) && !entry.has_proved(*time) => entry.elsewhere.push((*time, None)),
                Said::Sent | Said::Proved => {}
            }
        }
    }

    /// What this process knows that a restart must not forget.
    pub fn records(&self, now: Timestamp) -> Vec<Record> {
        let mut records: Vec<Record> = self.entries.iter().flat_map(|(credentials, entry)| entry.records(credentials, now)).collect();
        records.sort_by(|one, other| (one.time, &one.credentials).cmp(&(other.time, &other.credentials)));
        records
    }
}

/// The whole second at or after a time: statuses tell no fractions, and the window must be over.
fn next_second(time: Timestamp) -> Timestamp {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    if whole < time { after(whole, Duration::from_secs(1)) } else { whole }
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
