//! A log line as JSON, with the fields of its spans at the top. Of our own, because the library puts them into an object
//! where the span's own name takes the place of a field `name`.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes a JSON object a line: `timestamp`, `level`, `target`, `fields` with the `message`, and the spans' fields.
pub struct JsonLine;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    target: &'a str,
    /// The innermost span's value stands for all of that name. None is called like the keys beside it.
    #[serde(flatten)]
    of_spans: Map<String, Value>,
    fields: Map<String, Value>,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (mut timestamp, mut fields) = (String::new(), String::new());
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        context.field_format().format_fields(Writer::new(&mut fields), event)?;
        let mut of_spans = Map::new();
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(formatted) = span.extensions().get::<FormattedFields<N>>() {
                of_spans.extend(object(&formatted.fields));
            }
        }
        let metadata = event.metadata();
        let line =
            Line { timestamp: &timestamp, level: metadata.level().as_str(), target: metadata.target(), of_spans, fields: object(&fields) };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

/// Fields as they were formatted, by a format that writes objects.
fn object(formatted: &str) -> Map<String, Value> {
    serde_json::from_str(formatted).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing_subscriber::fmt;
    use tracing_subscriber::fmt::format::JsonFields;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn fields_of_spans_stand_at_the_top() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer().event_format(JsonLine).fmt_fields(JsonFields::new()).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let span = tracing::info_span!("reconcile", namespace = "shop", name = "orders", trace_id = tracing::field::Empty);
            span.record("trace_id", "0af7");
            let _entered = span.enter();
            let _inner = tracing::info_span!("token_request", host = "a").entered();
            tracing::warn!(status = 401, "it says \"no\"\nand more");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "one line");
        let mut line: Map<String, Value> = serde_json::from_str(&text).unwrap();
        assert!(line.remove("timestamp").unwrap().as_str().unwrap().ends_with('Z'));
        let expected = json!({
            "level": "WARN", "target": "tokensource::observability::json_line::tests",
            "namespace": "shop", "name": "orders", "trace_id": "0af7", "host": "a",
            "fields": {"message": "it says \"no\"\nand more", "status": 401},
        });
        assert_eq!(Value::Object(line), expected);
    }
}
