//! The answers that `tests/corpus` keeps of Keycloak and the UAA are what they answer today. `RECORD=1` writes them anew.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::refusal::Case;
use crate::stage::Stage;
use crate::{
    refused_assertions, refused_certificates, refused_client_assertions, refused_clients, refused_refresh_tokens, refused_requests,
    refused_users,
};

/// What a credential is called that a server quotes: the test of the recordings fails if it is shown.
const CREDENTIAL: &str = "hunter2-hunter2";
const ID: &str = "00000000-0000-4000-8000-000000000000";
const SECONDS: &str = "1767225600";
const TIME: [&str; 5] = ["Thu", "Jan", "01", "00:00:00", "UTC"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A line as it is kept: without what is secret, and without what is another at each time.
async fn recorded(stage: &Stage, server: &str, case: &Case) -> String {
    let answer = case.ask().await;
    assert!(answer.status != 200, "{server}-{} was not refused", case.name);
    let hide = |text: &str| hidden(stage, case, text);
    let headers: Value = answer.headers.iter().map(|(name, value)| (name.clone(), Value::from(hide(value.as_str().unwrap())))).collect();
    let fields = [
        ("id", json!(format!("{server}-{}", case.name))),
        ("grant", json!(case.grant)),
        ("status", json!(answer.status)),
        ("headers", headers),
        ("body", json!(hide(&answer.body))),
        ("reason", json!(case.reason)),
        ("cause", json!(case.cause)),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", fields.join(", "))
}

fn hidden(stage: &Stage, case: &Case, text: &str) -> String {
    let mut text = text.to_owned();
    for credential in case.credentials() {
        text = text.replace(credential, CREDENTIAL);
    }
    for url in [stage.world.keycloak_url(), stage.world.keycloak_tls_url(), stage.world.uaa_url()] {
        text = text.replace(url.unwrap(), "https://as.example");
    }
    let text = text.replace(&stage.namespace, "test");
    without_times(text.split(' ').map(without_ids).collect())
}

/// A UUID becomes another one, and so do the seconds since 1970.
fn without_ids(word: &str) -> String {
    let is_seconds = |part: &str| part.len() == SECONDS.len() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = |part: &str| part.len() == ID.len() && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let parts = word.split_inclusive(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    let replaced = parts.map(|part| {
        let id = part.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        let other = if is_id(id) { ID } else { SECONDS };
        if is_id(id) || is_seconds(id) { part.replace(id, other) } else { part.to_owned() }
    });
    replaced.collect()
}

/// A time as Java prints it becomes another one. Text may follow the year at once.
fn without_times(mut words: Vec<String>) -> String {
    for start in 0..words.len().saturating_sub(TIME.len()) {
        if DAYS.contains(&words[start].as_str()) && words[start + 3].contains(':') {
            words.splice(start..start + TIME.len(), TIME.map(ToOwned::to_owned));
            words[start + TIME.len()].replace_range(..4, "2026");
        }
    }
    words.join(" ")
}

async fn compare(stage: &Stage, server: &str, cases: Vec<Case>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/corpus/{server}.jsonl"));
    let mut rows = Vec::new();
    for case in &cases {
        rows.push(recorded(stage, server, case).await);
    }
    let answered = rows.join("\n") + "\n";
    for credential in cases.iter().flat_map(Case::credentials) {
        assert!(!answered.contains(credential), "a credential would be recorded");
    }
    if std::env::var_os("RECORD").is_some_and(|value| value == "1") {
        fs::write(path, answered).unwrap();
        return;
    }
    let kept = fs::read_to_string(path).unwrap();
    let kept: Vec<&str> = kept.lines().collect();
    let changed: Vec<&str> = rows.iter().map(String::as_str).filter(|row| !kept.contains(row)).collect();
    assert!(changed.is_empty(), "{server} answers otherwise than recorded:\n{}", changed.join("\n"));
    assert_eq!(rows.len(), kept.len(), "a recording that no test asks for");
}

#[tokio::test]
async fn keycloak_answers_as_recorded() {
    let stage = Stage::set("keycloak-recordings").await;
    let mut cases = refused_clients::at_keycloak(&stage);
    cases.extend(refused_certificates::at_keycloak(&stage));
    cases.extend(refused_client_assertions::at_keycloak(&stage).await);
    cases.extend(refused_users::at_keycloak(&stage).await);
    cases.extend(refused_requests::at_keycloak(&stage));
    cases.extend(refused_assertions::at_keycloak(&stage).await);
    cases.extend(refused_refresh_tokens::at_keycloak(&stage).await);
    compare(&stage, "keycloak", cases).await;
}

#[tokio::test]
async fn the_uaa_answers_as_recorded() {
    let stage = Stage::set("uaa-recordings").await;
    let mut cases = refused_clients::at_uaa(&stage);
    cases.extend(refused_users::at_uaa(&stage).await);
    cases.extend(refused_requests::at_uaa(&stage));
    cases.extend(refused_assertions::at_uaa(&stage));
    cases.extend(refused_refresh_tokens::at_uaa(&stage).await);
    compare(&stage, "uaa", cases).await;
}
