//! The cold start: every source needs its first token.

use serde_json::json;

use crate::cluster::Cluster;
use crate::endpoint::Endpoint;
use crate::operator::Operator;
use crate::report::Report;
use crate::watching::Observer;

/// Sources a second, from the operator's start to the last of them.
pub async fn measure(cluster: &Cluster, endpoint: &Endpoint, operator: &Operator, count: usize, report: &mut Report) -> f64 {
    let observer = Observer::start(cluster);
    let seconds = observer.until_ready(count).await.duration_since(operator.started).as_secs_f64();
    let rate = count as f64 / seconds;
    let (usage, requests) = (operator.usage(), operator.api_requests().await);
    report.set("cold: seconds until all are ready", seconds, json!(seconds));
    report.set("cold: sources/s", rate, json!(rate));
    report.set("cold: operator CPU, seconds", usage.cpu_seconds, json!(usage.cpu_seconds));
    report.set("cold: peak RSS, MiB", usage.peak_mib, json!(usage.peak_mib));
    report.set("cold: token requests", endpoint.issued() as f64, json!(endpoint.issued()));
    report.set("cold: API requests a source", requests / count as f64, json!(requests / count as f64));
    for resource in ["secrets", "tokensources/status", "events"] {
        let requests = operator.counter("tokensource_kubernetes_requests_total", &format!("resource=\"{resource}\"")).await;
        report.set(&format!("cold: of them {resource}"), requests, json!(requests));
    }
    rate
}
