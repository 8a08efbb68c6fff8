//! Metrics, in the names that dashboards and alerts are built on. Labels are hosts, grants and reasons: nothing else of a request.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the token requests' durations, in seconds.
const DURATIONS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    token_requests: Family<TokenRequestLabels, Counter>,
    token_request_durations: Family<HostLabels, Histogram>,
    rejected_attempts_saved: Counter,
    leader: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TokenRequestLabels {
    host: String,
    grant: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HostLabels {
    host: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let token_requests = Family::default();
        let token_request_durations: Family<HostLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(DURATIONS));
        let rejected_attempts_saved = Counter::default();
        let mut registry = Registry::with_prefix("tokensource");
        registry.register("token_requests", "Token requests by host, grant and result: TokenIssued or a reason", token_requests.clone());
        registry.register(
            "token_request_duration_seconds",
            "Time from a token request to its answer, by host",
            token_request_durations.clone(),
        );
        registry.register(
            "rejected_attempts_saved",
            "Token requests that were not sent because the same credentials had been refused twice within the hour",
            rejected_attempts_saved.clone(),
        );
        let leader = Gauge::default();
        registry.register("leader", "1: this process looks after the sources; 0: it stands by", leader.clone());
        Self { registry, token_requests, token_request_durations, rejected_attempts_saved, leader }
    }
}

impl Metrics {
    /// Counts a token request that was answered, or failed on its way.
    pub fn requested(&self, host: &str, grant: &'static str, result: &'static str, duration: Duration) {
        let host = host.to_owned();
        self.token_request_durations.get_or_create(&HostLabels { host: host.clone() }).observe(duration.as_secs_f64());
        self.token_requests.get_or_create(&TokenRequestLabels { host, grant, result }).inc();
    }

    /// Counts a request that the lock-out ledger held back.
    pub fn saved(&self) {
        self.rejected_attempts_saved.inc();
    }

    /// Tells whether this process looks after the sources.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// All metrics in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(), // writing to a String does not fail
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_contract() {
        let metrics = Metrics::default();
        metrics.requested("auth.example.com", "password", "UserAuthenticationFailed", Duration::from_millis(30));
        metrics.saved();
        metrics.leads(true);
        let text = metrics.text();
        for line in [
            r#"tokensource_token_requests_total{host="auth.example.com",grant="password",result="UserAuthenticationFailed"} 1"#,
            r#"tokensource_token_request_duration_seconds_count{host="auth.example.com"} 1"#,
            "tokensource_rejected_attempts_saved_total 1",
            "tokensource_leader 1",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
        }
    }
}
