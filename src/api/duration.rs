//! Durations as people write them in manifests: `10s`, `5m`, `1h30m`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time, written as in Go and Kubernetes: a sequence of numbers with the units `h`, `m`, `s`, `ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// A span of whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut total = Duration::ZERO;
        let mut rest = text;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|character: char| !character.is_ascii_digit())?;
            let (number, tail) = rest.split_at(digits);
            let number: u64 = number.parse().ok()?;
            let unit = tail.find(|character: char| character.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit);
            let part = match unit {
                "h" => Duration::from_secs(number.checked_mul(3600)?),
                "m" => Duration::from_secs(number.checked_mul(60)?),
                "s" => Duration::from_secs(number),
                "ms" => Duration::from_millis(number),
                _ => return None,
            };
            total = total.checked_add(part)?;
            rest = tail;
        }
        Some(Self(total))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (hours, minutes, rest, millis) = (seconds / 3600, seconds / 60 % 60, seconds % 60, self.0.subsec_millis());
        for (number, unit) in [(hours, "h"), (minutes, "m"), (rest, "s"), (u64::from(millis), "ms")] {
            if number > 0 {
                write!(formatter, "{number}{unit}")?;
            }
        }
        if self.0.as_millis() == 0 { formatter.write_str("0s") } else { Ok(()) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("no duration: write it as 10s, 5m or 1h30m"))
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 32, "pattern": "^([0-9]{1,9}(h|ms|m|s))+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [("10s", 10_000), ("5m", 300_000), ("1h30m", 5_400_000), ("0s", 0), ("250ms", 250), ("1m5s", 65_000)] {
            let span: Span = serde_json::from_value(text.into()).unwrap();
            assert_eq!(span.0.as_millis(), millis, "{text}");
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "10", "s", "1d", "-1s", "1.5h", "99999999999999999999h", "10 s"] {
            assert!(serde_json::from_value::<Span>(text.into()).is_err(), "{text}");
        }
    }
}
