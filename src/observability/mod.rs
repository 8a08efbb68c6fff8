//! What the operator tells about itself.

mod json_line;
pub mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
pub mod server;
pub mod tracing;
