//! When the server wants to be asked again.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::oauth::rejection::RetryAfter;

/// Longer waits than a year are a mistake of the server's; so is a number of seconds with more digits than we can hold.
const MAX_SECONDS: u64 = 31_536_000;

/// From here on a number of a rate-limit header is a time stamp, not a number of seconds.
const FIRST_TIME_STAMP: u64 = 1_000_000_000;

/// When the rate limit's window ends. Okta and Auth0 send it instead of `Retry-After`, as seconds since the epoch; the IETF draft
/// sends seconds from now.
const RESET_HEADERS: [&str; 3] = ["x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset"];

/// `Retry-After` as seconds or as a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    seconds(text).map(|seconds| RetryAfter::Seconds(seconds.min(MAX_SECONDS))).or_else(|| http_date(text).map(RetryAfter::At))
}

/// The end of the rate limit's window, for an answer that has no `Retry-After`.
pub(super) fn window_end(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = RESET_HEADERS.iter().find_map(|name| headers.get(*name))?.to_str().ok()?.trim();
    let number = seconds(text)?;
    if number < FIRST_TIME_STAMP {
        return Some(RetryAfter::Seconds(number.min(MAX_SECONDS)));
    }
    Timestamp::from_second(i64::try_from(number).ok()?).ok().map(RetryAfter::At)
}

fn seconds(text: &str) -> Option<u64> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let digits = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| whole.parse().unwrap_or(u64::MAX))
}

/// The three forms of an HTTP date (RFC 9110 §5.6.7); all are in UTC.
fn http_date(text: &str) -> Option<Timestamp> {
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|format| DateTime::strptime(format, text).ok())
        .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))])
    }

    #[test]
    fn both_forms_and_the_obsolete_dates_are_read() {
        let date = RetryAfter::At("1994-11-06T08:49:37Z".parse().expect("a time"));
        for (text, expected) in [
            ("30", Some(RetryAfter::Seconds(30))),
            (" 0 ", Some(RetryAfter::Seconds(0))),
            ("1.5", Some(RetryAfter::Seconds(1))),
            ("99999999999999999999999999", Some(RetryAfter::Seconds(MAX_SECONDS))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(date)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(date)),
            ("Sun Nov  6 08:49:37 1994", Some(date)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(&with("retry-after", text)), expected, "{text:?}");
        }
    }

    #[test]
    fn the_end_of_a_window_is_a_time_or_a_number_of_seconds() {
        assert_eq!(window_end(&with("ratelimit-reset", "60")), Some(RetryAfter::Seconds(60)));
        let end = RetryAfter::At("2026-01-01T00:00:00Z".parse().expect("a time"));
        assert_eq!(window_end(&with("x-rate-limit-reset", "1767225600")), Some(end));
        assert_eq!(window_end(&with("x-ratelimit-reset", "later")), None);
    }
}
