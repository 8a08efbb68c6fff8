//! The chart, as Helm 3 and Helm 4 render and install it on a real API server. One question a file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

mod admission;
mod cases;
mod cluster;
mod release;
mod rendering;
mod rights;
mod rights_used;
