//! One source with all that its status tells.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::condition::Condition;
use crate::api::grant::GrantType;
use crate::api::status::{LastFailure, ProbeResult};
use crate::cli::paragraph::{columns, paragraph};
use crate::cli::relative::{next, relative_and_exact};
use crate::token_source::overview::{Next, Overview};

/// The column in which values begin.
const VALUES: usize = 14;

/// The details, as wide as the terminal.
pub(super) fn details(overview: &Overview, now: Timestamp, width: usize) -> String {
    let mut lines: Vec<String> = facts(overview, now).into_iter().filter_map(|(label, value)| field(label, value, width)).collect();
    lines.push(String::new());
    lines.extend(conditions(&overview.conditions, now));
    if let Some(failure) = &overview.last_failure {
        lines.push(String::new());
        lines.push("LAST FAILURE".to_owned());
        lines.extend(of_failure(failure, now).into_iter().filter_map(|(label, value)| field(label, value, width)));
    }
    lines.join("\n")
}

type Field = (&'static str, Option<String>);

fn facts(overview: &Overview, now: Timestamp) -> Vec<Field> {
    let time = |time: &Option<Time>| time.as_ref().map(|time| relative_and_exact(time.0, now));
    let doubt = overview.doubt.map(|doubt| doubt.meaning().to_owned());
    vec![
        ("Name", Some(overview.name.clone())),
        ("Namespace", Some(overview.namespace.clone())),
        ("Ready", Some(format!("{:?}", overview.ready))),
        ("Verdict", Some(overview.verdict())),
        ("Message", overview.message().map(ToOwned::to_owned)),
        ("Doubt", doubt),
        ("Endpoint", Some(overview.endpoint.clone().unwrap_or_else(|| "not in the spec: see the credentials Secret".to_owned()))),
        ("Grant", Some(grant(overview.grant).to_owned())),
        ("Client", overview.client.map(|result| client(result).to_owned())),
        ("Secret", overview.secret_name.clone()),
        ("Token", overview.token_type.clone()),
        ("Scopes", overview.granted_scopes.as_ref().map(|scopes| scopes.join(" "))),
        ("Obtained", time(&overview.last_refresh_time)),
        ("Expires", time(&overview.expiration_time)),
        ("Next", Some(next_and_exact(overview.next(), now))),
        ("Failures", (overview.consecutive_failures > 0).then(|| format!("{} in a row", overview.consecutive_failures))),
    ]
}

fn of_failure(failure: &LastFailure, now: Timestamp) -> Vec<Field> {
    vec![
        ("Time", Some(relative_and_exact(failure.time.0, now))),
        ("Reason", Some(failure.reason.clone())),
        ("Cause", failure.cause.clone()),
        ("HTTP status", failure.http_status.map(|status| status.to_string())),
        ("Error", failure.error.clone()),
        ("Message", Some(failure.message.clone())),
        ("Remedy", Some(failure.remedy.clone())),
    ]
}

fn conditions(conditions: &[Condition], now: Timestamp) -> Vec<String> {
    let heads = ["CONDITION", "STATUS", "REASON", "SINCE"].map(str::to_owned).to_vec();
    let rows = conditions.iter().map(|condition| {
        let since = condition.last_transition_time.0;
        // The schema's own default has the beginning of time.
        let since = if since == Timestamp::UNIX_EPOCH { "-".to_owned() } else { relative_and_exact(since, now) };
        vec![format!("{:?}", condition.condition_type), format!("{:?}", condition.status), condition.reason.clone(), since]
    });
    columns(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}

fn next_and_exact(coming: Next, now: Timestamp) -> String {
    let told = next(coming, now);
    match coming {
        Next::Renewal(time) | Next::Attempt(time) => format!("{told} ({time})"),
        Next::AfterChange | Next::WhenResumed | Next::Unknown => told,
    }
}

/// The grant as the spec names it.
fn grant(grant: GrantType) -> &'static str {
    match grant {
        GrantType::ClientCredentials => "ClientCredentials",
        GrantType::Password => "Password",
        GrantType::JwtBearer => "JWTBearer",
        GrantType::Saml2Bearer => "SAML2Bearer",
        GrantType::TokenExchange => "TokenExchange",
        GrantType::RefreshToken => "RefreshToken",
    }
}

fn client(result: ProbeResult) -> &'static str {
    match result {
        ProbeResult::Accepted => "accepted by the server, as a token or the probe has shown",
        ProbeResult::Rejected => "rejected by the server, as the probe has shown",
        ProbeResult::Inconclusive => "not known: the answer to the probe did not say",
    }
}

fn field(label: &str, value: Option<String>, width: usize) -> Option<String> {
    Some(paragraph(&value?, &format!("{label:<VALUES$}"), &" ".repeat(VALUES), width))
}

#[cfg(test)]
#[path = "details_tests.rs"]
mod tests;
