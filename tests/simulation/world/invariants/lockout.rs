//! No rejected credential is sent more than twice in any 60 minutes, as the authorization server counts.
//!
//! Where the operator's clock jumps forward by J, its hour is J shorter in true time, and nothing can tell it: two refusals in
//! 60 minutes by *its* clock are allowed then.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::authorization_server::Verdict;
use super::super::{APPS, State};
use crate::clock;

const WINDOW: Duration = Duration::from_secs(3600);
/// Around a jump it is open which of the two clocks was read.
const JUMP: Duration = Duration::from_secs(30);

/// What was refused.
#[derive(Debug, Default)]
pub struct Refusals {
    by_credentials: BTreeMap<String, Vec<Refusal>>,
    /// By group: what may make the operator hold credentials back.
    strikes: BTreeMap<usize, Vec<Strike>>,
}

/// Something that the ledger counts against credentials: a refusal, or a request without an answer.
#[derive(Debug, Clone)]
pub struct Strike {
    /// When.
    pub at: Duration,
    /// Against whom.
    pub client_secret: String,
    /// Against which user with it; none: the client, or both.
    pub password: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Refusal {
    at: Duration,
    /// By the operator's clock, in milliseconds since the run began.
    told: i64,
}

impl Refusals {
    /// Something was counted against the credentials of a group.
    pub fn strike(&mut self, group: usize, strike: Strike) {
        self.strikes.entry(group).or_default().push(strike);
    }

    /// The latest strike against these credentials, if there may be two within the hour. The beginning of a process counts as one: it takes
    /// a renewal that was due before for sent.
    fn held_back_since(&self, group: usize, client_secret: &str, password: &str, terms: &[Duration], now: Duration) -> Option<Duration> {
        let is_meant =
            |strike: &&Strike| strike.client_secret == client_secret && strike.password.as_ref().is_none_or(|refused| refused == password);
        let strikes = self.strikes.get(&group).into_iter().flatten().filter(is_meant).map(|strike| &strike.at).chain(terms);
        let recent: Vec<Duration> = strikes.copied().filter(|at| *at + WINDOW + Duration::from_secs(1200) > now).collect();
        recent.iter().max().copied().filter(|_| recent.len() >= 2)
    }
}

impl State {
    /// Since when the ledger may hold back what the credentials Secret holds now.
    pub fn held_back_since(&self, group: usize) -> Option<Duration> {
        let kept = self.api.secret(APPS, &self.servers.groups[group].name)?;
        let text = |key: &str| {
            let value = kept.secret.data.as_ref().and_then(|data| data.get(key));
            value.and_then(|value| std::str::from_utf8(&value.0).ok()).unwrap_or_default()
        };
        self.refusals.held_back_since(group, text("client_secret"), text("password"), &self.terms, clock::elapsed())
    }

    /// The authorization server has judged credentials.
    pub fn judge_refusal(&mut self, verdict: &Verdict, clock_error: i64) {
        let (Verdict::Client(whose) | Verdict::User(whose)) = verdict else { return };
        self.saw("credentials refused");
        let at = clock::elapsed();
        let told = i64::try_from(at.as_millis()).unwrap() + clock_error;
        let refusals = self.refusals.by_credentials.entry(whose.clone()).or_default();
        refusals.push(Refusal { at, told });
        let Some([first, .., third]) = refusals.len().checked_sub(3).map(|from| &refusals[from..]) else { return };
        let (first, third) = (*first, *third);
        let near_a_jump = self.jumps.iter().any(|jump| jump.abs_diff(first.at) < JUMP || jump.abs_diff(third.at) < JUMP);
        let true_wait = third.at.saturating_sub(first.at);
        let told_wait = Duration::from_millis(u64::try_from(third.told - first.told).unwrap_or(0));
        if true_wait.max(told_wait) < WINDOW && !near_a_jump {
            self.violated(
                "lock-out",
                format!("the same credentials were refused three times in {true_wait:?} ({told_wait:?} by the operator's clock)"),
            );
        } else if true_wait < WINDOW {
            self.saw("third refusal within a true hour, by a clock that had jumped");
        } else if true_wait < WINDOW * 2 {
            self.saw("third refusal right after the hour");
        }
    }
}
