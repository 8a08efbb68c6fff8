//! Traces to an OpenTelemetry collector, by OTLP over HTTP. Spans hold what the logs hold: names of objects, hosts,
//! grants, results.

use std::env;

use opentelemetry::trace::{TraceContextExt as _, TraceId, TracerProvider as _};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

/// The name of the instrumentation, and of the service where `OTEL_SERVICE_NAME` gives no other.
const NAME: &str = "tokensource";

/// Spans on their way to the collector.
pub struct Export(SdkTracerProvider);

/// Begins to export if an endpoint is named; otherwise says why not, unless that is as wanted. All settings are the
/// variables of the OpenTelemetry specification.
pub fn export() -> (Option<Export>, Option<ExporterBuildError>) {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("OTEL_EXPORTER_OTLP_ENDPOINT") && !is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return (None, None);
    }
    let resource = Resource::builder();
    let resource = if is_set("OTEL_SERVICE_NAME") { resource } else { resource.with_service_name(NAME) };
    match SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build() {
        Ok(exporter) => (Some(Export::new(exporter, resource.build())), None),
        Err(error) => (None, Some(error)),
    }
}

impl Export {
    fn new(exporter: SpanExporter, resource: Resource) -> Self {
        Self(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
    }

    /// What takes the spans. Only our own: the export's own requests must not make new ones.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(NAME)).with_location(false).with_threads(false);
        layer.with_filter(filter_fn(|metadata| metadata.target().starts_with(NAME))).boxed()
    }

    /// Sends what is not sent yet. The SDK blocks meanwhile, for 5 seconds at most.
    pub async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces could not be exported");
        }
    }
}

/// The id of the trace that a span belongs to, if it is exported.
pub fn exported_id(span: &Span) -> Option<String> {
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != TraceId::INVALID).then(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Reads one request with a `Content-Length`, and accepts it.
    fn received(mut stream: &TcpStream) -> Vec<u8> {
        let (mut request, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..read]);
            let head = request.windows(4).position(|end| end == b"\r\n\r\n").map(|end| end + 4);
            let length = head.and_then(|head| {
                let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
                text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
            });
            if read == 0 || head.zip(length).is_some_and(|(head, length)| request.len() >= head + length) {
                break;
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        request
    }

    fn holds(request: &[u8], part: &[u8]) -> bool {
        request.windows(part.len()).any(|window| window == part)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_look_arrives_at_the_collector_under_the_id_that_the_log_tells() {
        _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let collector = thread::spawn(move || received(&listener.accept().unwrap().0));
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(endpoint).build().unwrap();
        let export = Export::new(exporter, Resource::builder().with_service_name(NAME).build());
        let subscriber = tracing_subscriber::registry().with(Some(export.layer()));
        let id = tracing::subscriber::with_default(subscriber, || {
            let span = super::super::tracing::look_span("shop", "orders", || panic!("no id of our own where one is exported"));
            span.in_scope(|| tracing::info_span!("token_request", host = "auth.example.com").in_scope(|| ()));
            exported_id(&span).unwrap()
        });
        export.end().await;
        let request = collector.join().unwrap();
        assert!(holds(&request, b"POST /v1/traces"));
        let bytes: Vec<u8> = (0..16).map(|index| u8::from_str_radix(&id[2 * index..2 * index + 2], 16).unwrap()).collect();
        for part in
            [bytes.as_slice(), id.as_bytes(), b"reconcile", b"token_request", b"shop", b"orders", b"auth.example.com", b"tokensource"]
        {
            assert!(holds(&request, part), "{} was not sent", String::from_utf8_lossy(part));
        }
    }
}
