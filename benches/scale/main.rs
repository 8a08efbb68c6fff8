//! How the operator scales, on a real control plane: `make bench`. Counts and shares of what the API server itself can take;
//! the seconds are those of the machine it runs on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table and what leads to it")]
#![allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]

mod cluster;
mod cold;
mod endpoint;
mod histogram;
mod limited;
mod operator;
mod raw;
mod refreshes;
mod report;
mod restart;
mod sources;
mod spread;
mod watching;

use clap::{Parser, ValueEnum};
use serde_json::json;

use cluster::Cluster;
use endpoint::{Endpoint, Life};
use operator::Operator;
use raw::Written;
use report::Report;
use sources::Clients;

/// So many sources' writes tell what the API server takes.
const RAW_MAX: usize = 2000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Cold start, idle, restart and refreshes of sources that each have a client of their own.
    Scale,
    /// The cold start of sources that share one client.
    Shared,
    /// Schedule quality: more sources than the endpoint's limit can keep alive.
    Limited,
    /// How requests spread after mass creation and after a restart.
    Spread,
}

#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured.
    #[arg(long, value_enum, default_value = "scale")]
    part: Part,
    /// How many sources; each number is a run of its own.
    #[arg(long, value_delimiter = ',', default_value = "1000")]
    sources: Vec<usize>,
    /// How long the limited part is watched, in seconds.
    #[arg(long, default_value_t = 900)]
    seconds: u64,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    for count in arguments.sources {
        let report = match arguments.part {
            Part::Scale => scale("scale", count, Clients::OneEach).await,
            Part::Shared => scale("shared", count, Clients::Shared).await,
            Part::Limited => limited::measure(count, arguments.seconds).await,
            Part::Spread => spread::measure(count).await,
        };
        report.print();
    }
}

/// The cold start of so many sources; where each has a client of its own, all that comes after it too.
async fn scale(part: &str, count: usize, clients: Clients) -> Report {
    let mut report = Report::new(part, count);
    let cluster = Cluster::reach(part).await;
    let endpoint = Endpoint::start(Life::of_seconds(24 * 3600), None).await;
    sources::write(&cluster, &endpoint, count, clients).await;

    let mut operator = Operator::start(&cluster, &[]).await;
    let rate = cold::measure(&cluster, &endpoint, &operator, count, &mut report).await;
    if clients == Clients::OneEach {
        operator.measure_idle(&mut report).await;
    }
    let raw = raw::writes_a_second(count.min(RAW_MAX), &Written::by_operator(&cluster).await).await;
    report.set("raw writes/s", raw, json!(raw));
    report.set("cold: % of the raw write limit", rate * 2.0 / raw * 100.0, json!(rate * 2.0 / raw));
    if clients == Clients::OneEach {
        operator = restart::measure(operator, &cluster, &endpoint, count, &mut report).await;
        refreshes::measure(&operator, &cluster, &endpoint, count, &mut report).await;
    }
    operator.end().await;
    cluster.clear().await;
    report
}
