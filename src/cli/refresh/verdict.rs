//! What is told of a refresh.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::TokenSource;
use crate::api::names::REFRESH_REQUESTED_AT;
use crate::cli::paragraph::paragraph;
use crate::cli::relative::{length, next, relative};
use crate::token_source::overview::Overview;

const INDENT: &str = "    ";

/// Whether the operator acted on a request: on this one, or on a later one that took its place.
pub(super) fn is_handled(source: &TokenSource, value: &str) -> bool {
    let handled = source.status.as_ref().and_then(|status| status.last_handled_refresh_request.as_deref());
    let standing = source.metadata.annotations.as_ref().and_then(|annotations| annotations.get(REFRESH_REQUESTED_AT));
    handled.is_some_and(|handled| handled == value || standing.is_some_and(|standing| standing == handled && standing != value))
}

/// What was done.
pub(super) fn requested(source: &TokenSource, value: &str, width: usize) -> String {
    let name = source.metadata.name.as_deref().unwrap_or_default();
    let mut text =
        format!("TokenSource {name} in namespace {}: a token is requested ({REFRESH_REQUESTED_AT}: {value}).", source.namespace());
    if source.spec.suspend {
        text.push_str(" It is suspended: nothing happens until spec.suspend is false.");
    }
    paragraph(&text, "", "", width)
}

/// It worked.
pub(super) fn obtained(overview: &Overview, now: Timestamp, width: usize) -> String {
    let secret = overview.secret_name.as_deref().unwrap_or_default();
    let expires = overview.expiration_time.as_ref().map(|time| format!("; it expires {}", relative(time.0, now))).unwrap_or_default();
    paragraph(&format!("A new token is in Secret {secret}{expires}. Next: {}.", next(overview.next(), now)), "", "", width)
}

/// It did not.
pub(super) fn refused(overview: &Overview, now: Timestamp, width: usize) -> String {
    let head = format!("No new token: {}. Next: {}.", overview.verdict(), next(overview.next(), now));
    with_problem(&head, overview, width)
}

/// Nothing happened for so long.
pub(super) fn overdue(overview: &Overview, patience: Duration, width: usize) -> String {
    let mut head = format!("Nobody acted on it within {}: is the operator running, and does it watch this namespace?", length(patience));
    if overview.is_failing() {
        head.push_str(" If it does, it may be waiting for the end of what it said last:");
    }
    with_problem(&head, overview, width)
}

fn with_problem(head: &str, overview: &Overview, width: usize) -> String {
    let problem = if overview.is_failing() { overview.problem() } else { Vec::new() };
    let paragraphs = problem.iter().map(|text| paragraph(text, INDENT, INDENT, width));
    std::iter::once(paragraph(head, "", "", width)).chain(paragraphs).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
