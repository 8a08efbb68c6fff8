//! 100,000 sources at one token endpoint that takes so many requests a minute: what arithmetic allows, and what the operator's
//! scheduling and pacing make of it.
//!
//! The decisions are the real ones (`schedule::renew_at`, `schedule::next_attempt`, `pace::Pace`, `turns::Turns`, the retry of a
//! `Failure`); what `src/controller/pacing.rs` does with them is mirrored here.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares and quantiles")]

mod endpoint;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::endpoint::{Tally, simulate};

/// How the endpoint keeps its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// So many in each minute of the clock; 429 with `Retry-After` to its end.
    Window,
    /// The same, without `Retry-After`.
    SilentWindow,
    /// A bucket of tokens that refills evenly, a second's worth deep; 429 with `Retry-After: 1`.
    Bucket,
}

/// A question.
struct Case {
    name: &'static str,
    sources: usize,
    /// How long tokens live, in seconds.
    life: u64,
    /// Requests a minute that the endpoint takes.
    limit: u64,
    kind: Limit,
    /// `--endpoint-rate` of each operator, a second.
    rate: f64,
    operators: usize,
    hours: u64,
}

/// Asks and tells.
pub fn tell() -> ExitCode {
    let case = |name, life, kind, rate, operators| {
        let hours = match life {
            0..3600 => 2,
            3600 => 10,
            _ => 48,
        };
        Case { name, sources: 100_000, life, limit: 1000, kind, rate, operators, hours }
    };
    let cases = [
        case("12 h, window, rate 15", 43_200, Limit::Window, 15.0, 1),
        case("12 h, window, rate 50", 43_200, Limit::Window, 50.0, 1),
        case("12 h, silent window, rate 50", 43_200, Limit::SilentWindow, 50.0, 1),
        case("12 h, bucket, rate 50", 43_200, Limit::Bucket, 50.0, 1),
        case("12 h, window, 2 shards of 15", 43_200, Limit::Window, 15.0, 2),
        case("12 h, window, 2 shards of 7.5", 43_200, Limit::Window, 7.5, 2),
        case("1 h, window, rate 15", 3600, Limit::Window, 15.0, 1),
        case("1 h, window, rate 50", 3600, Limit::Window, 50.0, 1),
        case("1 h, silent window, rate 50", 3600, Limit::SilentWindow, 50.0, 1),
        case("1 h, bucket, rate 50", 3600, Limit::Bucket, 50.0, 1),
        case("1 h, window, 2 shards of 15", 3600, Limit::Window, 15.0, 2),
        case("1 h, window, 2 shards of 7.5", 3600, Limit::Window, 7.5, 2),
        case("5 min, window, rate 15", 300, Limit::Window, 15.0, 1),
        case("5 min, window, rate 50", 300, Limit::Window, 50.0, 1),
        case("5 min, bucket, rate 50", 300, Limit::Bucket, 50.0, 1),
        case("5 min, window, 2 shards of 15", 300, Limit::Window, 15.0, 2),
    ];
    println!(
        "100,000 sources, one token endpoint of 1,000 requests a minute, from an empty cluster, for 48, 10 and 2 hours; the second half is judged."
    );
    println!(
        "{:32} {:>8} {:>8} {:>7} {:>11} {:>8} {:>10} {:>10} {:>8}",
        "tokens, limit, operators", "possible", "alive", "min/max", "issued/min", "429/min", "late p50", "late p99", "expired"
    );
    let (next, tallies) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((number, case)) = cases.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
                    let tally = simulate(case);
                    tallies.lock().unwrap().insert(number, tally);
                }
            });
        }
    });
    for (case, tally) in cases.iter().zip(tallies.into_inner().unwrap().into_values()) {
        told(case, tally);
    }
    ExitCode::SUCCESS
}

fn told(case: &Case, mut tally: Tally) {
    let judged = tally.alive.len() / 2;
    let slot = case.sources as f64 * 600_000.0;
    let alive: Vec<f64> = tally.alive[judged..].iter().map(|covered| covered / slot * 100.0).collect();
    let mean = alive.iter().sum::<f64>() / alive.len() as f64;
    let (least, most) = alive.iter().fold((100.0_f64, 0.0_f64), |(least, most), share| (least.min(*share), most.max(*share)));
    let possible = (case.limit as f64 * case.life as f64 / 60.0 / case.sources as f64 * 100.0).min(100.0);
    tally.lateness.sort_unstable();
    let quantile = |share: f64| tally.lateness.get((tally.lateness.len() as f64 * share) as usize).map_or(0, |late| late / 1000);
    let minutes = (case.hours * 30) as f64;
    println!(
        "{:32} {possible:>7.1}% {mean:>7.1}% {least:>3.0}/{most:<3.0} {:>11.0} {:>8.0} {:>8} s {:>8} s {:>7.1}%",
        case.name,
        tally.issued as f64 / minutes,
        tally.refused as f64 / minutes,
        quantile(0.5),
        quantile(0.99),
        tally.expired as f64 / tally.renewed.max(1) as f64 * 100.0,
    );
}
