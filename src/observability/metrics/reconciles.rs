//! Looks at sources: how long they took, and whether renewals came in time.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::token_source::punctuality::Punctuality;

/// Upper bounds of a look's duration, in seconds: from one without any request to one that waits for a slow endpoint.
const DURATIONS: [f64; 11] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
/// Upper bounds of lateness, in seconds: a queue takes seconds, an outage of the endpoint minutes to hours.
const LATENESSES: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0];

/// Counters of looks at sources.
pub struct Reconciles {
    durations: Histogram,
    lateness: Histogram,
    expired: Counter,
}

impl Reconciles {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let (durations, lateness) = (Histogram::new(DURATIONS), Histogram::new(LATENESSES));
        let expired = Counter::default();
        registry.register("reconcile_duration_seconds", "Time that one look at a source took, with its requests", durations.clone());
        registry.register("refresh_lateness_seconds", "Time from when a renewal was due to the new token in the Secret", lateness.clone());
        registry.register("expired_tokens", "Tokens that expired before they were renewed", expired.clone());
        Self { durations, lateness, expired }
    }

    /// Takes note of one look.
    pub fn reconciled(&self, duration: Duration) {
        self.durations.observe(duration.as_secs_f64());
    }

    /// Takes note of how punctual it found or made the token.
    pub fn judged(&self, punctuality: Punctuality) {
        if let Some(lateness) = punctuality.lateness {
            self.lateness.observe(lateness.as_secs_f64());
        }
        if punctuality.expired {
            self.expired.inc();
        }
    }
}
