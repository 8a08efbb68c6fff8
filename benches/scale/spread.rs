//! How requests spread: after sources were made all at once, and after a restart that finds every token due.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::endpoint::{Arrival, Endpoint, Life};
use crate::histogram::Histogram;
use crate::operator::Operator;
use crate::report::Report;
use crate::sources::{self, Clients, client_of};
use crate::watching::Observer;

const STRETCHES: usize = 20;
/// The operator's own limit, as it is by default.
const RATE: u64 = 50;

/// `count` sources, with the operator's own limits as they are by default.
pub async fn measure(count: usize) -> Report {
    let mut report = Report::new("spread", count);
    let cluster = Cluster::reach("spread").await;
    // The first tokens come one after the other by the pace; the life leaves room for a second round before the first expiry.
    let round = count as u64 / RATE;
    let life = (round * 7).max(120);
    let endpoint = Endpoint::start(Life::of_seconds(life), None).await;
    sources::write(&cluster, &endpoint, count, Clients::OneEach).await;
    report.set("token life, seconds", life as f64, json!(life));

    let began = Instant::now();
    let operator = Operator::start(&cluster, &["--endpoint-rate", &RATE.to_string()]).await;
    let observer = Observer::start(&cluster);
    observer.until_ready(count).await;
    show("first tokens, by when they were asked for", &seconds(&endpoint.arrivals()), &mut report);
    show("renewals due after mass creation", &observer.due_times(), &mut report);
    operator.end().await;
    let expiries = observer.expiries(life);
    drop(observer);

    // All are due by now, and none has expired.
    let all_due = Duration::from_secs(round + life * 67 / 100 + 1);
    sleep(all_due.saturating_sub(began.elapsed())).await;
    let before = endpoint.arrivals().len();
    let operator = Operator::start(&cluster, &["--endpoint-rate", &RATE.to_string()]).await;
    while endpoint.arrivals().len() < before + count {
        sleep(Duration::from_millis(200)).await;
    }
    let arrivals = endpoint.arrivals().split_off(before);
    show("renewals after a restart with all due, by when they were asked for", &seconds(&arrivals), &mut report);
    let ordered = in_order_of_expiry(&arrivals, &expiries);
    report.set("restart: renewals not before one that expires sooner, %", ordered * 100.0, json!(ordered));
    sleep(Duration::from_secs(5)).await;
    let observer = Observer::start(&cluster);
    observer.until_ready(count).await;
    show("renewals due after that", &observer.due_times(), &mut report);
    let expired = operator.counter("tokensource_expired_tokens_total", "").await;
    report.set("tokens that expired before they were renewed", expired, json!(expired));
    operator.end().await;
    cluster.clear().await;
    report
}

fn seconds(arrivals: &[Arrival]) -> Vec<f64> {
    arrivals.iter().map(|arrival| arrival.after.as_secs_f64()).collect()
}

fn show(name: &str, times: &[f64], report: &mut Report) {
    let histogram = Histogram::of(times, STRETCHES);
    report.show(name, &histogram.bars(), histogram.json());
    report.set(&format!("{name}: fullest stretch, times the mean"), histogram.peak(), json!(histogram.peak()));
}

/// The share of requests that come after no other whose token expires later.
fn in_order_of_expiry(arrivals: &[Arrival], expiries: &HashMap<String, i64>) -> f64 {
    let by_client: HashMap<String, i64> = expiries.iter().map(|(name, expiry)| (client_of(name), *expiry)).collect();
    let mut latest = i64::MIN;
    let ordered = arrivals.iter().filter(|arrival| {
        let expiry = by_client.get(&arrival.client).copied().unwrap_or(i64::MIN);
        let is_ordered = expiry >= latest;
        latest = latest.max(expiry);
        is_ordered
    });
    ordered.count() as f64 / arrivals.len() as f64
}
