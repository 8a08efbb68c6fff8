//! The one place that reads the clock. Everything else takes `now` as an argument.

use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Goes on while the machine sleeps, unlike the clock of [`std::time::Instant`].
#[cfg(target_os = "linux")]
const SINCE_BOOT: ClockId = ClockId::Boottime;
/// Other systems, where only tests run.
#[cfg(not(target_os = "linux"))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// The current time in whole seconds: the precision of every time stamp in Kubernetes.
pub fn now() -> Timestamp {
    let now = precise();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The current time with its fraction of a second.
#[expect(clippy::disallowed_methods, reason = "the one call that the ban leaves")]
pub fn precise() -> Timestamp {
    Timestamp::now()
}

/// The time since the machine was started: never set back or forth, and going on while a process is frozen.
pub fn since_boot() -> Duration {
    clock_gettime(SINCE_BOOT).try_into().unwrap_or_default()
}
