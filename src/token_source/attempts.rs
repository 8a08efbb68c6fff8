//! The lock-out ledger: the same rejected credentials are never sent more than twice in any 60 minutes, by all
//! sources together. Vendors lock a client or a user after five.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::digest::Digest;
use super::schedule::{after, between};
use crate::oauth::rejection::Rejection;

/// The window that is counted in.
pub const WINDOW: Duration = Duration::from_secs(3600);
/// How many refusals it may hold.
pub const REFUSALS_MAX: usize = 2;

/// What is known of credentials that were refused or are being sent right now.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: HashMap<Digest, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    /// When they were refused, oldest first.
    refused: Vec<Timestamp>,
    /// How many requests with them have no answer yet.
    in_flight: usize,
    /// What the last refusal said.
    rejection: Option<Rejection>,
}

/// Whether credentials may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// They may; [`Ledger::settle`] must follow.
    Send,
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

impl Ledger {
    /// Asks whether these credentials may be sent, and counts them as under way if so.
    pub fn admit(&mut self, credentials: &Digest, now: Timestamp) -> Admission {
        if let Some((until, rejection)) = self.withheld(credentials, now) {
            return Admission::Withheld { until, rejection };
        }
        let entry = self.entries.entry(credentials.clone()).or_default();
        entry.forget(now);
        if entry.refused.len() + entry.in_flight >= REFUSALS_MAX {
            return Admission::Busy;
        }
        entry.in_flight += 1;
        Admission::Send
    }

    /// Until when these credentials are held back, and what refused them last.
    pub fn withheld(&self, credentials: &Digest, now: Timestamp) -> Option<(Timestamp, Rejection)> {
        let refused = self.refused(credentials, now);
        let oldest = refused.get(refused.len().checked_sub(REFUSALS_MAX)?)?;
        Some((after(*oldest, WINDOW), self.entries.get(credentials)?.rejection?))
    }

    /// Records the end of a request. `rejection` is what refused the credentials, if anything did.
    pub fn settle(&mut self, credentials: &Digest, now: Timestamp, rejection: Option<Rejection>) {
        let Some(entry) = self.entries.get_mut(credentials) else { return };
        entry.in_flight = entry.in_flight.saturating_sub(1);
        if rejection.is_some() {
            entry.rejection = rejection;
            entry.refused.push(now);
        }
        self.drop_if_empty(credentials, now);
    }

    /// Takes in what a status kept over a restart.
    pub fn restore(&mut self, credentials: &Digest, refused: &[Timestamp], rejection: Rejection) {
        let entry = self.entries.entry(credentials.clone()).or_default();
        entry.rejection.get_or_insert(rejection);
        // Several sources with the same credentials each keep the same refusals: of each time, as many as any one has.
        let count = |times: &[Timestamp], time: Timestamp| times.iter().filter(|other| **other == time).count();
        for (index, time) in refused.iter().enumerate() {
            let listed = refused.get(..=index).map_or(0, |times| count(times, *time));
            if count(&entry.refused, *time) < listed {
                entry.refused.push(*time);
            }
        }
        entry.refused.sort_unstable();
    }

    /// When these credentials were refused within the window, oldest first.
    pub fn refused(&self, credentials: &Digest, now: Timestamp) -> Vec<Timestamp> {
        let times = self.entries.get(credentials).map(|entry| entry.refused.as_slice()).unwrap_or_default();
        times.iter().copied().filter(|time| is_recent(*time, now)).collect()
    }

    fn drop_if_empty(&mut self, credentials: &Digest, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(credentials) {
            entry.forget(now);
            if entry.refused.is_empty() && entry.in_flight == 0 {
                self.entries.remove(credentials);
            }
        }
    }
}

impl Entry {
    fn forget(&mut self, now: Timestamp) {
        self.refused.retain(|time| is_recent(*time, now));
    }
}

/// A refusal from the future (the clock was set back) counts too: rather one request less.
fn is_recent(refused: Timestamp, now: Timestamp) -> bool {
    between(refused, now) < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WRONG: Rejection = Rejection::CredentialsRejected;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn credentials(name: char) -> Digest {
        Digest::parse(&name.to_string().repeat(32)).unwrap()
    }

    fn refused(ledger: &mut Ledger, second: i64) {
        assert_eq!(ledger.admit(&credentials('a'), at(second)), Admission::Send);
        ledger.settle(&credentials('a'), at(second), Some(WRONG));
    }

    #[test]
    fn refused_credentials_are_sent_twice_and_then_withheld_until_the_hour_is_over() {
        let mut ledger = Ledger::default();
        refused(&mut ledger, 0);
        refused(&mut ledger, 600);
        assert_eq!(ledger.admit(&credentials('a'), at(3599)), Admission::Withheld { until: at(3600), rejection: WRONG });
        refused(&mut ledger, 3600);
        assert_eq!(ledger.admit(&credentials('a'), at(3601)), Admission::Withheld { until: at(4200), rejection: WRONG });
    }

    #[test]
    fn other_credentials_are_sent_at_once() {
        let mut ledger = Ledger::default();
        refused(&mut ledger, 0);
        refused(&mut ledger, 1);
        assert_eq!(ledger.admit(&credentials('b'), at(2)), Admission::Send);
    }

    #[test]
    fn two_requests_at_a_time_and_a_third_waits_for_an_answer() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.admit(&credentials('a'), at(0)), Admission::Send);
        assert_eq!(ledger.admit(&credentials('a'), at(0)), Admission::Send);
        assert_eq!(ledger.admit(&credentials('a'), at(0)), Admission::Busy);
        ledger.settle(&credentials('a'), at(1), None);
        assert_eq!(ledger.admit(&credentials('a'), at(1)), Admission::Send);
    }

    #[test]
    fn a_restart_remembers_and_what_several_statuses_keep_counts_once() {
        let mut ledger = Ledger::default();
        ledger.restore(&credentials('a'), &[at(0)], WRONG);
        ledger.restore(&credentials('a'), &[at(0)], WRONG);
        ledger.restore(&credentials('b'), &[at(0), at(0)], WRONG);
        assert_eq!(ledger.refused(&credentials('b'), at(20)), [at(0), at(0)]);
        refused(&mut ledger, 10);
        assert_eq!(ledger.admit(&credentials('a'), at(20)), Admission::Withheld { until: at(3600), rejection: WRONG });
        assert_eq!(ledger.refused(&credentials('a'), at(20)), [at(0), at(10)]);
    }

    proptest! {
        #[test]
        fn whatever_happens_no_window_holds_more_than_two_refusals(steps in proptest::collection::vec((0_i64..900, any::<bool>(), any::<bool>()), 1..200)) {
            let (mut ledger, mut now, mut under_way, mut refusals) = (Ledger::default(), 0, 0, Vec::new());
            for (pause, answer, wrong) in steps {
                now += pause;
                if answer && under_way > 0 {
                    under_way -= 1;
                    ledger.settle(&credentials('a'), at(now), wrong.then_some(WRONG));
                    refusals.extend(wrong.then_some(now));
                } else if ledger.admit(&credentials('a'), at(now)) == Admission::Send {
                    under_way += 1;
                }
            }
            for window in refusals.windows(REFUSALS_MAX + 1) {
                prop_assert!(window[REFUSALS_MAX] - window[0] >= 3600);
            }
        }
    }
}
