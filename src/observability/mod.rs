//! What the operator tells about itself.

pub mod metrics;
pub mod server;
pub mod tracing;
