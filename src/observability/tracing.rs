//! Logs, as text for people or JSON for machines. Nothing that is logged can hold a credential, a token or a body:
//! those types have no printable form. Each look at a source has a span, and its trace id stands on all of its lines.

use std::io::{self, IsTerminal as _};

use tracing::{Span, field};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use super::json_line::JsonLine;
#[cfg(feature = "otlp")]
use super::otlp::{self, Export};

/// The form of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Traces that are exported, if they are: only with the feature `otlp` and an endpoint to send them to.
pub struct Traces {
    #[cfg(feature = "otlp")]
    export: Option<Export>,
}

impl Traces {
    /// Sends what is not sent yet.
    #[cfg_attr(not(feature = "otlp"), expect(clippy::unused_async, reason = "there is something to wait for with the feature only"))]
    pub async fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(export) = self.export {
            export.end().await;
        }
    }
}

/// Starts logging to standard error. `RUST_LOG` chooses what; without it, `info` and worse of this crate and
/// `warn` and worse of the libraries.
pub fn start(format: LogFormat) -> Traces {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,tokensource=info"));
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let registry = tracing_subscriber::registry();
    #[cfg(feature = "otlp")]
    let (export, failure) = otlp::export();
    #[cfg(feature = "otlp")]
    let registry = registry.with(export.as_ref().map(Export::layer));
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.event_format(JsonLine).fmt_fields(JsonFields::new()).boxed(),
    };
    registry.with(filter).with(lines).init();
    #[cfg(feature = "otlp")]
    if let Some(error) = failure {
        tracing::warn!(%error, "traces are not exported");
    }
    Traces {
        #[cfg(feature = "otlp")]
        export,
    }
}

/// The span of one look at a source. Where traces are exported its id is that of the trace, else one that is made.
pub fn look_span(namespace: &str, name: &str, make_id: fn() -> String) -> Span {
    let span = tracing::info_span!("reconcile", namespace, name, trace_id = field::Empty);
    if !span.is_disabled() {
        let id = exported_id(&span).unwrap_or_else(make_id);
        span.record("trace_id", id);
    }
    span
}

#[cfg(feature = "otlp")]
use super::otlp::exported_id;

#[cfg(not(feature = "otlp"))]
fn exported_id(_: &Span) -> Option<String> {
    None
}
