//! The one place that reads the clock. Everything else takes `now` as an argument.

use jiff::Timestamp;

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
