//! 100,000 sources at one token endpoint that takes so many requests a minute: what arithmetic allows, and what the operator's
//! scheduling and pacing make of it.
//!
//! The decisions are the real ones (`schedule::renew_at`, `schedule::next_attempt`, `pace::Pace`, the retry of a `Failure`). The order is that
//! of `src/controller/pacing.rs` (soonest expiry first, in order of arrival after that) behind that of kube's queue (`--concurrency` looks
//! at a time, in the order of their due times).

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares and quantiles")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::Refresh;
use crate::oauth::rejection::{Refusal, Rejection, RetryAfter};
use crate::token_source::circumstances::Circumstances;
use crate::token_source::failure::{Failure, Retry};
use crate::token_source::pace::Pace;
use crate::token_source::schedule::{RetryContext, between, next_attempt, renew_at};

const FLOOR: Duration = Duration::from_secs(10);
/// From sending to the answer.
const LATENCY: u64 = 100;
const IN_FLIGHT: usize = 20;
const LOOKS: usize = 256;
const HOUR: u64 = 3_600_000;

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

/// One source.
#[derive(Clone, Default)]
struct Source {
    uid: String,
    expires: Option<u64>,
    failures: u32,
    due: u64,
}

/// One operator, at one endpoint.
struct Operator {
    pace: Pace,
    in_flight: usize,
    looks: usize,
    /// Due sources that no look has begun for.
    due: VecDeque<usize>,
    /// Looks that wait for a slot.
    waiting: BinaryHeap<Reverse<(u64, u64, usize)>>,
    arrivals: u64,
    timer: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Due(usize),
    Slot(usize),
    Answer(usize),
}

#[derive(Default)]
struct Tally {
    requests: u64,
    issued: u64,
    refused: u64,
    paused: u64,
    renewed: u64,
    lateness: Vec<u64>,
    expired: u64,
    /// By ten minutes: token time that was covered, in source-milliseconds.
    alive: Vec<f64>,
}

struct Run<'a> {
    case: &'a Case,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    sources: Vec<Source>,
    operators: Vec<Operator>,
    refresh: Refresh,
    window: (u64, u64),
    bucket: (u64, f64),
    tally: Tally,
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + i64::try_from(millis).unwrap()).unwrap()
}

fn whole(millis: u64) -> Timestamp {
    at(millis / 1000 * 1000)
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond() - 1_767_225_600_000).unwrap_or(0)
}

