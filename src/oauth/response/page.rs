//! Pages and plain texts: what answered is seldom the authorization server, but sometimes it is, or says where it is not.

use super::body::Body;
use super::evidence::Evidence;
use super::patterns;
use super::status;
use super::words::Words;
use super::{Verdict, message_code};
use crate::oauth::rejection::{ClientCause, Rejection};

/// The longest plain text that is taken for an answer of the server rather than for a page without tags.
const SHORT: usize = 200;

/// The verdict over an answer that has no words of OAuth in it.
pub(super) fn foreign(evidence: &Evidence<'_>) -> Option<Verdict> {
    if routed_nowhere(evidence) {
        return Some(Verdict { rejection: Rejection::TenantNotFound, note: Some("the platform's router knows no such host") });
    }
    let (text, note) = match &evidence.body {
        Body::Page(text) => (text, "a page, not JSON"),
        // What calls itself JSON and is neither that nor a page is a broken token answer.
        Body::Text(_) if evidence.is_success() && evidence.claims_json() => return None,
        Body::Text(text) => (text, "plain text, not JSON"),
        Body::Empty | Body::TooLarge | Body::Object(_) | Body::OtherJson | Body::BrokenJson(..) => return None,
    };
    if evidence.said.code.is_some() {
        return None; // a challenge or a bare code says it in the words of OAuth
    }
    let mut words = Words::default();
    words.add(text);
    let rejection = told(evidence, text, &words).unwrap_or(Rejection::NotAnOAuthResponse);
    Some(Verdict { rejection, note: Some(note) })
}

/// Cloud Foundry's router: no application is mapped to the host. On BTP the host is the tenant.
fn routed_nowhere(evidence: &Evidence<'_>) -> bool {
    evidence.headers.get("x-cf-routererror").is_some_and(|error| error.as_bytes().eq_ignore_ascii_case(b"unknown_route"))
}

fn told(evidence: &Evidence<'_>, text: &str, words: &Words) -> Option<Rejection> {
    if evidence.is_success() {
        return tenant(evidence, words);
    }
    if misses_certificate(evidence.status, words) {
        return Some(Rejection::ClientAuthenticationFailed(ClientCause::BadCertificate));
    }
    let server_failed = evidence.status >= 500 && evidence.status != 511; // 511: a captive portal (RFC 6585 §6)
    message_code::of_text(text)
        .or_else(|| tenant(evidence, words))
        .or_else(|| server_failed.then_some(Rejection::ServerError))
        .or_else(|| plain(evidence, text, words))
}

/// nginx and IIS answer a missing client certificate with a page (nginx: 400, its own 495 and 496; IIS: 403.7).
fn misses_certificate(status: u16, words: &Words) -> bool {
    matches!(status, 495 | 496)
        || (matches!(status, 400 | 401 | 403)
            && words
                .say("ssl certificate|client certificate|tls certificate|certificate required|certificate was not|certificate is required"))
}

fn tenant(evidence: &Evidence<'_>, words: &Words) -> Option<Rejection> {
    let verdict = patterns::of_words(words, None, evidence.grant)?;
    let here = matches!(evidence.status, 200 | 400 | 404 | 410 | 421);
    (here && verdict == Rejection::TenantNotFound && !words.say("invalid host|hostname")).then_some(verdict)
}

/// A plain text of a few words, or the logon page of an ABAP system, which answers for itself.
fn plain(evidence: &Evidence<'_>, text: &str, words: &Words) -> Option<Rejection> {
    let realm = |word: &str| {
        let realms = evidence.challenges.iter().filter_map(|challenge| challenge.parameter("realm"));
        realms.map(str::to_ascii_lowercase).any(|realm| realm.contains(word))
    };
    if evidence.status == 401 && realm("sap netweaver") {
        return Some(status::unauthorized(evidence));
    }
    if !matches!(evidence.body, Body::Text(_)) || text.len() > SHORT || !matches!(evidence.status, 400 | 401 | 403) {
        return None;
    }
    let verdict = patterns::of_words(words, None, evidence.grant).filter(|verdict| verdict.counts_as_rejected_credential());
    let bare = evidence.status == 401 && words.say("unauthorized|authentication failed|bad credentials|invalid credentials");
    verdict.or_else(|| bare.then(|| status::unauthorized(evidence)))
}
