//! Work beside a reconcile. Begun here alone, so that a simulated process takes its work with it when it is killed.

pub use tokio::spawn;
