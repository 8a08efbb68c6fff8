//! Failures are answered by waiting, tokens are asked for when they are needed, statuses are written when they have changed.

use std::time::Duration;

use super::super::State;
use crate::api::names::REFRESH_REQUESTED_AT;
use crate::clock;

/// 10, 20, 40, 80, 160, 300 seconds of waiting leave room for seven; with a third of the life that is left each, down to 10 seconds
/// before the expiry, and growing again after it, for twice as many and some.
const FAILURES: usize = 18;
const FAILURES_WITHIN: Duration = Duration::from_secs(600);
/// `--min-refresh-interval` and the time of a request.
const NEED: Duration = Duration::from_secs(8);
/// So late the watches can be.
const UNHEARD: Duration = Duration::from_secs(30);
/// A look writes the status once.
const STATUSES: usize = 30;
const STATUSES_WITHIN: Duration = Duration::from_secs(60);

impl State {
    /// A request has failed.
    pub fn judge_backoff(&mut self, index: usize) {
        let now = clock::elapsed();
        let failed_at = &mut self.tracks[index].failed_at;
        while failed_at.front().is_some_and(|at| *at + FAILURES_WITHIN < now) {
            failed_at.pop_front();
        }
        if failed_at.len() > FAILURES {
            let (name, count) = (self.tracks[index].name.clone(), self.tracks[index].failed_at.len());
            self.violated("backoff", format!("{count} requests of {name} failed within {FAILURES_WITHIN:?}"));
            self.tracks[index].failed_at.clear();
        }
        if self.tracks[index].failures == 4 {
            self.saw("four failures in a row");
        }
    }

    /// A token has come.
    pub fn judge_need(&mut self, index: usize) {
        let now = clock::elapsed();
        // The first one may have been asked for before the operator heard that something else is wanted.
        let asked_at = self.tracks[index].asked_at;
        let is_heard_late = asked_at + UNHEARD > now || self.woken.is_some_and(|woken| woken + NEED > now && asked_at < woken);
        let is_soon = self.tracks[index].issued_at.is_some_and(|before| before + NEED > now);
        if is_soon && !is_heard_late && !self.is_forced(index) {
            let name = self.tracks[index].name.clone();
            self.violated("need", format!("{name} got two tokens within {NEED:?}"));
        }
    }

    /// Whether people ask for a token in a way that no look has heard of yet: the one that came just now was for something else.
    fn is_forced(&self, index: usize) -> bool {
        let Some(source) = self.api.sources.get(&self.tracks[index].name) else { return false };
        let asked = source.metadata.annotations.as_ref().and_then(|annotations| annotations.get(REFRESH_REQUESTED_AT));
        asked.is_some() && asked != source.status.as_ref().and_then(|status| status.last_handled_refresh_request.as_ref())
    }

    /// A status was written.
    pub fn judge_silence(&mut self, index: usize) {
        let now = clock::elapsed();
        let statuses = &mut self.tracks[index].statuses;
        while statuses.front().is_some_and(|at| *at + STATUSES_WITHIN < now) {
            statuses.pop_front();
        }
        statuses.push_back(now);
        if statuses.len() > STATUSES {
            let name = self.tracks[index].name.clone();
            self.violated("silence", format!("the status of {name} was written {STATUSES} times within {STATUSES_WITHIN:?}"));
            self.tracks[index].statuses.clear();
        }
    }
}
