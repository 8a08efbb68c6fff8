//! Token requests: how many, with which result, how long they took, and which were never sent.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the token requests' durations, in seconds.
const DURATIONS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counters of token requests.
pub struct TokenRequests {
    requests: Family<RequestLabels, Counter>,
    durations: Family<HostLabels, Histogram>,
    saved: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    host: String,
    grant: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HostLabels {
    host: String,
}

impl TokenRequests {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let durations: Family<HostLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(DURATIONS));
        let saved = Counter::default();
        registry.register("token_requests", "Token requests by host, grant and result: TokenIssued or a reason", requests.clone());
        registry.register("token_request_duration_seconds", "Time from a token request to its answer, by host", durations.clone());
        registry.register(
            "rejected_attempts_saved",
            "Token requests that were not sent because the same credentials had been refused twice within the hour",
            saved.clone(),
        );
        Self { requests, durations, saved }
    }

    /// Counts a token request that was answered, or failed on its way.
    pub fn requested(&self, host: &str, grant: &'static str, result: &'static str, duration: Duration) {
        let host = host.to_owned();
        self.durations.get_or_create(&HostLabels { host: host.clone() }).observe(duration.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { host, grant, result }).inc();
    }

    /// Counts a request that the lock-out ledger held back.
    pub fn saved(&self) {
        self.saved.inc();
    }
}
