//! The virtual clock, in place of `src/clock.rs`. True time passes as the runtime's paused clock is advanced; what a process
//! reads is true time and the error of its machine's clock.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::process;

/// 2026-01-01T00:00:00Z.
const ORIGIN: i64 = 1_767_225_600_000;
/// How long the machines have been up when a run begins.
const UP: Duration = Duration::from_secs(3600);

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A run begins now.
pub fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// Since the run began.
pub fn elapsed() -> Duration {
    BEGAN.get().map_or(Duration::ZERO, |began| began.elapsed())
}

/// A point of the run as true time.
pub fn at(elapsed: Duration) -> Timestamp {
    let millis = i64::try_from(elapsed.as_millis()).unwrap();
    Timestamp::from_millisecond(ORIGIN + millis).unwrap()
}

/// The time by the clock of the process that asks, in whole seconds.
pub fn now() -> Timestamp {
    Timestamp::from_second(precise().as_second()).unwrap()
}

/// The time by the clock of the process that asks.
pub fn precise() -> Timestamp {
    let error = process::current().map_or(0, |process| process.clock_error());
    Timestamp::from_millisecond(at(elapsed()).as_millisecond() + error).unwrap()
}

/// The time since the machine was started.
pub fn since_boot() -> Duration {
    UP + elapsed()
}
