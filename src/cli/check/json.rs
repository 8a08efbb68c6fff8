//! The report of a check, for machines.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::Finding;
use crate::api::status::ProbeResult;
use crate::controller::check::{CheckResult, Probed};
use crate::oauth::rejection::ClientCause;
use crate::oauth::shown::{ShownRequest, claims};
use crate::token_source::explain;
use crate::token_source::failure::Failure;

/// The report as one object.
pub(super) fn report(finding: &Finding<'_>, show_token: bool) -> Value {
    let Finding { source, checked } = finding;
    let report = json!({
        "namespace": source.namespace(),
        "name": source.metadata.name,
        "request": checked.request.as_ref().map(request),
    });
    let more = match &checked.result {
        CheckResult::NotSent(failure) => told(failure),
        CheckResult::Refused { failure, probe, .. } => {
            let answer = json!({"milliseconds": milliseconds(checked.elapsed), "probe": probed(*probe)});
            merged(told(failure), answer)
        }
        CheckResult::Issued { token, expires_at, renew_at } => {
            let value = show_token.then(|| token.access_token.expose_secret());
            let shown = json!({
                "type": token.token_type,
                "expiresAt": expires_at,
                "renewAt": renew_at,
                "scopes": token.scope,
                "hasRefreshToken": token.refresh_token.is_some(),
                "claims": claims(&token.access_token),
                "value": value,
            });
            json!({"reason": "TokenIssued", "milliseconds": milliseconds(checked.elapsed), "token": shown})
        }
    };
    merged(report, more)
}

/// One object with the fields of both.
fn merged(one: Value, other: Value) -> Value {
    let fields = [one, other].into_iter().filter_map(|value| if let Value::Object(fields) = value { Some(fields) } else { None });
    Value::Object(fields.flatten().collect())
}

fn milliseconds(elapsed: std::time::Duration) -> Value {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).into()
}

/// Parameters as an object: a name that is sent twice is listed twice in the text only.
fn request(request: &ShownRequest) -> Value {
    let map = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect::<Map<_, _>>();
    json!({"method": request.method, "url": request.url, "headers": map(&request.headers), "parameters": map(&request.parameters)})
}

fn told(failure: &Failure) -> Value {
    json!({
        "reason": failure.reason,
        "cause": failure.cause.map(ClientCause::as_str),
        "httpStatus": failure.http_status,
        "error": failure.error,
        "message": failure.message,
        "remedy": failure.remedy,
        "retry": explain::word(failure.retry),
    })
}

fn probed(probe: Probed) -> &'static str {
    match probe {
        Probed::NotNeeded => "NotNeeded",
        Probed::Off => "Off",
        Probed::Result(ProbeResult::Accepted) => "ClientAccepted",
        Probed::Result(ProbeResult::Rejected) => "ClientRejected",
        Probed::Result(ProbeResult::Inconclusive) => "Inconclusive",
    }
}
