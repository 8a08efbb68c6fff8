//! Renewals in the steady state: what one costs, and how late they are.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokensource::api::names::REFRESH_REQUESTED_AT;
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::endpoint::Endpoint;
use crate::operator::Operator;
use crate::report::Report;
use crate::sources::name;
use crate::watching::Observer;

/// Renewals a second on the average.
const RATE: u64 = 50;
const LIFE_MIN: u64 = 60;

pub async fn measure(operator: &Operator, cluster: &Cluster, endpoint: &Endpoint, count: usize, report: &mut Report) {
    let observer = Observer::start(cluster);
    observer.until_ready(count).await;
    let life = (count as u64 * 3 / 2 / RATE).max(LIFE_MIN);
    endpoint.life.set(life);
    // Spread over the wait of one token, as a grown set of sources is.
    let sources = cluster.sources();
    let pause = Duration::from_secs_f64(life as f64 * 0.6 / count as f64);
    for index in 0..count {
        let sources = sources.clone();
        tokio::spawn(async move {
            sleep(pause * u32::try_from(index).unwrap()).await;
            let patch = json!({"metadata": {"annotations": {REFRESH_REQUESTED_AT: "now"}}});
            sources.patch(&name(index), &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        });
    }
    while observer.renewals() < count {
        sleep(Duration::from_millis(200)).await;
    }
    // Each source had its forced refresh; from here on they renew themselves.
    observer.forget_lateness();
    let (usage, requests, issued) = (operator.usage(), operator.api_requests().await, endpoint.issued());
    while observer.renewals() < count * 2 {
        sleep(Duration::from_millis(200)).await;
    }
    let renewed = (endpoint.issued() - issued) as f64;
    let requests = (operator.api_requests().await - requests) / renewed;
    let cpu = (operator.usage().cpu_seconds - usage.cpu_seconds) / renewed;
    report.set("refresh: token life, seconds", life as f64, json!(life));
    report.set("refresh: renewals seen", observer.renewals() as f64, json!(observer.renewals()));
    report.set("refresh: API requests each", requests, json!(requests));
    report.set("refresh: token requests each", renewed / observer.renewals() as f64, json!(renewed / observer.renewals() as f64));
    report.set("refresh: operator CPU, ms each", cpu * 1000.0, json!(cpu));
    for (share, named) in [(0.5, "p50"), (0.99, "p99"), (1.0, "max")] {
        let lateness = observer.lateness(share);
        report.set(&format!("refresh: lateness {named}, seconds"), lateness, json!(lateness));
    }
    let expired = operator.counter("tokensource_expired_tokens_total", "").await;
    report.set("refresh: expired tokens", expired, json!(expired));
    report.set("refresh: peak RSS, MiB", operator.usage().peak_mib, json!(operator.usage().peak_mib));
}
