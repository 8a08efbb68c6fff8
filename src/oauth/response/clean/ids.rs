//! Ids and token-like runs.

/// First words of labels whose value changes at every attempt: "Trace ID: …", `correlationId=…`.
const LABELS: [&str; 18] = [
    "trace",
    "correlation",
    "request",
    "req",
    "session",
    "transaction",
    "incident",
    "support",
    "log",
    "activity",
    "event",
    "reference",
    "ref",
    "ray",
    "span",
    "error",
    "tracking",
    "message",
];

/// Second words of such labels.
const SECONDS: [&str; 7] = ["id", "ids", "identifier", "number", "no", "ref", "reference"];

/// Labels of one word.
const WHOLE: [&str; 6] = ["timestamp", "logref", "reference", "ref", "time", "traceparent"];

/// Those of them that are words of sentences too: a label only with a mark behind them.
const WHOLE_WORDS: [&str; 3] = ["reference", "ref", "time"];

/// Drops labels of ids with their values: in one word (`requestId=7f3a`), or in up to four ("Trace ID : 7f3a").
pub(super) fn without_labelled<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::with_capacity(words.len());
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let taken = labelled(word, after);
        if taken == 0 {
            kept.push(*word);
        }
        rest = rest.get(taken.max(1)..).unwrap_or_default();
    }
    kept
}

/// How many words from here on are a label with its value.
fn labelled(word: &str, after: &[&str]) -> usize {
    let (name, value) =
        word.find([':', '=', '#']).map_or((word, ""), |at| (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default()));
    let name = letters(name);
    let next = |at: usize| after.get(at).copied().unwrap_or_default();
    if is_label(&name) {
        return match value {
            "" if has_digit(next(0)) && !WHOLE_WORDS.contains(&name.as_str()) => 2,
            "" if has_digit(next(0)) && (word.ends_with([':', '=']) || next(0).starts_with('#')) => 2,
            "" => usize::from(word.ends_with([':', '='])),
            _ => 1,
        };
    }
    if !LABELS.contains(&name.as_str()) || !value.is_empty() {
        return 0;
    }
    let second = next(0);
    let marked = second.ends_with([':', '=', '#']);
    let ends = word.ends_with([',', '.', ';']); // the end of what was said, not the beginning of a label
    let named = !ends && SECONDS.contains(&letters(second.split([':', '=', '#']).next().unwrap_or_default()).as_str());
    match (named, second.contains([':', '=', '#'])) {
        (true, true) if marked && has_digit(next(1)) => 3,
        (true, true) => 2,
        (true, false) if matches!(next(1), ":" | "=" | "is") && has_digit(next(2)) => 4,
        (true, false) if has_digit(next(1)) => 3,
        _ => 0,
    }
}

fn is_label(name: &str) -> bool {
    WHOLE.contains(&name)
        || SECONDS.iter().any(|second| name.strip_suffix(second).is_some_and(|first| LABELS.contains(&first.trim_start_matches('x'))))
}

fn letters(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// A word without the runs in it that are ids; none when little else remains. Queries of addresses go too: they may hold anything.
pub(super) fn without_ids(word: &str) -> Option<String> {
    let word = match (word.contains("://"), word.split_once('?')) {
        (true, Some((address, _))) => address,
        _ => word,
    };
    if is_token(word) {
        return None;
    }
    let mut kept = String::new();
    let mut run = String::new();
    let mut dropped = false;
    for c in word.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=' | '/') {
            run.push(c);
            continue;
        }
        dropped |= is_id(&run);
        if !is_id(&run) {
            kept.push_str(&run);
        }
        run.clear();
        if c != ' ' {
            kept.push(c);
        }
    }
    let enough = kept.chars().any(char::is_alphanumeric) || !dropped;
    enough.then_some(kept)
}

/// A JWT, or another credential of several Base64 parts.
fn is_token(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.starts_with("eyJ") || word.split('.').filter(|part| part.len() >= 16 && is_id(part)).count() >= 2
}

/// Whether a run looks like a GUID, a digest, Base64 or a long number: not like words, however they are joined.
pub(super) fn is_id(run: &str) -> bool {
    let run = run.trim_matches(['-', '_', '=', '/', '+']);
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let letters = run.bytes().filter(u8::is_ascii_alphabetic).count();
    let hex = run.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let length = run.len();
    let changes = changes(run);
    run.starts_with("eyJ")
        || (letters == 0 && digits >= 9)
        || (hex && length >= 8 && digits >= 2 && letters >= 2)
        || (hex && length >= 16)
        || (length >= 16 && letters >= 1 && digits >= 3 && changes * 5 >= length)
        || (length >= 20 && changes * 5 >= length * 2)
        || (length >= 40 && digits >= 1 && changes * 8 >= length)
        || length >= 64 && !run.contains(['_', '-', '/'])
}

/// How often the kind of character changes: seldom in words, often in random text.
fn changes(run: &str) -> usize {
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let kinds: Vec<u8> = run.bytes().map(|byte| kind(&byte)).filter(|kind| *kind != 3).collect();
    kinds.windows(2).filter(|pair| pair.first() != pair.last()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_words() {
        for id in [
            "9b26b1e8-0500-40e2-b943-8670b59a8819",
            "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
            "1767225600",
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "7f3a9c1e",
            "90d64460d14870c08c81352a05dedd3465940a7c",
            "oaeXYZ4f8Kd0q2LmNpRs",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "bWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsu",
        ] {
            assert!(is_id(id), "{id}");
        }
        for word in [
            "client_credentials",
            "PASSWORD_CHANGE_REQUIRED",
            "ResourceOwnerPasswordCredentials",
            "AADSTS7000215",
            "sb-launchpad-dt-approuter",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "activity",
            "E0000047",
            "MSIS9622",
            "x509",
            "invalid_username_or_password",
            "authentication",
            "2048",
        ] {
            assert!(!is_id(word), "{word}");
        }
    }
}
