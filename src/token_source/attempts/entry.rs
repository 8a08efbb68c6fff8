//! What the ledger knows of one credential.

use std::time::Duration;

use jiff::Timestamp;

use super::{Record, Said, WINDOW};
use crate::oauth::rejection::Rejection;
use crate::token_source::digest::Digest;
use crate::token_source::schedule::{after, between};

/// A request whose answer nobody read may have been refused so much later than it was sent: twice what one takes at the most
/// with the time limits that a spec has by default.
const JUDGED_WITHIN: Duration = Duration::from_secs(60);

/// What is known of a credential.
#[derive(Debug, Default)]
pub struct Entry {
    /// When this process saw them refused, oldest first.
    pub refused: Vec<Timestamp>,
    /// Requests with them that are under way.
    pub under_way: Vec<UnderWay>,
    /// What others had sent without an answer when the last of these was sent: its token answers that.
    asked_after: Vec<Timestamp>,
    /// What others had sent without an answer, and a token has answered since. Told to later processes: no clock can.
    proved: Vec<Timestamp>,
    /// When they were sent, and nobody read the answer.
    pub lost: Vec<Timestamp>,
    /// When a process before this one may have sent them unrecorded, at the latest.
    pub suspected: Option<Timestamp>,
    /// What other processes, dead or alive, have written: refusals, and what was sent without an answer.
    pub elsewhere: Vec<(Timestamp, Option<Rejection>)>,
    /// What the last refusal said.
    pub rejection: Option<Rejection>,
    /// When they last brought a token, if nothing refused them since.
    pub accepted: Option<Timestamp>,
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnderWay {
    /// Since when.
    pub sent: Timestamp,
    /// It was recorded before; if not, a later process would find it out by the renewal that is due.
    pub recorded: bool,
}

impl Entry {
    /// A request goes out.
    pub fn begin(&mut self, request: UnderWay) {
        self.asked_after = self.elsewhere.iter().filter(|(_, rejection)| rejection.is_none()).map(|(sent, _)| *sent).collect();
        self.under_way.push(request);
    }

    /// A request that was sent then is under way no more.
    pub fn end(&mut self, sent: Timestamp) {
        if let Some(index) = self.under_way.iter().position(|request| request.sent == sent) {
            self.under_way.swap_remove(index);
        }
    }

    /// A request that was sent then has brought a token.
    pub fn accept(&mut self, sent: Timestamp, now: Timestamp) {
        self.proved_by(sent);
        let answered = std::mem::take(&mut self.asked_after);
        self.prove(|time| answered.contains(&time));
        self.lost.clear();
        self.suspected = None;
        self.accepted = Some(now);
    }

    /// A token is there that was asked for then: that request, and what others sent before it, is answered. In milliseconds, as records and
    /// Secrets tell it. Tells whether something was open.
    pub fn proved_by(&mut self, requested_at: Timestamp) -> bool {
        self.prove(|sent| sent.as_millisecond() <= requested_at.as_millisecond())
    }

    /// Whether others have sent something then, to the millisecond, that has no answer.
    pub fn has_open(&self, time: Timestamp) -> bool {
        self.elsewhere.iter().any(|(sent, rejection)| rejection.is_none() && sent.as_millisecond() == time.as_millisecond())
    }

    /// Whether what others sent then is answered by a token.
    pub fn has_proved(&self, sent: Timestamp) -> bool {
        self.proved.contains(&sent)
    }

    fn prove(&mut self, is_answered: impl Fn(Timestamp) -> bool) -> bool {
        let before = self.proved.len();
        self.proved
            .extend(self.elsewhere.extract_if(.., |(sent, rejection)| rejection.is_none() && is_answered(*sent)).map(|(sent, _)| sent));
        self.proved.len() > before
    }

    /// Whether a refusal of a request counts for its client too, whose entry this is. One of the client is one for everybody who
    /// sends it. One that does not say whom it means may be, unless the client is known by a token.
    pub fn may_be_meant(&self, rejection: Rejection) -> bool {
        rejection.cause().is_some() || (rejection == Rejection::CredentialsRejected && self.accepted.is_none())
    }

    /// What counts as refused within the window, oldest first. Rather one request less: what has no answer counts too.
    pub fn counted(&self, now: Timestamp) -> Vec<Timestamp> {
        let elsewhere = self.elsewhere.iter().map(|(time, rejection)| counts_from(*time, *rejection));
        let lost = self.lost.iter().copied().chain(self.suspicion(now)).map(judged_by);
        let all = self.refused.iter().copied().chain(lost).chain(elsewhere);
        let mut times: Vec<_> = all.filter(|time| is_recent(*time, now)).collect();
        times.sort_unstable();
        times
    }

    /// None where others have left something without an answer: it would be that. Who knows of anything records all it sends.
    pub fn suspicion(&self, now: Timestamp) -> Option<Timestamp> {
        let is_open = |(time, rejection): &(Timestamp, Option<Rejection>)| rejection.is_none() && is_recent(judged_by(*time), now);
        self.suspected.filter(|_| !self.elsewhere.iter().any(is_open))
    }

    pub fn records(&self, credentials: &Digest, now: Timestamp) -> Vec<Record> {
        let said = Said::Refused(self.rejection.unwrap_or(Rejection::CredentialsRejected));
        let refused = self.refused.iter().map(|time| (*time, said));
        let under_way = self.under_way.iter().filter(|request| request.recorded).map(|request| request.sent);
        let sent = self.lost.iter().copied().chain(under_way).chain(self.suspicion(now)).map(|time| (time, Said::Sent));
        let proved = self.proved.iter().map(|time| (*time, Said::Proved));
        let all = refused.chain(sent).chain(proved).map(|(time, said)| Record { credentials: credentials.clone(), time, said });
        all.filter(|record| record.is_recent(now)).collect()
    }

    pub fn forget(&mut self, now: Timestamp) {
        self.refused.retain(|time| is_recent(*time, now));
        self.lost.retain(|time| is_recent(judged_by(*time), now));
        self.suspected = self.suspected.filter(|time| is_recent(judged_by(*time), now));
        self.proved.retain(|time| is_recent(judged_by(*time), now));
        self.elsewhere.retain(|(time, rejection)| is_recent(counts_from(*time, *rejection), now));
    }

    pub fn says_something(&self, now: Timestamp) -> bool {
        let is_accepted = self.accepted.is_some_and(|time| is_recent(time, now));
        is_accepted || !self.under_way.is_empty() || !self.proved.is_empty() || !self.counted(now).is_empty()
    }
}

/// When a refusal was, or may have been at the latest where there is no answer to what was sent then.
fn counts_from(time: Timestamp, rejection: Option<Rejection>) -> Timestamp {
    if rejection.is_some() { time } else { judged_by(time) }
}

pub fn judged_by(sent: Timestamp) -> Timestamp {
    after(sent, JUDGED_WITHIN)
}

/// Whether it lies within the window. What lies in the future (the clock was set back) does too: rather one request less.
pub fn is_recent(refused: Timestamp, now: Timestamp) -> bool {
    between(refused, now) < WINDOW
}
