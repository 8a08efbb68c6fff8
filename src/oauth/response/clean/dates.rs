//! Dates, times, and numbers that count down.

const DAYS: [&str; 14] =
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 23] = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ZONES: [&str; 12] = ["utc", "gmt", "z", "cet", "cest", "est", "edt", "pst", "pdt", "am", "pm", "ist"];
const UNITS: [&str; 12] = ["second", "seconds", "sec", "secs", "s", "minute", "minutes", "min", "mins", "hour", "hours", "ms"];
/// Words that lead to a date and are left hanging without it.
const LEADS: [&str; 8] = ["at", "on", "since", "until", "from", "by", "for", "till"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A date or time by itself: `2026-01-09`, `02:02:12Z`.
    Whole,
    /// The name of a month.
    Month,
    /// Part of a date beside other parts: a weekday, a zone, a number.
    Part,
    Other,
}

/// Drops runs of words that are a date, with the word that leads to them, and blanks out waiting times.
pub(super) fn without<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&'a str> = Vec::with_capacity(words.len());
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let run = rest.iter().take_while(|word| kind(word) != Kind::Other).count();
        let parts = rest.get(..run).unwrap_or_default();
        if is_date(parts) {
            if kept.last().is_some_and(|lead| LEADS.contains(&bare(lead).as_str())) {
                kept.pop();
            }
            rest = rest.get(run..).unwrap_or_default();
            continue;
        }
        kept.push(if is_countdown(kept.last().copied(), word, after) { "…" } else { word });
        rest = after;
    }
    kept
}

fn is_date(parts: &[&str]) -> bool {
    let has = |wanted: Kind| parts.iter().any(|word| kind(word) == wanted);
    let number = parts.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    has(Kind::Whole) || (has(Kind::Month) && number && parts.len() >= 2)
}

/// "in 37 seconds", "2678400 seconds ago": another number at every attempt.
fn is_countdown(before: Option<&str>, word: &str, after: &[&str]) -> bool {
    let number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let unit = after.first().is_some_and(|unit| UNITS.contains(&bare(unit).as_str()));
    let leads = before.is_some_and(|before| matches!(bare(before).as_str(), "in" | "after" | "for" | "within"));
    number && unit && (leads || after.get(1).is_some_and(|ago| bare(ago) == "ago"))
}

fn kind(word: &str) -> Kind {
    let name = bare(word);
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    if is_whole(core, digits) {
        Kind::Whole
    } else if MONTHS.contains(&name.as_str()) && digits == 0 {
        Kind::Month
    } else if (DAYS.contains(&name.as_str()) || ZONES.contains(&name.as_str())) && digits == 0 || is_small_number(core, digits) {
        Kind::Part
    } else {
        Kind::Other
    }
}

/// Digits with the marks of dates and times only (`90.00:00:00`, `24/12/2025`), or an ISO date with its `T`.
fn is_whole(core: &str, digits: usize) -> bool {
    let marks = core.bytes().filter(|byte| matches!(byte, b'-' | b'/' | b'.' | b':')).count();
    let others = core
        .bytes()
        .filter(|byte| !byte.is_ascii_digit() && !matches!(byte, b'-' | b'/' | b'.' | b':' | b'+' | b'T' | b't' | b'Z' | b'z' | b','))
        .count();
    others == 0 && digits >= 4 && (marks >= 2 || (marks == 1 && core.contains(':')))
}

fn is_small_number(core: &str, digits: usize) -> bool {
    let ordinal =
        core.strip_suffix("st").or(core.strip_suffix("th")).or(core.strip_suffix("nd")).or(core.strip_suffix("rd")).unwrap_or(core);
    (1..=4).contains(&digits) && ordinal.len() == digits
}

fn bare(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_and_numbers_stay() {
        for (text, expected) in [
            ("expired on 24 October 2024", "expired"),
            ("expired at Thu, 24 Oct 2024 14:05:34 GMT, sorry", "expired sorry"),
            ("valid for 5 attempts", "valid for 5 attempts"),
            ("You may 5", "You"),
            ("version 1.2 of 10", "version 1.2 of 10"),
            ("expired 2678400 seconds ago", "expired … seconds ago"),
            ("locked for 14 minutes", "locked for … minutes"),
            ("limit of 60 minutes", "limit of 60 minutes"),
            ("12/24/2025 2:05:00 PM failed", "failed"),
        ] {
            assert_eq!(without(&text.split_whitespace().collect::<Vec<_>>()).join(" "), expected, "{text}");
        }
    }
}
