//! What the operator tells about itself.

pub mod tracing;
