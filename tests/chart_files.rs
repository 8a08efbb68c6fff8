//! The chart's files agree with the code and with each other. Needs neither Helm nor a cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const BEGIN: &str = "<!-- values: made from values.yaml by `make generate` -->\n";
const END: &str = "<!-- end of values -->\n";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/tokensource").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_default()
}

fn values() -> Value {
    serde_saphyr::from_str(&read("values.yaml")).unwrap()
}

/// With `UPDATE_GENERATED` in the environment the file is written instead; `make generate` does so.
fn is_up_to_date(name: &str, made: &str) -> bool {
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(file(name), made).unwrap();
    }
    read(name) == made
}

/// What `tokensource` prints.
fn printed(args: &[&str]) -> String {
    String::from_utf8(Command::new(env!("CARGO_BIN_EXE_tokensource")).args(args).output().unwrap().stdout).unwrap()
}

/// A line of values.yaml that a reader needs.
#[derive(Debug)]
enum Line {
    Section(String),
    /// A value with its comment.
    Value {
        path: String,
        comment: String,
    },
}

/// Values with the comments above them, in the order of the file. A value without a comment belongs to the one above it.
fn lines(text: &str) -> Vec<Line> {
    let (mut found, mut comment, mut path) = (Vec::new(), Vec::new(), Vec::<(usize, &str)>::new());
    for line in text.lines() {
        let content = line.trim_start();
        let depth = line.len() - content.len();
        if let Some(title) = content.strip_prefix("## ") {
            found.push(Line::Section(title.to_owned()));
        } else if let Some(words) = content.strip_prefix("# ") {
            comment.push(words);
        } else if content.is_empty() {
            comment.clear();
        } else if let Some((key, _)) = content.split_once(':').filter(|(key, _)| key.chars().all(char::is_alphanumeric)) {
            path.retain(|(outer, _)| *outer < depth);
            path.push((depth, key));
            if !comment.is_empty() {
                let path: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
                found.push(Line::Value { path: path.join("."), comment: std::mem::take(&mut comment).join(" ") });
            }
        }
    }
    found
}

fn default_of<'a>(values: &'a Value, path: &str) -> &'a Value {
    values.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or_else(|| panic!("values.yaml has no {path}"))
}

fn tables() -> String {
    let values = values();
    let rows = lines(&read("values.yaml")).into_iter().map(|line| match line {
        Line::Section(title) => format!("\n### {title}\n\n| value | default | meaning |\n|---|---|---|\n"),
        Line::Value { path, comment } => format!("| `{path}` | `{}` | {} |\n", default_of(&values, &path), comment.replace('|', "\\|")),
    });
    rows.chain(["\n".to_owned()]).collect::<Vec<_>>().concat()
}

#[test]
fn the_chart_has_the_crd_that_the_binary_prints() {
    assert!(is_up_to_date("files/crd.yaml", &printed(&["crd"])), "charts/tokensource/files/crd.yaml is out of date: run `make generate`");
}

#[test]
fn the_charts_readme_has_the_values_with_their_comments() {
    let readme = read("README.md");
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let made = format!("{before}{BEGIN}{}{END}{after}", tables());
    assert!(is_up_to_date("README.md", &made), "charts/tokensource/README.md is out of date: run `make generate`");
}

/// Paths of all values that are no objects, or empty ones.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value.as_object().filter(|fields| !fields.is_empty()) {
        Some(fields) => fields.iter().for_each(|(key, value)| leaves(value, &format!("{path}.{key}"), found)),
        None => found.push(path.trim_start_matches('.').to_owned()),
    }
}

#[test]
fn every_value_has_a_comment_or_belongs_to_one_that_has() {
    let lines = lines(&read("values.yaml"));
    let told = |leaf: &str| {
        lines.iter().any(|line| match line {
            Line::Section(_) => false,
            Line::Value { path, .. } => leaf == path || leaf.starts_with(&format!("{path}.")),
        })
    };
    let mut found = Vec::new();
    leaves(&values(), "", &mut found);
    let untold: Vec<&String> = found.iter().filter(|leaf| !told(leaf)).collect();
    assert!(found.len() > 80 && untold.is_empty(), "values.yaml does not tell of {untold:?} (of {})", found.len());
}

/// What a schema knows and the values lack, or the reverse. Objects that the schema leaves open are Kubernetes' own.
fn disagreements(schema: &Value, values: &Value, path: &str, found: &mut Vec<String>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    if schema["additionalProperties"] != Value::Bool(false) {
        found.push(format!("{path}: the schema takes any key"));
    }
    let unknown = values.as_object().into_iter().flatten().filter(|(key, _)| !properties.contains_key(*key));
    found.extend(unknown.map(|(key, _)| format!("{path}.{key}: not in the schema")));
    for (key, schema) in properties {
        // Helm's own, and a field of Kubernetes' that has no default.
        if ["global", "claims"].contains(&key.as_str()) {
            continue;
        }
        match values.get(key) {
            Some(value) => disagreements(schema, value, &format!("{path}.{key}"), found),
            None => found.push(format!("{path}.{key}: not in values.yaml")),
        }
    }
}

#[test]
fn the_schema_knows_the_values_and_no_others() {
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let mut found = Vec::new();
    disagreements(&schema, &values(), "values", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn defaults_of_the_chart_are_those_of_the_binary() {
    let (help, values) = (printed(&["run", "--help"]), values());
    let default = |flag: &str| {
        let (_, rest) = help.split_once(&format!("--{flag} ")).unwrap();
        rest.split_once("[default: ").unwrap().1.split_once(']').unwrap().0.to_owned()
    };
    for (flag, path) in [
        ("concurrency", "concurrency"),
        ("endpoint-concurrency", "endpointConcurrency"),
        ("endpoint-rate", "endpointRate"),
        ("min-refresh-interval", "minRefreshInterval"),
    ] {
        let value = default_of(&values, path);
        assert_eq!(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned), default(flag), "{path}");
    }
    let address = format!("{}:{}", values["metrics"]["bindAddress"].as_str().unwrap(), values["metrics"]["port"]);
    assert_eq!(address, default("metrics-addr"));
}

#[test]
fn the_chart_is_for_this_version() {
    let about: Value = serde_saphyr::from_str(&read("Chart.yaml")).unwrap();
    assert_eq!(about["appVersion"], env!("CARGO_PKG_VERSION"));
}
