//! No rejected credential is sent more than twice in any 60 minutes, as the authorization server counts.
//!
//! Where the operator's clock jumps forward by J, its hour is J shorter in true time, and nothing can tell it: two refusals in
//! 60 minutes by *its* clock are allowed then.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::State;
use super::super::authorization_server::Verdict;
use crate::clock;

/// In which refusals are counted.
pub const WINDOW: Duration = Duration::from_secs(3600);
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
    /// It was refused; else nobody has taken in an answer.
    pub is_refusal: bool,
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

    /// What was counted against the credentials of a group, whichever they were.
    pub fn strikes(&self, group: usize) -> impl Iterator<Item = &Strike> {
        self.strikes.get(&group).into_iter().flatten()
    }
}

impl State {
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
