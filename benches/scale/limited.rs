//! Schedule quality: more sources than the endpoint's limit can keep alive. Which share can be is arithmetic.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::api::ListParams;
use serde_json::json;
use tokensource::api::condition::{ConditionType, find};
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::endpoint::{Endpoint, Life, Limit};
use crate::histogram::Histogram;
use crate::operator::Operator;
use crate::report::Report;
use crate::sources;

const LIFE: u64 = 300;
const A_MINUTE: usize = 1000;
const SAMPLE: Duration = Duration::from_secs(15);

pub async fn measure(count: usize, seconds: u64) -> Report {
    let mut report = Report::new("limited", count);
    let cluster = Cluster::reach("limited").await;
    let endpoint = Endpoint::start(Life::of_seconds(LIFE), Some(Limit { a_minute: A_MINUTE })).await;
    sources::write(&cluster, &endpoint, count, sources::Clients::OneEach).await;
    let possible = (A_MINUTE as u64 * LIFE / 60).min(count as u64) as f64;
    let operator = Operator::start(&cluster, &["--endpoint-rate", "50"]).await;
    let began = Instant::now();
    let mut alive = Vec::new();
    while began.elapsed().as_secs() < seconds {
        sleep(SAMPLE).await;
        let now = endpoint.alive();
        let backlog = operator.counter("tokensource_backlog", "").await;
        let ready = operator.counter("tokensource_ready", "").await;
        eprintln!("{:5} s: {now} alive, {ready} told ready, backlog {backlog}", began.elapsed().as_secs());
        alive.push(now as f64);
    }
    // The first life of a token is the filling.
    let settled = &alive[alive.len().min(usize::try_from(2 * LIFE / SAMPLE.as_secs()).unwrap())..];
    let mean = settled.iter().sum::<f64>() / settled.len() as f64;
    let least = settled.iter().copied().fold(f64::INFINITY, f64::min);
    let most = settled.iter().copied().fold(0.0, f64::max);
    let told = told(&cluster).await;
    let expired = operator.counter("tokensource_expired_tokens_total", "").await;
    report.set("possible at the same time", possible, json!(possible));
    report.set("alive on the average, % of the possible", mean / possible * 100.0, json!(mean / possible));
    report.set("alive at the least, % of the possible", least / possible * 100.0, json!(least / possible));
    report.set("alive at the most, % of the possible", most / possible * 100.0, json!(most / possible));
    for (reason, sources) in &told {
        report.set(&format!("told in the end: {reason}"), *sources as f64, json!(sources));
    }
    report.set("tokens that expired before they were renewed", expired, json!(expired));
    report.set("token requests refused (429)", endpoint.refused() as f64, json!(endpoint.refused()));
    report.set("tokens issued", endpoint.issued() as f64, json!(endpoint.issued()));
    let arrivals: Vec<f64> = endpoint.arrivals().iter().map(|arrival| arrival.after.as_secs_f64()).collect();
    let minutes = Histogram::of(&arrivals, usize::try_from(seconds / 60).unwrap().max(1));
    report.show("token requests a minute", &minutes.bars(), minutes.json());
    report.set("peak RSS, MiB", operator.usage().peak_mib, json!(operator.usage().peak_mib));
    operator.end().await;
    cluster.clear().await;
    report
}

/// How many sources tell each reason by their condition `Ready`.
async fn told(cluster: &Cluster) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for source in cluster.sources().list(&ListParams::default()).await.unwrap() {
        let status = source.status.unwrap_or_default();
        let reason = find(&status.conditions, ConditionType::Ready).map_or_else(|| "nothing".to_owned(), |ready| ready.reason.clone());
        *told.entry(reason).or_default() += 1;
    }
    told
}
