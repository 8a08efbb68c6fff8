//! The endpoint with its limit, and the operators that ask it: a queue of events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Case, Limit};
use crate::api::v1alpha1::Refresh;
use crate::oauth::rejection::{Refusal, Rejection, RetryAfter};
use crate::token_source::circumstances::Circumstances;
use crate::token_source::failure::Failure;
use crate::token_source::pace::Pace;
use crate::token_source::schedule::{RetryContext, between, next_attempt, renew_at};
use crate::token_source::turns::Turns;

const FLOOR: Duration = Duration::from_secs(10);
/// From sending to the answer.
const LATENCY: u64 = 100;
const IN_FLIGHT: usize = 20;
const HOUR: u64 = 3_600_000;

/// One source.
#[derive(Clone, Default)]
struct Source {
    uid: String,
    expires: Option<u64>,
    failures: u32,
    due: u64,
    waits: bool,
}

/// One operator, at one endpoint.
struct Operator {
    pace: Pace,
    in_flight: usize,
    turns: Turns<usize>,
    timer: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Due(usize),
    Expired(usize),
    Slot(usize),
    Answer(usize),
}

#[derive(Default)]
pub struct Tally {
    /// Tokens that were issued.
    pub issued: u64,
    /// Requests that were answered with 429.
    pub refused: u64,
    /// Tokens that took the place of another.
    pub renewed: u64,
    /// By how many milliseconds renewals came later than due.
    pub lateness: Vec<u64>,
    /// Renewals that came after the expiry.
    pub expired: u64,
    /// By ten minutes: token time that was covered, in source-milliseconds.
    pub alive: Vec<f64>,
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
                    self.enter(source);
                    self.hand_out(operator);
                }
                // Whoever waits is looked at when the token expires.
                Event::Expired(source) if self.sources[source].waits && self.sources[source].expires == Some(at) => self.enter(source),
                Event::Expired(_) => {}
                Event::Slot(operator) => {
                    self.operators[operator].timer = None;
                    self.hand_out(operator);
                }
                Event::Answer(source) => self.answer(source),
            }
        }
        self.now = end;
    }

    fn enter(&mut self, source: usize) {
        let number = source % self.operators.len();
        let expiry = self.sources[source].expires.filter(|expiry| *expiry > self.now).map(at);
        self.sources[source].waits = true;
        self.operators[number].turns.enter(&source, expiry);
    }

    fn hand_out(&mut self, number: usize) {
        let now = Duration::from_millis(self.now);
        while self.operators[number].in_flight < IN_FLIGHT && !self.operators[number].turns.is_empty() {
            let operator = &mut self.operators[number];
            let pause = operator.pace.paused_until(now).map(|until| u64::try_from(until.as_millis()).unwrap());
            if let Some(next) = pause.or_else(|| Some(u64::try_from(operator.pace.take_slot(now).err()?.as_millis()).unwrap() + 1)) {
                if operator.timer.is_none() {
                    operator.timer = Some(next);
                    self.push(next, Event::Slot(number));
                }
                return;
            }
            let Some(source) = operator.turns.next(at(self.now), operator.pace.outlook(now)) else { return };
            operator.in_flight += 1;
            self.sources[source].waits = false;
            self.push(self.now + LATENCY, Event::Answer(source));
        }
    }

    /// The server's answer to a request that arrived just now.
    fn answer(&mut self, source: usize) {
        let number = source % self.operators.len();
        self.operators[number].in_flight -= 1;
        match self.admit() {
            Ok(()) => self.issued(source),
            Err(retry_after) => self.refused(source, number, retry_after),
        }
        self.hand_out(number);
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
        let is_judged = self.is_judged();
        self.tally.issued += u64::from(is_judged);
        let (now, life) = (self.now, self.case.life * 1000);
        let held = self.sources[source].expires;
        if let Some(expired) = held.filter(|_| is_judged) {
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
        self.push(expires, Event::Expired(source));
    }

    /// The second half: an empty cluster has filled by then.
    fn is_judged(&self) -> bool {
        self.now * 2 >= self.case.hours * HOUR
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
        self.tally.refused += u64::from(self.is_judged());
        let wait = retry_after.map(RetryAfter::Seconds);
        let refusal = Refusal { http_status: Some(429), retry_after: wait, ..Refusal::new(Rejection::RateLimited) };
        let failure = Failure::refused(&refusal, &Circumstances::unknown());
        self.sources[source].failures += 1;
        let known = &self.sources[source];
        let now = whole(self.now);
        let valid_until = known.expires.map(at);
        let context = RetryContext { failures: known.failures, now, valid_until, floor: FLOOR, refresh: &self.refresh, seed: &known.uid };
        if let Some(next) = next_attempt(failure.retry, &context) {
            // The queue waits from the end of the look on.
            let wait = u64::try_from(between(now, next).as_millis()).unwrap();
            self.push(self.now + wait, Event::Due(source));
        }
        let now = Duration::from_millis(self.now);
        let until = retry_after.map(|seconds| now + Duration::from_secs(seconds));
        self.operators[number].pace.slow_down(Duration::from_millis(self.now - LATENCY), now, until);
    }
}

/// Lives through the hours of a case.
pub fn simulate(case: &Case) -> Tally {
    let operator = || Operator { pace: Pace::new(case.rate), in_flight: 0, turns: Turns::default(), timer: None };
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
