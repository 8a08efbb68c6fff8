//! Generated files are what the code generates now.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::process::Command;

#[test]
fn the_crd_in_crds_is_what_the_binary_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_tokensource")).arg("crd").output().unwrap();
    assert!(printed.status.success());
    let stored = include_bytes!("../crds/tokensources.tokensource.dev.yaml");
    assert!(printed.stdout == stored, "crds/ is out of date: run `make generate`");
}
