//! The commands that need no cluster, as a person or a script calls them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn tokensource(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokensource"));
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn explain_tells_a_recorded_answer_in_text_and_in_json() {
    let body = r#"{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}"#;
    let arguments =
        ["explain", "--grant", "client_credentials", "--status", "401", "--header", "Content-Type: application/json", "--body", "-"];
    let output = tokensource(&arguments, body);
    assert!(output.status.success());
    let told = text(&output.stdout);
    assert!(
        told.contains("Reason   ClientAuthenticationFailed") && told.contains("Cause    WrongSecret") && told.contains("Retry    slow"),
        "{told}"
    );

    let output = tokensource(&[&arguments[..], &["-o", "json"]].concat(), body);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["reason"], &told["retry"]), (&json!("ClientAuthenticationFailed"), &json!("slow")));
}

#[test]
fn explain_reads_and_writes_a_line_each_and_names_a_broken_one() {
    let lines = [
        json!({"id": "a", "grant": "password", "status": 400, "headers": {}, "body": "{\"error\":\"invalid_grant\"}"}).to_string(),
        "not json".to_owned(),
        json!({"id": "b", "grant": "any", "status": 429, "headers": {"Retry-After": "7"}, "body": ""}).to_string(),
    ];
    let output = tokensource(&["explain", "--jsonl", "-"], &lines.join("\n"));
    assert_eq!(output.status.code(), Some(2));
    let told: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reasons: Vec<(&Value, &Value)> = told.iter().map(|line| (&line["id"], &line["reason"])).collect();
    assert_eq!(reasons, [(&json!("a"), &json!("UserAuthenticationFailed")), (&json!("b"), &json!("RateLimited"))]);
    assert!(text(&output.stderr).contains("line 2") && !text(&output.stderr).contains("not json"));
}

#[test]
fn import_turns_a_destination_into_manifests_and_reports_on_every_property() {
    let destination = json!({"Name": "Orders API", "Type": "HTTP", "URL": "https://orders.example.com", "Authentication": "OAuth2ClientCredentials",
        "tokenServiceURL": "https://login.example.com/oauth/token", "clientId": "orders", "clientSecret": "hidden-value", "scope": "read write"});
    let output = tokensource(&["import", "destination", "-"], &destination.to_string());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (manifests, report) = (text(&output.stdout), text(&output.stderr));
    assert!(manifests.contains("kind: TokenSource") && manifests.contains("name: orders-api") && manifests.contains("hidden-value"));
    for property in destination.as_object().unwrap().keys() {
        assert!(report.contains(property.as_str()), "{property} is not in the report");
    }
    assert!(!report.contains("hidden-value"));
}

#[test]
fn the_help_names_the_program_as_it_was_called() {
    let folder = tempfile::TempDir::new().unwrap();
    let plugin = folder.path().join("kubectl-tokensource");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tokensource"), &plugin).unwrap();
    for (program, name) in [(plugin.as_os_str(), "kubectl tokensource"), (env!("CARGO_BIN_EXE_tokensource").as_ref(), "tokensource")] {
        let help = text(&Command::new(program).args(["refresh", "--help"]).output().unwrap().stdout);
        assert!(help.contains(&format!("Usage: {name} refresh [OPTIONS] <NAME>")) && help.contains("Exit code: 0"), "{help}");
    }
}

#[test]
fn bad_input_is_named_and_ends_with_two() {
    for (arguments, input, expected) in [
        (vec!["import", "destination", "-"], "{}", "holds no destination"),
        (vec!["import", "destination", "no-such-file"], "", "no-such-file"),
        (vec!["explain", "--jsonl", "no-such-file"], "", "no-such-file"),
        (vec!["run", "--min-refresh-interval", "0s"], "", "must be 1s or more"),
        (vec!["refresh"], "", "<NAME>"),
        (vec!["refresh", "orders", "--wait=0"], "", "must be 1s or more"),
        (vec!["status", "-A", "-n", "shop"], "", "--all-namespaces"),
        (vec!["status", "orders", "-l", "team=a"], "", "--selector"),
        (vec!["run", "--allow-cidr", "everything"], "", "--allow-cidr"),
    ] {
        let output = tokensource(&arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn explain_shows_nothing_that_may_be_a_credential() {
    let lines = [
        json!({"id": 1, "grant": "password", "status": 400, "body": json!({"error": "invalid_grant", "error_description": "Wrong password: correct-horse"}).to_string()}),
        json!({"id": 2, "grant": "password", "status": 400, "body": json!({"error": "correct2horse", "error_description": "user 'correct-horse' unknown"}).to_string()}),
        json!({"id": 3, "status": 401, "body": "secret=correct-horse&error=invalid_client"}),
    ];
    let output = tokensource(&["explain", "--jsonl", "-"], &lines.map(|line| line.to_string()).join("\n"));
    assert!(output.status.success());
    let told = text(&output.stdout);
    assert!(told.lines().count() == 3 && !told.contains("correct"), "{told}");
}
