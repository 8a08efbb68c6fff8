//! Fault runs: faults of all kinds, chosen by a seed, against two replicas of the real binary on a real control plane, while an
//! observer of its own judges the promises. `make chaos`; docs/reliability.md tells what is promised and what this covers.
//!
//! ```text
//!   faults ──► lanes ──► faults_operator    kills, freezes, clocks; the way to the API server; API server and etcd
//!     │          ├─────► faults_endpoint    token endpoints and names
//!     │          └─────► faults_objects     Secrets, credentials, namespaces, the CRD
//!     ├──────► observer ──► invariants      looks every half second, judges by `bounds` and `timeline`
//!     └──────► report
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "it takes minutes: what happens is told")]
#![allow(clippy::cast_precision_loss, reason = "for people to read")]
#![allow(missing_docs, reason = "tests are named by sentences")]

mod authorization_server;
mod bounds;
mod connection;
mod door;
mod faults;
mod faults_endpoint;
mod faults_objects;
mod faults_operator;
mod held_back;
mod invariants;
mod lanes;
mod mark;
mod observer;
mod operators;
mod person;
mod promises;
mod proxy;
mod random;
mod report;
mod settings;
mod soak;
mod sources;
mod stage;
mod timeline;
mod visits;
mod waits;
mod way;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes ten minutes: make chaos"]
async fn the_invariants_hold_under_faults() {
    Box::pin(faults::run()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes half an hour: make soak"]
async fn memory_stays_flat_and_tokens_stay_valid_for_long() {
    Box::pin(soak::run()).await;
}
