//! Sources with the statuses that the operator gives them, for the tests of what is told about them. The time is [`now`].

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::TokenSource;

/// 2026-03-02, ten o'clock.
pub(crate) fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn source(name: &str, status: &Value, change: impl FnOnce(&mut Value)) -> TokenSource {
    let mut source = json!({
        "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource",
        "metadata": {"name": name, "namespace": "shop", "generation": 2},
        "spec": {"tokenURL": "https://login.example.com/oauth2/token?key=not-shown", "credentials": {"secretRef": {"name": "client"}}},
        "status": status,
    });
    change(&mut source);
    serde_json::from_value(source).unwrap()
}

fn condition(condition_type: &str, status: &str, reason: &str, message: &str) -> Value {
    let since = if reason == "Pending" { "1970-01-01T00:00:00Z" } else { "2026-03-02T09:57:00Z" };
    json!({"type": condition_type, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
}

fn good_status() -> Value {
    let message = "Secret billing holds a fresh token";
    json!({
        "observedGeneration": 2, "secretName": "billing", "tokenType": "Bearer", "grantedScopes": ["invoices.read", "invoices.write"],
        "lastRefreshTime": "2026-03-02T09:57:00Z", "expirationTime": "2026-03-02T10:57:00Z", "renewalTime": "2026-03-02T10:35:00Z",
        "lastAttempt": {"time": "2026-03-02T09:57:00Z", "requestDigest": "not-shown"},
        "clientProof": {"credentials": "not-shown", "result": "Accepted"},
        "conditions": [condition("Ready", "True", "TokenIssued", message), condition("Refreshed", "True", "TokenIssued", message)],
    })
}

fn failure(cause: Option<&str>, status: u16, error: &str, reason: &str, message: &str, remedy: &str) -> Value {
    json!({"time": "2026-03-02T09:57:00Z", "reason": reason, "cause": cause, "httpStatus": status, "error": error, "message": message,
        "remedy": remedy})
}

const WRONG_SECRET: &str =
    "login.example.com answered 401 invalid_client: the client was not accepted (WrongSecret): \"Bad client credentials\"";
const WRONG_SECRET_REMEDY: &str = "Put the client's current secret into the credentials Secret.";

/// It has a token.
pub(crate) fn good() -> TokenSource {
    source("billing", &good_status(), |_| ())
}

/// It has a token, and is changed by hand.
pub(crate) fn good_but(change: impl FnOnce(&mut Value)) -> TokenSource {
    source("billing", &good_status(), change)
}

/// Its client was refused.
pub(crate) fn refused() -> TokenSource {
    let (reason, message) = ("ClientAuthenticationFailed", format!("{WRONG_SECRET}. {WRONG_SECRET_REMEDY}"));
    let status = json!({
        "observedGeneration": 2, "secretName": "orders", "consecutiveFailures": 1, "nextAttemptTime": "2026-03-02T11:02:00Z",
        "lastAttempt": {"time": "2026-03-02T09:57:00Z", "requestDigest": "not-shown"},
        "lastFailure": failure(Some("WrongSecret"), 401, "invalid_client", reason, WRONG_SECRET, WRONG_SECRET_REMEDY),
        "conditions": [condition("Ready", "False", reason, &message), condition("Refreshed", "False", reason, &message),
            condition("Stalled", "True", reason, &message)],
    });
    source("orders", &status, |_| ())
}

/// Its renewal failed, and its token is still good.
pub(crate) fn renewal_failed() -> TokenSource {
    let (reason, message) = ("TemporarilyUnavailable", "login.example.com answered 503: it can't answer now");
    let mut status = good_status();
    status["consecutiveFailures"] = 3.into();
    status["nextAttemptTime"] = "2026-03-02T10:00:40Z".into();
    status["renewalTime"] = "2026-03-02T09:58:00Z".into();
    status["lastFailure"] = failure(None, 503, "none", reason, message, "Nothing is to be done: it is tried again.");
    status["lastFailure"]["error"] = Value::Null;
    status["conditions"] = json!([
        condition("Ready", "True", "TokenIssued", "Secret inventory holds a token that has not expired"),
        condition("Refreshed", "False", reason, message),
    ]);
    source("inventory", &status, |_| ())
}

/// What it needs is not there: no wait ends that.
pub(crate) fn without_credentials() -> TokenSource {
    let (reason, message) = ("CredentialsNotFound", "there is no Secret client");
    let status = json!({
        "observedGeneration": 2, "secretName": "returns",
        "lastFailure": {"time": "2026-03-02T09:57:00Z", "reason": reason, "message": message, "remedy": "Create it."},
        "conditions": [condition("Ready", "False", reason, message), condition("Refreshed", "False", reason, message),
            condition("Stalled", "True", reason, message)],
    });
    source("returns", &status, |_| ())
}

/// No operator has looked at it.
pub(crate) fn pending() -> TokenSource {
    let waiting = "Waiting for the operator";
    let status =
        json!({"conditions": [condition("Ready", "Unknown", "Pending", waiting), condition("Refreshed", "Unknown", "Pending", waiting)]});
    source("new", &status, |source| {
        source["spec"].as_object_mut().unwrap().remove("tokenURL");
    })
}

/// It is suspended and has no token.
pub(crate) fn suspended() -> TokenSource {
    let message = "spec.suspend is true: no token is requested";
    let status = json!({
        "observedGeneration": 2, "secretName": "paused",
        "conditions": [condition("Ready", "False", "Suspended", message), condition("Refreshed", "Unknown", "Suspended", message)],
    });
    source("paused", &status, |source| source["spec"]["suspend"] = true.into())
}
