//! Work beside a reconcile ends with the process that began it.

pub use crate::process::spawn;
