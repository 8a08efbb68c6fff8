//! The arrows between the folders: controller → `token_source` → api and oauth, and no other way round.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::fs;
use std::path::{Path, PathBuf};

/// What no folder below the controller names, in code: who stands above it, the clock, the network, waiting.
const ABOVE: [&str; 7] = ["crate::controller", "crate::cli", "crate::clock", "reqwest", "tokio", "async fn", ".await"];

/// What a folder must not name beside that.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("oauth", &["crate::api", "crate::token_source", "kube::", "k8s_openapi"]),
    ("api", &["crate::oauth", "crate::token_source", "kube::Client", "kube::Api"]),
    ("destination", &["crate::api", "crate::token_source", "kube::"]),
    ("token_source", &["kube::Client", "kube::Api", "SystemRandom"]),
];

/// What only one file may name.
const RESERVED: [(&str, &str); 6] = [
    ("Timestamp::now", "src/clock.rs"),
    ("reqwest::Client", "src/controller/http.rs"),
    ("Patch::Apply", "src/controller/apply.rs"),
    (".patch(", "src/controller/apply.rs"),
    (".create(", "src/controller/apply.rs"),
    (".delete(", "src/controller/apply.rs"),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => found.extend(sources(&path)),
            path if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            _ => {}
        }
    }
    found
}

/// The file without comments and without its tests, a line each with its number.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().enumerate().map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default().to_owned())).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn dependencies_point_in_one_direction() {
    let mut crossings = Vec::new();
    for (folder, forbidden) in FORBIDDEN {
        let files = sources(&root().join("src").join(folder));
        assert!(files.len() > 2, "src/{folder} has moved: the test sees {} files", files.len());
        for path in files {
            for (number, line) in code(&path) {
                crossings.extend(
                    forbidden
                        .iter()
                        .chain(&ABOVE)
                        .filter(|word| line.contains(**word))
                        .map(|word| format!("{}:{number} names {word}", path.display())),
                );
            }
        }
    }
    assert!(crossings.is_empty(), "{}", crossings.join("\n"));
}

#[test]
fn clock_connections_and_writes_have_one_file_each() {
    let mut strays = Vec::new();
    for path in sources(&root().join("src")) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        for (number, line) in code(&path) {
            let stray = RESERVED.iter().filter(|(word, home)| line.contains(word) && name != *home);
            strays.extend(stray.map(|(word, home)| format!("{name}:{number} names {word}, which belongs to {home}")));
        }
    }
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}

#[test]
fn files_stay_short_enough_to_be_read_at_once() {
    let long: Vec<String> = sources(&root().join("src"))
        .into_iter()
        .chain(sources(&root().join("testenv/src")))
        .filter(|path| code(path).len() > 300)
        .map(|path| path.display().to_string())
        .collect();
    assert!(long.is_empty(), "over 300 lines before their tests: {}", long.join(", "));
}
