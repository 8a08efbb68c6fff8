//! Generated files are what the code generates now.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use tokensource::oauth::rejection::{ClientCause, Rejection};

#[test]
fn the_crd_in_crds_is_what_the_binary_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_tokensource")).arg("crd").output().unwrap();
    assert!(printed.status.success());
    let stored = include_bytes!("../crds/tokensources.tokensource.dev.yaml");
    assert!(printed.stdout == stored, "crds/ is out of date: run `make generate`");
}

/// With `UPDATE_GENERATED` in the environment the page is written instead; `make generate` does so.
fn is_what_the_code_renders(page: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, rendered).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == rendered, "{page} is out of date: run `make generate`");
}

#[test]
fn the_page_of_failures_in_docs_is_what_the_code_renders() {
    is_what_the_code_renders("docs/failures.md", &tokensource::token_source::handbook::render());
}

#[test]
fn the_page_of_fields_in_docs_is_what_the_code_renders() {
    is_what_the_code_renders("docs/reference.md", &tokensource::api::reference::render());
}

#[test]
fn the_readme_lists_every_reason_and_every_cause() {
    let readme = include_str!("../README.md");
    let told = |word: &str| readme.contains(&format!("`{word}`"));
    let reasons = Rejection::ALL.iter().map(|rejection| rejection.as_str());
    let causes = ClientCause::ALL.iter().map(|cause| cause.as_str());
    let own = [
        "TokenIssued",
        "Pending",
        "Suspended",
        "CredentialsNotFound",
        "CredentialsIncomplete",
        "AssertionSourceNotReady",
        "HostNotAllowed",
        "SecretConflict",
        "InvalidSpec",
    ];
    let untold: Vec<&str> = reasons.chain(causes).chain(own).filter(|word| !told(word)).collect();
    assert!(untold.is_empty(), "README.md does not tell of {untold:?}");
}

#[test]
fn the_readme_lists_every_flag() {
    let help = Command::new(env!("CARGO_BIN_EXE_tokensource")).args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags =
        help.split_whitespace().filter(|word| word.starts_with("--") && !word.starts_with("--help") && !word.starts_with("--version"));
    let untold: Vec<&str> = flags.filter(|flag| !include_str!("../README.md").contains(&format!("`{flag}"))).collect();
    assert!(help.contains("--namespace") && untold.is_empty(), "README.md does not tell of {untold:?}");
}

/// The names of all fields below a schema.
fn field_names(schema: &serde_json::Value, names: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        field_names(field, names);
    }
    if schema["items"].is_object() {
        field_names(&schema["items"], names);
    }
}

#[test]
fn every_field_of_the_spec_is_used_by_a_behaviour_test() {
    let definition = tokensource::api::crd::definition();
    let mut names = BTreeSet::new();
    field_names(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], &mut names);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour");
    let tests: String = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let unused: Vec<&String> = names.iter().filter(|name| !tests.contains(&format!("\"{name}\""))).collect();
    assert!(names.len() > 50 && unused.is_empty(), "no behaviour test uses {unused:?} (of {} fields)", names.len());
}
