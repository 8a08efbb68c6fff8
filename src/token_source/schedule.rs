//! When to renew and when to retry: arithmetic on `now`, with a jitter that is the same at every look.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure::Retry;
use crate::api::v1alpha1::Refresh;
use crate::oauth::rejection::{RetryAfter, RetryClass};
use crate::oauth::token::Lifetime;

const RENEW_BEFORE_PERCENTAGE: u8 = 33;
/// `renewBefore` leaves at least this share of the life unused for waiting, so that it can't ask for a renewal at once.
const RENEW_BEFORE_MAX_PERCENTAGE: u32 = 90;
const ASSUMED_LIFETIME: Duration = Duration::from_secs(300);
const RETRY_REJECTED_AFTER: Duration = Duration::from_secs(3600);
const SLOW_MAX: Duration = Duration::from_secs(24 * 3600);
const BACKOFF_MAX: Duration = Duration::from_secs(300);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// After this many failures in a row, a fault of the server's is no longer taken for a passing one.
const BACKOFF_ATTEMPTS: u32 = 5;
/// How much of the life that is left one wait may take, so that several attempts fit before the expiry.
const ATTEMPTS_BEFORE_EXPIRY: u32 = 3;

/// When a token expires. `asked_at` is when it was asked for.
pub fn expires_at(lifetime: Lifetime, asked_at: Timestamp, refresh: &Refresh) -> Timestamp {
    match lifetime {
        Lifetime::Until(expiry) => expiry,
        Lifetime::Seconds(seconds) => after(asked_at, Duration::from_secs(seconds)),
        Lifetime::Unknown => after(asked_at, refresh.assumed_lifetime.map_or(ASSUMED_LIFETIME, |span| span.0)),
    }
}

/// When a token is due to be renewed: so much before its expiry as the spec says, and up to a tenth of the wait
/// earlier by the seed, so that sources made together don't renew together. Never before `floor` has passed.
pub fn renew_at(asked_at: Timestamp, expires_at: Timestamp, refresh: &Refresh, floor: Duration, seed: &str) -> Timestamp {
    let life = between(asked_at, expires_at);
    let margin = match refresh.renew_before {
        Some(span) => span.0.min(life * RENEW_BEFORE_MAX_PERCENTAGE / 100),
        None => life * u32::from(refresh.renew_before_percentage.unwrap_or(RENEW_BEFORE_PERCENTAGE)) / 100,
    };
    let wait = life.saturating_sub(margin);
    let wait = wait.saturating_sub(wait.mul_f64(fraction(seed) / 10.0)).max(floor);
    after(asked_at, Duration::from_secs(wait.as_secs()))
}

/// What a wait after a failure depends on beside the failure.
#[derive(Debug, Clone, Copy)]
pub struct RetryContext<'a> {
    /// How many requests in a row have failed, this one included.
    pub failures: u32,
    /// When the failure was seen.
    pub now: Timestamp,
    /// When the token that is still there expires.
    pub valid_until: Option<Timestamp>,
    /// Never sooner than this after `now`.
    pub floor: Duration,
    /// The spec's `refresh`.
    pub refresh: &'a Refresh,
    /// The seed of the jitter.
    pub seed: &'a str,
}

/// When a failed request is tried again. None: not before something changes.
pub fn next_attempt(retry: Retry, context: &RetryContext<'_>) -> Option<Timestamp> {
    let Retry::After { class, not_before, first } = retry else {
        return None;
    };
    let asked = not_before.map(|wait| between(context.now, retry_after_end(wait, context.now)));
    let wait = match class {
        // One try as a safety net, for a change on the other side that nobody told us of.
        RetryClass::Input if context.failures > 1 => return None,
        RetryClass::Input => slow(1, context),
        RetryClass::Slow => slow(context.failures, context),
        RetryClass::BackoffThenSlow if context.failures > BACKOFF_ATTEMPTS => slow(context.failures - BACKOFF_ATTEMPTS, context),
        RetryClass::Backoff | RetryClass::BackoffThenSlow => backoff(first, context),
        RetryClass::Server => asked.unwrap_or_else(|| backoff(first, context)),
    };
    let wait = wait.max(asked.unwrap_or_default()).max(context.floor);
    let wait = wait + wait.mul_f64(fraction(context.seed) / 10.0);
    Some(after(context.now, Duration::from_secs(wait.as_secs().max(context.floor.as_secs()))))
}

/// Whether nothing will change by itself soon: the condition `Stalled`.
pub fn is_stalled(retry: Retry, failures: u32) -> bool {
    match retry {
        Retry::Watch => true,
        Retry::After { class, .. } => match class {
            RetryClass::Input | RetryClass::Slow => true,
            RetryClass::BackoffThenSlow => failures > BACKOFF_ATTEMPTS,
            RetryClass::Backoff | RetryClass::Server => false,
        },
    }
}

/// When the wait that a server asked for ends: an hour at the most.
pub fn retry_after_end(wait: RetryAfter, now: Timestamp) -> Timestamp {
    let end = match wait {
        RetryAfter::Seconds(seconds) => after(now, Duration::from_secs(seconds)),
        RetryAfter::At(time) => time,
    };
    end.min(after(now, RETRY_AFTER_MAX))
}

fn slow(failures: u32, context: &RetryContext<'_>) -> Duration {
    let base = context.refresh.retry_rejected_after.map_or(RETRY_REJECTED_AFTER, |span| span.0);
    doubled(base, failures).min(SLOW_MAX)
}

