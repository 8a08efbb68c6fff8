//! Metrics, in the names that dashboards and alerts are built on. Labels are names of objects, hosts, grants and reasons:
//! nothing else of a request. `docs/metrics.md` tells them to users.

pub mod exposition;
pub mod kubernetes_requests;
mod process;
mod reconciles;
mod sources;
mod token_requests;

use std::time::Duration;

use kube::runtime::reflector::Store;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use self::exposition::Format;
use self::kubernetes_requests::KubernetesRequests;
use self::process::Process;
use self::reconciles::Reconciles;
use self::sources::Sources;
use self::token_requests::TokenRequests;
use crate::api::TokenSource;
use crate::token_source::punctuality::Punctuality;

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    token_requests: TokenRequests,
    reconciles: Reconciles,
    kubernetes_requests: KubernetesRequests,
    sources: Sources,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Registry::default();
        // The process's own names are those that every exporter uses, without our prefix.
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix("tokensource");
        let sources = Sources::default();
        registry.register_collector(Box::new(sources.clone()));
        let token_requests = TokenRequests::register(registry);
        let reconciles = Reconciles::register(registry);
        let kubernetes_requests = KubernetesRequests::register(registry);
        let leader = Gauge::default();
        registry.register("leader", "1: this process looks after the sources; 0: it stands by", leader.clone());
        Self { registry: all, token_requests, reconciles, kubernetes_requests, sources, leader }
    }
}

impl Metrics {
    /// Counts a token request that was answered, or failed on its way.
    pub fn requested(&self, host: &str, grant: &'static str, result: &'static str, duration: Duration) {
        self.token_requests.requested(host, grant, result, duration);
    }

    /// Counts a request that the lock-out ledger held back.
    pub fn saved(&self) {
        self.token_requests.saved();
    }

    /// Takes note of one look at a source.
    pub fn reconciled(&self, duration: Duration) {
        self.reconciles.reconciled(duration);
    }

    /// Takes note of how punctual a source's token is.
    pub fn judged(&self, punctuality: Punctuality) {
        self.reconciles.judged(punctuality);
    }

    /// What counts the requests to the API server.
    pub fn kubernetes_requests(&self) -> &KubernetesRequests {
        &self.kubernetes_requests
    }

    /// From now on the series of these sources are told; what was watched before is forgotten.
    pub fn watch(&self, stores: Vec<Store<TokenSource>>) {
        self.sources.watch(stores);
    }

    /// Tells whether this process looks after the sources.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// All metrics as text, in pieces.
    pub fn write(&self, format: Format) -> Vec<String> {
        let mut writer = format.writer();
        match encode(&mut writer, &self.registry) {
            Ok(()) => writer.finish(),
            Err(std::fmt::Error) => Vec::new(), // writing into memory does not fail
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leads_is_told() {
        let metrics = Metrics::default();
        metrics.leads(true);
        assert!(metrics.write(Format::OpenMetrics).concat().lines().any(|line| line == "tokensource_leader 1"));
    }
}