impl Run<'_> {
    fn push(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at.max(self.now), self.order, event)));
    }

    fn run(&mut self) {
        let end = self.case.hours * HOUR;
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at > end {
                break;
            }
            self.now = at;
            match event {
                Event::Due(source) => {
                    let operator = source % self.operators.len();
                    self.operators[operator].due.push_back(source);
                    self.begin_looks(operator);
                }
                Event::Slot(operator) => {
                    self.operators[operator].timer = None;
                    self.hand_out(operator);
                }
                Event::Answer(source) => self.answer(source),
            }
        }
        self.now = end;
    }

    fn begin_looks(&mut self, number: usize) {
        while self.operators[number].looks < LOOKS {
            let Some(source) = self.operators[number].due.pop_front() else { break };
            if let Some(until) = self.operators[number].pace.paused_until(whole(self.now)) {
                self.pause(source, until);
                continue;
            }
            let order = self.sources[source].expires.unwrap_or(0);
            let operator = &mut self.operators[number];
            operator.looks += 1;
            operator.arrivals += 1;
            operator.waiting.push(Reverse((order, operator.arrivals, source)));
        }
        self.hand_out(number);
    }

    fn hand_out(&mut self, number: usize) {
        let now = Duration::from_millis(self.now);
        while self.operators[number].in_flight < IN_FLIGHT && !self.operators[number].waiting.is_empty() {
            let operator = &mut self.operators[number];
            if let Err(next) = operator.pace.take_slot(now) {
                let next = u64::try_from(next.as_millis()).unwrap() + 1;
                if operator.timer.is_none() {
                    operator.timer = Some(next);
                    self.push(next, Event::Slot(number));
                }
                return;
            }
            let Some(Reverse((_, _, source))) = operator.waiting.pop() else { return };
            operator.in_flight += 1;
            self.tally.requests += 1;
            self.push(self.now + LATENCY, Event::Answer(source));
        }
    }

    /// The server's answer to a request that arrived just now.
    fn answer(&mut self, source: usize) {
        let number = source % self.operators.len();
        self.operators[number].in_flight -= 1;
        self.operators[number].looks -= 1;
        match self.admit() {
            Ok(()) => self.issued(source),
            Err(retry_after) => self.refused(source, number, retry_after),
        }
        self.begin_looks(number);
    }

    fn admit(&mut self) -> Result<(), Option<u64>> {
        let minute = self.now / 60_000;
        match self.case.kind {
            Limit::Window | Limit::SilentWindow => {
                if self.window.0 != minute {
                    self.window = (minute, 0);
                }
                if self.window.1 < self.case.limit {
                    self.window.1 += 1;
                    return Ok(());
                }
                let left = (minute + 1) * 60 - self.now / 1000;
                Err((self.case.kind == Limit::Window).then_some(left))
            }
            Limit::Bucket => {
                let a_second = self.case.limit as f64 / 60.0;
                let refilled = (self.now - self.bucket.0) as f64 / 1000.0 * a_second;
                self.bucket = (self.now, (self.bucket.1 + refilled).min(a_second.max(1.0)));
                if self.bucket.1 < 1.0 {
                    return Err(Some(1));
                }
                self.bucket.1 -= 1.0;
                Ok(())
            }
        }
    }

    fn issued(&mut self, source: usize) {
        self.tally.issued += 1;
        let (now, life) = (self.now, self.case.life * 1000);
        let held = self.sources[source].expires;
        if let Some(expired) = held {
            self.tally.renewed += 1;
            self.tally.lateness.push(now.saturating_sub(self.sources[source].due));
            self.tally.expired += u64::from(expired < now);
        }
        self.cover(now.max(held.unwrap_or(0)), now + life);
        let received = whole(now);
        let expires = millis(received) + life;
        let due = millis(renew_at(received, at(expires), &self.refresh, FLOOR, &self.sources[source].uid));
        let known = &mut self.sources[source];
        (known.expires, known.failures, known.due) = (Some(expires), 0, due);
        self.push(due, Event::Due(source));
    }

    fn cover(&mut self, from: u64, to: u64) {
        let end = self.case.hours * HOUR;
        let (mut from, to) = (from, to.min(end));
        while from < to {
            let slot = usize::try_from(from / 600_000).unwrap();
            let next = (from / 600_000 + 1) * 600_000;
            self.tally.alive[slot] += (to.min(next) - from) as f64;
            from = next;
        }
    }

    fn refused(&mut self, source: usize, number: usize, retry_after: Option<u64>) {
        self.tally.refused += 1;
        let wait = retry_after.map(RetryAfter::Seconds);
        let refusal = Refusal { http_status: Some(429), retry_after: wait, ..Refusal::new(Rejection::RateLimited) };
        let failure = Failure::refused(&refusal, &Circumstances::unknown());
        self.sources[source].failures += 1;
        self.retry(source, failure.retry, self.sources[source].failures);
        self.operators[number].pace.slow_down(Duration::from_millis(self.now));
        if let Some(seconds) = retry_after {
            let until = whole(self.now) + Duration::from_secs(seconds);
            self.operators[number].pace.pause(until);
            let waiting = std::mem::take(&mut self.operators[number].waiting);
            for Reverse((_, _, waiter)) in waiting {
                self.operators[number].looks -= 1;
                self.pause(waiter, until);
            }
        }
    }

    /// The look ends with a status that tells of the pause.
    fn pause(&mut self, source: usize, until: Timestamp) {
        self.tally.paused += 1;
        self.retry(source, Failure::paused("host", until).retry, 1);
    }

    fn retry(&mut self, source: usize, retry: Retry, failures: u32) {
        let known = &self.sources[source];
        let now = whole(self.now);
        let context =
            RetryContext { failures, now, valid_until: known.expires.map(at), floor: FLOOR, refresh: &self.refresh, seed: &known.uid };
        if let Some(next) = next_attempt(retry, &context) {
            // The queue waits from the end of the look on.
            let wait = u64::try_from(between(now, next).as_millis()).unwrap();
            self.push(self.now + wait, Event::Due(source));
        }
    }
}

fn simulate(case: &Case) -> Tally {
    let operator = || Operator {
        pace: Pace::new(case.rate),
        in_flight: 0,
        looks: 0,
        due: VecDeque::new(),
        waiting: BinaryHeap::new(),
        arrivals: 0,
        timer: None,
    };
    let source = |number| Source { uid: format!("uid-of-source-{number}"), ..Source::default() };
    let slots = usize::try_from(case.hours * 6).unwrap();
    let mut run = Run {
        case,
        now: 0,
        events: BinaryHeap::new(),
        order: 0,
        sources: (0..case.sources).map(source).collect(),
        operators: (0..case.operators).map(|_| operator()).collect(),
        refresh: Refresh::default(),
        window: (0, 0),
        bucket: (0, 0.0),
        tally: Tally { alive: vec![0.0; slots], ..Tally::default() },
    };
    for number in 0..case.sources {
        run.push(0, Event::Due(number));
    }
    run.run();
    run.tally
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
        "{:32} {:>8} {:>8} {:>7} {:>11} {:>8} {:>9} {:>10} {:>10} {:>8}",
        "tokens, limit, operators", "possible", "alive", "min/max", "issued/min", "429/min", "pauses", "late p50", "late p99", "expired"
    );
    for case in &cases {
        told(case, simulate(case));
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
    let minutes = (case.hours * 60) as f64;
    println!(
        "{:32} {possible:>7.1}% {mean:>7.1}% {least:>3.0}/{most:<3.0} {:>11.0} {:>8.0} {:>9} {:>8} s {:>8} s {:>7.1}%",
        case.name,
        tally.issued as f64 / minutes,
        tally.refused as f64 / minutes,
        tally.paused,
        quantile(0.5),
        quantile(0.99),
        tally.expired as f64 / tally.renewed.max(1) as f64 * 100.0,
    );
}
