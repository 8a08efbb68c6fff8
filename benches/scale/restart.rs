//! The restart: everything is fresh, so nothing should be asked for.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::endpoint::Endpoint;
use crate::operator::Operator;
use crate::report::Report;

/// Ends the operator, starts another, and gives that one back.
pub async fn measure(operator: Operator, cluster: &Cluster, endpoint: &Endpoint, count: usize, report: &mut Report) -> Operator {
    operator.end().await;
    let issued = endpoint.issued();
    let operator = Operator::start(cluster, &[]).await;
    while !operator.is_ready().await {
        sleep(Duration::from_millis(20)).await;
    }
    let ready = operator.started.elapsed().as_secs_f64();
    while operator.counter("tokensource_reconcile_duration_seconds_count", "").await < count as f64 {
        sleep(Duration::from_millis(50)).await;
    }
    let looked = operator.started.elapsed().as_secs_f64();
    sleep(Duration::from_secs(5)).await;
    let (usage, requests) = (operator.usage(), operator.api_requests().await);
    report.set("restart: seconds until /readyz", ready, json!(ready));
    report.set("restart: seconds until every source was looked at", looked, json!(looked));
    report.set("restart: token requests", (endpoint.issued() - issued) as f64, json!(endpoint.issued() - issued));
    report.set("restart: API requests", requests, json!(requests));
    report.set("restart: operator CPU, seconds", usage.cpu_seconds, json!(usage.cpu_seconds));
    report.set("restart: peak RSS, MiB", usage.peak_mib, json!(usage.peak_mib));
    operator
}
