//! What the operator depends on: each crate with its reason, how many come with them, and which Rust they ask for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The one target that is counted for, so that the numbers are the same on every machine.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const PAGE: &str = "docs/dependencies.md";
const TREE: &[&str] = &["tree", "--locked", "--package", "tokensource", "--target", TARGET, "--prefix", "none", "--no-dedupe"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The crates of a tree, the operator itself left out.
fn crates(edges: &str) -> usize {
    let tree = cargo(&[TREE, &["--edges", edges]].concat());
    let crates: BTreeSet<&str> = tree.lines().filter(|line| !line.starts_with("tokensource ")).collect();
    crates.len()
}

/// Name and reason of each dependency of a section, as they stand in Cargo.toml.
fn reasons(section: &str) -> Vec<(String, String)> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != section).skip(1).take_while(|line| !line.starts_with('['));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let reasons = lines.map(|line| {
        let (name, rest) = line.split_once(" = ").unwrap_or_else(|| panic!("not a dependency: {line}"));
        let (value, reason) = rest.rsplit_once(" # ").unwrap_or_else(|| panic!("{name} has no reason beside it in Cargo.toml"));
        let only = if value.contains("optional = true") { "only with the feature `otlp`: " } else { "" };
        (name.to_owned(), format!("{only}{reason}"))
    });
    reasons.collect()
}

fn table(reasons: &[(String, String)]) -> String {
    reasons.iter().fold("| crate | for |\n|---|---|\n".to_owned(), |mut table, (name, reason)| {
        writeln!(table, "| {name} | {reason} |").unwrap();
        table
    })
}

/// With `UPDATE_GENERATED` in the environment the page is written instead; `make generate` does so.
#[test]
fn the_page_of_dependencies_in_docs_is_what_cargo_says() {
    let (direct, development) = (reasons("[dependencies]"), reasons("[dev-dependencies]"));
    let named = direct.iter().filter(|(_, reason)| !reason.starts_with("only with")).count();
    let rendered = format!(
        "<!-- Made of Cargo.toml and Cargo.lock by `make generate`. -->\n\n# Dependencies\n\n\
         The operator's binary for Linux is made of {} crates beside its own. It names {named} of them; the others come with those,\n\
         most of them with kube, reqwest and their HTTP and TLS. {} more run only while it is built: macros and what they need.\n\n\
         ```console\n$ cargo tree --locked --package tokensource --target {TARGET} \\\n    \
         --edges normal,no-proc-macro --prefix none --no-dedupe | sort -u | grep -vc '^tokensource '\n```\n\n\
         `make sbom` lists them with their versions and licences; `make audit` checks those, and what is known of their faults.\n\n\
         ## In the binary\n\n{}\n## In tests\n\n{}",
        crates("normal,no-proc-macro"),
        crates("normal,build") - crates("normal,no-proc-macro"),
        table(&direct),
        table(&development),
    );
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(root().join(PAGE), &rendered).unwrap();
    }
    let stored = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    assert!(stored == rendered, "{PAGE} is out of date: run `make generate`");
}

/// `1.90` and `1.90.1` as numbers.
fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|number| number.parse().unwrap_or_else(|_| panic!("no version: {text}"))).collect()
}

#[test]
fn no_dependency_asks_for_a_newer_rust_than_we_promise() {
    let metadata = cargo(&["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let used: BTreeSet<&str> = metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap().iter().filter(|package| used.contains(package["id"].as_str().unwrap()));
    let asked: Vec<(&str, &str)> =
        packages.filter_map(|package| Some((package["name"].as_str()?, package["rust_version"].as_str()?))).collect();
    assert!(asked.len() > 100, "cargo metadata tells of {} packages", asked.len());
    let promised = version(env!("CARGO_PKG_RUST_VERSION"));
    let newer: Vec<_> = asked.iter().filter(|(_, rust)| version(rust) > promised).collect();
    assert!(newer.is_empty(), "rust-version is {}, but these ask for more: {newer:?}", env!("CARGO_PKG_RUST_VERSION"));
}

#[test]
fn the_rust_version_that_is_promised_stands_wherever_one_is_named() {
    for file in ["README.md", ".ci/run"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let named = text.split("Rust ").skip(1).filter_map(|rest| rest.split_once(" or newer").map(|(version, _)| version));
        let named: Vec<&str> = named.filter(|version| version.len() < 10).collect();
        assert_eq!(named, [env!("CARGO_PKG_RUST_VERSION")], "{file}");
    }
}