/// Doubling from the floor, fitted to the life that is left.
fn backoff(first: Duration, context: &RetryContext<'_>) -> Duration {
    let grown = doubled(context.floor.max(first), context.failures).min(BACKOFF_MAX.max(first));
    match context.valid_until.map(|expiry| between(context.now, expiry)).filter(|left| !left.is_zero()) {
        Some(left) => grown.min(left / ATTEMPTS_BEFORE_EXPIRY).max(first),
        None => grown,
    }
}

fn doubled(base: Duration, failures: u32) -> Duration {
    base.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1).min(31)).unwrap_or(u32::MAX))
}

/// The time between two points, zero where the second is not later.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).max(SignedDuration::ZERO).unsigned_abs()
}

/// A point so much later; the last representable one where there is none.
pub fn after(from: Timestamp, wait: Duration) -> Timestamp {
    from.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// A number in 0..1 that depends on the seed alone.
pub fn fraction(seed: &str) -> f64 {
    let hash = ring::digest::digest(&ring::digest::SHA256, seed.as_bytes());
    let number = hash.as_ref().iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::duration::Span;
    use proptest::prelude::*;

    const FLOOR: Duration = Duration::from_secs(10);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn renewal(life: i64, refresh: &Refresh) -> i64 {
        renew_at(at(0), at(life), refresh, FLOOR, "uid-1").as_second()
    }

    #[test]
    fn a_third_of_the_life_is_left_at_renewal_or_what_the_spec_says() {
        let by_default = renewal(3600, &Refresh::default());
        assert!((2170..=2412).contains(&by_default), "{by_default}");
        let half = renewal(3600, &Refresh { renew_before_percentage: Some(50), ..Refresh::default() });
        assert!((1620..=1800).contains(&half), "{half}");
        let ten_minutes = renewal(3600, &Refresh { renew_before: Some(Span::seconds(600)), ..Refresh::default() });
        assert!((2700..=3000).contains(&ten_minutes), "{ten_minutes}");
    }

    #[test]
    fn a_life_shorter_than_the_margin_can_not_spin() {
        assert!(renewal(60, &Refresh { renew_before: Some(Span::seconds(3600)), ..Refresh::default() }) >= 10);
        assert_eq!(renewal(1, &Refresh::default()), 10);
        assert_eq!(renewal(-5, &Refresh::default()), 10);
    }

    fn waits(class: RetryClass, first: u64, valid_until: Option<i64>, not_before: Option<RetryAfter>) -> Vec<Option<i64>> {
        let refresh = Refresh::default();
        let retry = Retry::After { class, not_before, first: Duration::from_secs(first) };
        let context =
            |failures| RetryContext { failures, now: at(0), valid_until: valid_until.map(at), floor: FLOOR, refresh: &refresh, seed: "" };
        (1..=8).map(|failures| next_attempt(retry, &context(failures)).map(Timestamp::as_second)).collect()
    }

    #[track_caller]
    fn within_a_tenth(waits: &[Option<i64>], expected: &[i64]) {
        for (wait, expected) in waits.iter().zip(expected) {
            let wait = wait.unwrap();
            assert!(*expected <= wait && wait <= expected + expected / 10, "{waits:?}");
        }
    }

    #[test]
    fn slow_doubles_from_an_hour_to_a_day() {
        within_a_tenth(&waits(RetryClass::Slow, 0, None, None), &[3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400]);
    }

    #[test]
    fn input_is_tried_once_more_and_then_waits_for_a_change() {
        let waits = waits(RetryClass::Input, 0, None, None);
        within_a_tenth(&waits[..1], &[3600]);
        assert!(waits[1..].iter().all(Option::is_none));
    }

    #[test]
    fn backoff_doubles_from_the_floor_to_five_minutes() {
        within_a_tenth(&waits(RetryClass::Backoff, 0, None, None), &[10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn backoff_fits_several_attempts_into_the_life_that_is_left() {
        within_a_tenth(&waits(RetryClass::Backoff, 0, Some(120), None), &[10, 20, 40, 40, 40]);
    }

    #[test]
    fn a_fault_of_the_server_becomes_slow_when_it_stays() {
        within_a_tenth(&waits(RetryClass::BackoffThenSlow, 0, None, None), &[10, 20, 40, 80, 160, 3600, 7200, 14_400]);
    }

    #[test]
    fn the_server_names_the_wait_up_to_an_hour() {
        within_a_tenth(&waits(RetryClass::Server, 60, None, Some(RetryAfter::Seconds(30)))[..1], &[30]);
        within_a_tenth(&waits(RetryClass::Server, 60, None, Some(RetryAfter::Seconds(999_999)))[..1], &[3600]);
        within_a_tenth(&waits(RetryClass::Server, 60, None, Some(RetryAfter::At(at(90))))[..1], &[90]);
        within_a_tenth(&waits(RetryClass::Server, 60, None, None)[..2], &[60, 120]);
    }

    proptest! {
        #[test]
        fn no_wait_is_shorter_than_the_floor(failures in 1_u32..100, left in -100_i64..10_000, asked in proptest::option::of(0_u64..100_000), seed in ".{0,8}") {
            let refresh = Refresh::default();
            for class in [RetryClass::Input, RetryClass::Slow, RetryClass::Backoff, RetryClass::BackoffThenSlow, RetryClass::Server] {
                let retry = Retry::After { class, not_before: asked.map(RetryAfter::Seconds), first: Duration::ZERO };
                let context = RetryContext { failures, now: at(0), valid_until: Some(at(left)), floor: FLOOR, refresh: &refresh, seed: &seed };
                if let Some(time) = next_attempt(retry, &context) {
                    prop_assert!(time >= at(10));
                }
            }
        }
    }
}
