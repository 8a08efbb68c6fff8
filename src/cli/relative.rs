//! Times as a person tells them: how long ago, or how soon.

use std::time::Duration;

use jiff::Timestamp;

use crate::token_source::overview::Next;
use crate::token_source::schedule::between;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `in 12m`, `3m ago` or `now`.
pub(super) fn relative(time: Timestamp, now: Timestamp) -> String {
    if time.as_second() == now.as_second() {
        "now".to_owned()
    } else if time > now {
        format!("in {}", length(between(now, time)))
    } else {
        format!("{} ago", length(between(time, now)))
    }
}

/// The same with the time itself.
pub(super) fn relative_and_exact(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({time})", relative(time, now))
}

/// What comes next, in a few words.
pub(super) fn next(next: Next, now: Timestamp) -> String {
    let due = |time: Timestamp| if time < now { "due " } else { "" };
    match next {
        Next::Renewal(time) => format!("renewal {}{}", due(time), relative(time, now)),
        Next::Attempt(time) => format!("attempt {}{}", due(time), relative(time, now)),
        Next::AfterChange => "after a change".to_owned(),
        Next::WhenResumed => "when resumed".to_owned(),
        Next::Unknown => "-".to_owned(),
    }
}

/// A length of time as kubectl shows ages: two units while the second one matters.
pub(super) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match seconds % large / small {
        0 => format!("{}{large_unit}", seconds / large),
        rest => format!("{}{large_unit}{rest}{small_unit}", seconds / large),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(MINUTE, "m", 1, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(HOUR, "h", MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(DAY, "d", HOUR, "h"),
        691_200.. => format!("{}d", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        for (seconds, told) in [
            (0, "now"),
            (1, "in 1s"),
            (-1, "1s ago"),
            (119, "in 119s"),
            (120, "in 2m"),
            (-185, "3m5s ago"),
            (720, "in 12m"),
            (3_599, "in 59m"),
            (10_800, "in 3h"),
            (-12_600, "3h30m ago"),
            (86_399, "in 23h"),
            (176_400, "in 2d1h"),
            (-2_592_000, "30d ago"),
        ] {
            let now = Timestamp::from_second(1_000_000_000).unwrap();
            assert_eq!(relative(Timestamp::from_second(1_000_000_000 + seconds).unwrap(), now), told);
        }
    }
}
