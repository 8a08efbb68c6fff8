//! `WWW-Authenticate`, where some servers put what the body does not say (RFC 9110 §11.6.1; RFC 6750 §3).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// More challenges or parameters than these are not read.
const MAX_PARTS: usize = 16;

/// One challenge: `Basic realm="UAA/client", error="unauthorized"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The scheme, in lower case.
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter, of which the name is given in lower case.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All challenges of an answer, over all header lines. What can't be read is left out.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for line in headers.get_all(WWW_AUTHENTICATE).iter().take(MAX_PARTS) {
        let text = String::from_utf8_lossy(line.as_bytes());
        for part in parts(&text) {
            add(&mut found, part.trim());
        }
    }
    found.truncate(MAX_PARTS);
    found
}

/// A part between commas: `scheme`, `scheme key=value` or `key=value` of the challenge before it.
fn add(found: &mut Vec<Challenge>, part: &str) {
    let (head, value) = part.split_once('=').map_or((part, None), |(head, value)| (head.trim(), Some(value.trim())));
    let (scheme, key) = match (head.split_once(char::is_whitespace), value) {
        (Some((scheme, key)), _) => (Some(scheme), key.trim()),
        (None, Some(_)) => (None, head),
        (None, None) => (Some(head), ""),
    };
    if let Some(scheme) = scheme.filter(|scheme| !scheme.is_empty()) {
        found.push(Challenge { scheme: scheme.to_ascii_lowercase(), parameters: Vec::new() });
    }
    if let (Some(challenge), Some(value)) = (found.last_mut(), value)
        && challenge.parameters.len() < MAX_PARTS
    {
        challenge.parameters.push((key.to_ascii_lowercase(), unquote(value)));
    }
}

/// Splits at the commas outside of quoted strings.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.truncate(MAX_PARTS * MAX_PARTS);
    parts
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut plain = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => plain.extend(chars.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(lines: &[&str]) -> Vec<Challenge> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(line).expect("a header value"));
        }
        challenges(&headers)
    }

    #[test]
    fn quoted_commas_escapes_and_several_challenges_are_read() {
        let found = read(&[r#"Basic realm="a, \"b\"", error=unauthorized, Bearer error="invalid_client""#, "Negotiate"]);
        let schemes: Vec<_> = found.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["basic", "bearer", "negotiate"]);
        assert_eq!(found[0].parameter("realm"), Some(r#"a, "b""#));
        assert_eq!(found[0].parameter("error"), Some("unauthorized"));
        assert_eq!(found[1].parameter("error"), Some("invalid_client"));
        assert_eq!(found[1].parameter("realm"), None);
    }

    #[test]
    fn nonsense_is_read_as_far_as_it_goes() {
        for line in ["", ",,,", "=", "\"", "Basic realm=\"open", "= =,a=b", "Negotiate TlRMTVNTUAAB=="] {
            let _ = read(&[line]);
        }
    }
}
