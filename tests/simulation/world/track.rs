//! What is known of a source beside its objects: what has happened to it, and what its operator must have been told.

use std::collections::VecDeque;
use std::time::Duration;

use crate::oauth::rejection::RetryClass;
use crate::token_source::digest::Digest;

/// What is known of a source.
#[derive(Debug, Default)]
pub struct Track {
    /// Its name, and that of its target Secret.
    pub name: String,
    /// Its credentials.
    pub group: usize,
    /// When something last changed that concerns it.
    pub disturbed: Duration,
    /// Requests that have no answer yet.
    pub in_flight: u32,
    /// What its process knows to be under way.
    pub sent: Option<Sent>,
    /// What the last answer said, unless it was a token.
    pub told: Option<Told>,
    /// How many answers in a row to the same request were no token.
    pub failures: u32,
    /// Which request that was.
    pub failing: String,
    /// When they came.
    pub failed_at: VecDeque<Duration>,
    /// When something else was asked for.
    pub asked_at: Duration,
    /// When a token last came.
    pub issued_at: Option<Duration>,
    /// The refresh token that the operator was given last, until it was seen to be kept.
    pub given: Option<Given>,
    /// People have changed the target Secret since it was written.
    pub is_tampered: bool,
    /// When its status was written in the last minute.
    pub statuses: VecDeque<Duration>,
    /// The digest of its spec, by UID and generation: it takes long to make.
    pub spec: Option<(Option<String>, Option<i64>, Digest)>,
    /// People will give it a new refresh token.
    pub is_reported: bool,
}

/// A failure as the operator learnt of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The reason that the condition must have; none where several fit.
    pub reason: Option<&'static str>,
    /// What the request was made of: the answer says nothing of others.
    pub request: String,
    /// When it came.
    pub at: Duration,
    /// How long it may be waited.
    pub class: RetryClass,
    /// How many in a row it was.
    pub failures: u32,
    /// What the server asked for.
    pub retry_after: Option<u64>,
}

impl Told {
    /// When the next try must have been made. The operator may have counted one failure more: what the ledger held back.
    pub fn until(&self, published: Option<u32>) -> Duration {
        let failures = published.filter(|published| *published == self.failures + 1).unwrap_or(self.failures);
        self.at + longest_wait(self.class, failures, self.retry_after)
    }
}

/// A request as the ledger knows it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When.
    pub at: Duration,
    /// By which client secret.
    pub client_secret: String,
    /// When it was answered for good: after a refused refresh token the grant itself follows.
    pub answered: Option<Duration>,
}

/// A refresh token in the operator's hands.
#[derive(Debug, Clone)]
pub struct Given {
    /// The token.
    pub token: String,
    /// When.
    pub at: Duration,
    /// Something happened that may lose it.
    pub is_excused: bool,
}

/// The longest wait after so many failures in a row: what docs/concepts.md promises, restated.
fn longest_wait(class: RetryClass, failures: u32, retry_after: Option<u64>) -> Duration {
    let (short, hour, day) = (Duration::from_secs(300), Duration::from_secs(3600), Duration::from_secs(24 * 3600));
    let slow = |failures: u32| hour.saturating_mul(1 << failures.clamp(1, 10).saturating_sub(1)).min(day);
    let asked = Duration::from_secs(retry_after.unwrap_or(0)).min(hour);
    let wait = match class {
        RetryClass::Input | RetryClass::Slow => slow(failures),
        RetryClass::BackoffThenSlow if failures > 5 => slow(failures - 5),
        RetryClass::Backoff | RetryClass::BackoffThenSlow | RetryClass::Server => short,
    };
    // Up to a tenth of jitter.
    wait.max(asked).mul_f64(1.1)
}
