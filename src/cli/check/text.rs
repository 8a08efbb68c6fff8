//! The report of a check, for people.

use jiff::Timestamp;
use serde_json::Value;

use super::super::paragraph::paragraph;
use super::super::relative::{length, relative_and_exact};
use super::Finding;
use crate::api::diagnosis::Probe;
use crate::api::status::ProbeResult;
use crate::controller::check::{CheckResult, Probed};
use crate::oauth::rejection::ClientCause;
use crate::oauth::shown::{ShownRequest, claims};
use crate::oauth::token::IssuedToken;
use crate::token_source::explain;
use crate::token_source::failure::Failure;
use crate::token_source::schedule::between;

/// A claim longer than this is cut.
const CLAIM_MAX: usize = 160;

/// The report: request, answer, verdict, remedy, token.
pub(super) fn report(finding: &Finding<'_>, now: Timestamp, show_token: bool, width: usize) -> String {
    let Finding { source, checked } = finding;
    let name = source.metadata.name.as_deref().unwrap_or_default();
    let mut page = Page { lines: vec![format!("TokenSource {}/{name}", source.namespace())], width };
    if let Some(request) = &checked.request {
        page.request(request);
    }
    let elapsed = checked.elapsed.as_millis();
    match &checked.result {
        CheckResult::NotSent(failure) => page.not_sent(failure),
        CheckResult::Refused { failure, probe, .. } => {
            page.answer(failure.http_status, failure.error.as_deref(), elapsed);
            page.refused(failure, *probe, source.spec.diagnosis.probe);
        }
        CheckResult::Issued { token, expires_at, renew_at } => {
            page.answer(Some(200), None, elapsed);
            page.issued(token, *expires_at, *renew_at, now, source.spec.scopes.as_deref().unwrap_or_default());
            if show_token {
                page.section("Token");
                page.lines.push(format!("  {}", secrecy::ExposeSecret::expose_secret(&token.access_token)));
            }
        }
    }
    page.lines.join("\n")
}

struct Page {
    lines: Vec<String>,
    width: usize,
}

impl Page {
    fn section(&mut self, title: &str) {
        self.lines.extend([String::new(), title.to_owned()]);
    }

    fn text(&mut self, text: &str) {
        self.lines.push(paragraph(text, "  ", "  ", self.width));
    }

    fn item(&mut self, label: &str, text: &str) {
        self.lines.push(paragraph(text, &format!("  {label:<9}"), "           ", self.width));
    }

    fn request(&mut self, request: &ShownRequest) {
        self.section("Request, without its secrets");
        self.lines.push(format!("  {} {}", request.method, request.url));
        self.lines.extend(request.headers.iter().map(|(name, value)| format!("  {name}: {value}")));
        self.lines
            .extend(request.parameters.iter().map(|(name, value)| paragraph(&format!("{name}={value}"), "    ", "      ", self.width)));
    }

    fn answer(&mut self, status: Option<u16>, error: Option<&str>, milliseconds: u128) {
        self.section("Answer");
        match status {
            Some(status) => self.text(&format!("{status} {} after {milliseconds} ms", error.unwrap_or_default())),
            None => self.text(&format!("none, after {milliseconds} ms")),
        }
    }

    fn not_sent(&mut self, failure: &Failure) {
        self.section("Verdict: no request was sent");
        self.told(failure);
    }

    fn refused(&mut self, failure: &Failure, probe: Probed, setting: Probe) {
        self.section("Verdict: no token");
        self.told(failure);
        self.item("Probe", probed(probe, setting));
    }

    fn told(&mut self, failure: &Failure) {
        let cause = failure.cause.map(|cause| format!(" ({})", ClientCause::as_str(cause))).unwrap_or_default();
        self.item("Reason", &format!("{}{cause}", failure.reason));
        self.item("Message", &failure.message);
        self.item("Remedy", &failure.remedy);
        self.item("Retry", retried(explain::word(failure.retry)));
    }

    fn issued(&mut self, token: &IssuedToken, expires_at: Timestamp, renew_at: Timestamp, now: Timestamp, asked: &[String]) {
        self.section("Verdict: a token");
        self.item("Type", &token.token_type);
        self.item("Life", &format!("{}, expires {}", length(between(now, expires_at)), relative_and_exact(expires_at, now)));
        self.item("Renewal", &format!("the operator would renew it {}", relative_and_exact(renew_at, now)));
        if let Some(granted) = &token.scope {
            self.item("Scopes", &granted.join(" "));
            let refused: Vec<&str> = asked.iter().filter(|scope| !granted.contains(scope)).map(String::as_str).collect();
            if !refused.is_empty() {
                self.item("", &format!("not granted: {}", refused.join(" ")));
            }
        }
        self.item("Refresh", if token.refresh_token.is_some() { "the answer brings a refresh token" } else { "no refresh token" });
        self.claims(token);
    }

    fn claims(&mut self, token: &IssuedToken) {
        let Some(claims) = claims(&token.access_token) else { return self.item("Form", "opaque: not a JWT") };
        self.section("Claims (the signature was not checked)");
        let longest = claims.keys().map(|name| name.chars().count()).max().unwrap_or_default().min(24);
        for (name, value) in &claims {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
            };
            let shown: String = value.chars().take(CLAIM_MAX).collect();
            let cut = if shown.len() < value.len() { "…" } else { "" };
            self.lines.push(paragraph(&format!("{shown}{cut}"), &format!("  {name:<longest$}  "), "      ", self.width));
        }
    }
}

/// What the probe said.
pub(super) fn probed(probe: Probed, setting: Probe) -> &'static str {
    match (probe, setting) {
        (Probed::NotNeeded, _) => "not needed",
        (Probed::Off, _) => "not made: spec.diagnosis.probe is Never",
        (Probed::Result(ProbeResult::Accepted), _) => "the client was accepted where it asked alone: the user was refused",
        (Probed::Result(ProbeResult::Rejected), _) => "the client was refused where it asked alone: it is the client",
        (Probed::Result(ProbeResult::Inconclusive), _) => "the client asked alone, and the answer did not say",
    }
}

fn retried(word: &str) -> &'static str {
    match word {
        "input" => "when spec or credentials change; once by itself after refresh.retryRejectedAfter",
        "slow" => "after refresh.retryRejectedAfter (1h), doubling up to 24h",
        "backoff" => "within seconds, doubling up to 5m",
        "server" => "when the server's Retry-After says, else within seconds",
        _ => "when an object that it depends on changes",
    }
}
