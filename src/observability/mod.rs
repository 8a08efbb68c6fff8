//! What the operator tells about itself.

mod json_line;
pub mod metrics;
pub mod server;
pub mod tracing;
