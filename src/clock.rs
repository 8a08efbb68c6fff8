//! The one place that reads the clock. Everything else takes `now` as an argument.

use jiff::Timestamp;

/// The current time in whole seconds: the precision of every time stamp in Kubernetes.
#[expect(clippy::disallowed_methods, reason = "the one call that the ban leaves")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
