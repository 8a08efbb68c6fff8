//! What a run is given by its environment.

use std::env;
use std::time::Duration;

use crate::random;

/// Of a run of faults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Sets what happens to whom, in which order and for how long. Not how fast the machine is.
    pub seed: u64,
    /// The whole run, the world's start included.
    pub whole: Duration,
}

/// Shorter runs have some of the faults only.
const FULL: Duration = Duration::from_secs(240);

impl Settings {
    pub fn from_env() -> Self {
        Self { seed: number("CHAOS_SEED").unwrap_or_else(random::seed), whole: Duration::from_secs(number("CHAOS_SECONDS").unwrap_or(600)) }
    }

    pub fn is_short(&self) -> bool {
        self.whole < FULL
    }

    /// The command that repeats the run.
    pub fn replay(&self) -> String {
        format!("make chaos CHAOS_SEED={} CHAOS_SECONDS={}", self.seed, self.whole.as_secs())
    }
}

/// A variable's number; none where it is unset or empty.
pub fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
