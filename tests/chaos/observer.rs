//! What is there, seen by nobody's eyes but these: lists over a connection of its own, straight to the API server.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use crate::authorization_server::Issued;
use crate::stage::{Stage, items};

/// A Secret as it was found.
#[derive(Clone, Debug, Default)]
pub struct SeenSecret {
    pub version: String,
    /// The token under `access_token`, if the authorization server knows it.
    pub token: Option<Issued>,
    /// Who has written it.
    pub managers: Vec<String>,
    pub expires_at: Option<Timestamp>,
}

/// A source's status as it was found.
#[derive(Clone, Debug, Default)]
pub struct SeenSource {
    /// `Ready`: whether it is True, if it is there.
    pub ready: Option<bool>,
    pub refreshed: Option<bool>,
    pub reason: String,
    pub stalled: bool,
    pub expiration: Option<Timestamp>,
    pub failure: Option<(String, Timestamp)>,
    pub conditions: String,
}

/// All at one time, by `NAMESPACE/NAME`.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When the first list was asked for.
    pub from: Instant,
    /// When the last list had come.
    pub to: Instant,
    pub secrets: BTreeMap<String, SeenSecret>,
    pub sources: BTreeMap<String, SeenSource>,
    /// A status held a secret.
    pub leaks: Vec<String>,
}

/// Looks once. None: the API server does not answer.
pub async fn look(stage: &Stage) -> Option<Snapshot> {
    let from = Instant::now();
    let sources = stage.raw("/apis/tokensource.dev/v1alpha1/tokensources").await?;
    let secrets = stage.raw("/api/v1/secrets").await?;
    let to = Instant::now();
    let leaks = if stage.mark.is_in(&sources) { vec!["a secret in a TokenSource".to_owned()] } else { Vec::new() };
    let sources: Value = serde_json::from_str(&sources).ok()?;
    let secrets: Value = serde_json::from_str(&secrets).ok()?;
    let sources = items(&sources).iter().map(|source| (key(source), seen_source(source))).collect();
    let secrets = items(&secrets).iter().map(|secret| (key(secret), seen_secret(stage, secret))).collect();
    Some(Snapshot { from, to, secrets, sources, leaks })
}

/// Looks through the Events. They are many and change nothing, so seldom.
pub async fn events_leak(stage: &Stage) -> Option<String> {
    let events = stage.raw("/api/v1/events").await?;
    stage.mark.is_in(&events).then(|| "a secret in an Event".to_owned())
}

fn key(object: &Value) -> String {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("namespace"), text("name"))
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| text.parse().ok())
}

fn seen_secret(stage: &Stage, secret: &Value) -> SeenSecret {
    let meta = &secret["metadata"];
    let token = secret["data"]["access_token"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let token = token.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|token| stage.server.token(&token));
    let managers = meta["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    SeenSecret {
        version: meta["resourceVersion"].as_str().unwrap_or_default().to_owned(),
        token,
        managers: managers.iter().filter_map(|entry| entry["manager"].as_str()).map(ToOwned::to_owned).collect(),
        expires_at: time(&meta["annotations"]["tokensource.dev/expires-at"]),
    }
}

fn seen_source(source: &Value) -> SeenSource {
    let status = &source["status"];
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let condition = |name: &str| conditions.iter().find(|condition| condition["type"] == name);
    let is_true = |name: &str| condition(name).map(|condition| condition["status"] == "True");
    let failure = &status["lastFailure"];
    let told = conditions.iter().map(|one| format!("{}={} {}", one["type"], one["status"], one["reason"])).collect::<Vec<_>>();
    SeenSource {
        ready: is_true("Ready"),
        refreshed: is_true("Refreshed"),
        reason: condition("Refreshed").and_then(|condition| condition["reason"].as_str()).unwrap_or_default().to_owned(),
        stalled: is_true("Stalled") == Some(true),
        expiration: time(&status["expirationTime"]),
        failure: failure["reason"].as_str().map(ToOwned::to_owned).zip(time(&failure["time"])),
        conditions: format!(
            "{}, expires {}, renews {}, next {}, last failure {}",
            told.join(", "),
            status["expirationTime"],
            status["renewalTime"],
            status["nextAttemptTime"],
            failure["message"]
        ),
    }
}
