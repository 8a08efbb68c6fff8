//! Logs, as text for people or JSON for machines. Nothing that is logged can hold a credential, a token or a body:
//! those types have no printable form. Each look at a source has a span, and its trace id stands on all of its lines.

use std::io::{self, IsTerminal as _};

use tracing::{Span, field};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use super::json_line::JsonLine;

/// The form of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts logging to standard error. `RUST_LOG` chooses what; without it, `info` and worse of this crate and
/// `warn` and worse of the libraries.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,tokensource=info"));
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.event_format(JsonLine).fmt_fields(JsonFields::new()).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines).init();
}

/// The span of one look at a source, with an id that joins its lines.
pub fn look_span(namespace: &str, name: &str, make_id: fn() -> String) -> Span {
    let span = tracing::info_span!("reconcile", namespace, name, trace_id = field::Empty);
    if !span.is_disabled() {
        span.record("trace_id", make_id());
    }
    span
}
