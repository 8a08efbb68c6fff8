//! What an answer of a token endpoint means.
//!
//! [`classify`] is the order of evidence as a table of contents: what is certain comes first, what only hints comes last, and every
//! step is a pure function over the same `Evidence`.

use std::fmt;

use bytes::Bytes;
use http::Response;

use super::grant::GrantType;
use super::rejection::{Refusal, Rejection};
use super::token::IssuedToken;
use super::transport::TransportFault;

mod aadsts;
mod body;
mod challenge;
mod clean;
mod codes;
mod evidence;
mod message_code;
mod nested;
mod page;
mod patterns;
mod retry_after;
mod said;
mod status;
mod words;

pub use clean::without_suspects;

use body::Body;
use evidence::Evidence;

/// What was asked: the same bytes mean different things on different grants.
///
/// No `Debug`: it holds credentials.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The grant that was asked with.
    pub grant: GrantType,
    /// The credentials that were sent, in plain text (secret, password, assertion, refresh token; not the client id): nothing
    /// that contains one is ever shown.
    pub credentials: &'a [&'a str],
}

/// The body of an answer, as far as it was read.
#[derive(Clone)]
pub enum ResponseBody {
    /// All of it.
    Whole(Bytes),
    /// Reading stopped at the limit (1 MiB).
    TooLarge,
}

/// Its size: a body holds tokens.
impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::TooLarge => f.write_str("TooLarge"),
        }
    }
}

/// A token or the reason why there is none.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A usable token.
    Issued(Box<IssuedToken>),
    /// No token.
    Refused(Refusal),
}

/// A reason, and what we saw in our own words where the server's can't be shown.
#[derive(Debug, Clone, Copy)]
struct Verdict {
    rejection: Rejection,
    note: Option<&'static str>,
}

impl From<Rejection> for Verdict {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, note: None }
    }
}

/// Evidence that stands before any word of OAuth, in its order.
const OUTSIDE: [fn(&Evidence<'_>) -> Option<Verdict>; 7] =
    [proxy_authentication, message_code, redirect, unavailable, rate_limit, page::foreign, too_large];

/// Evidence in the words of OAuth, in its order; what none of it settles, the status alone must.
const INSIDE: [fn(&Evidence<'_>) -> Option<Rejection>; 5] = [numeric_code, nested::inner_error, settled_code, text, status::by_code];

/// Tells what an answer means (the order of evidence is that of failures.md).
///
/// Pure and total: any status, headers and bytes have a meaning. What a [`Refusal`] shows has passed the message hygiene.
pub fn classify(asked: &Asked<'_>, response: &Response<ResponseBody>) -> Answer {
    let evidence = Evidence::gather(asked.grant, response);
    if let Some(verdict) = OUTSIDE.iter().find_map(|look| look(&evidence)) {
        return refused(asked, &evidence, verdict);
    }
    if evidence.is_success() && !evidence.said.is_error {
        return match token(&evidence) {
            Ok(token) => Answer::Issued(Box::new(token)),
            Err(note) => refused(asked, &evidence, Verdict { rejection: Rejection::InvalidTokenResponse, note: Some(note) }),
        };
    }
    refused(asked, &evidence, spoken(&evidence).into())
}

/// The refusal for a request that got no answer.
pub fn refuse_transport(fault: TransportFault) -> Refusal {
    Refusal { note: Some(fault.describe()), ..Refusal::new(fault.rejection()) }
}

/// The verdict over the words of OAuth.
fn spoken(evidence: &Evidence<'_>) -> Rejection {
    INSIDE.iter().find_map(|look| look(evidence)).unwrap_or_else(|| status::alone(evidence))
}

fn proxy_authentication(evidence: &Evidence<'_>) -> Option<Verdict> {
    (evidence.status == 407).then(|| Rejection::ProxyAuthenticationRequired.into())
}

fn message_code(evidence: &Evidence<'_>) -> Option<Verdict> {
    message_code::of_header(evidence.headers).map(Verdict::from)
}

/// Never followed: the credentials would go to where the answer points.
fn redirect(evidence: &Evidence<'_>) -> Option<Verdict> {
    let note = Some("a redirect, which is never followed with credentials");
    (300..400).contains(&evidence.status).then_some(Verdict { rejection: Rejection::NotAnOAuthResponse, note })
}

/// Time-outs and gateways, Cloudflare's own 520 to 530 among them.
fn unavailable(evidence: &Evidence<'_>) -> Option<Verdict> {
    matches!(evidence.status, 408 | 502 | 503 | 504 | 520..=530).then(|| Rejection::TemporarilyUnavailable.into())
}

/// 429, unless it says that the user is locked: asking again soon would prolong the lock.
fn rate_limit(evidence: &Evidence<'_>) -> Option<Verdict> {
    let locked = patterns::of_words(&evidence.words, evidence.code.as_deref(), evidence.grant)
        .filter(|verdict| *verdict == Rejection::UserAccountLocked && evidence.grant == GrantType::Password && names_account(evidence));
    (evidence.status == 429).then(|| locked.unwrap_or(Rejection::RateLimited).into())
}

fn names_account(evidence: &Evidence<'_>) -> bool {
    evidence.words.say("account|user |password")
}

fn too_large(evidence: &Evidence<'_>) -> Option<Verdict> {
    let note = Some("the answer is larger than 1 MiB");
    matches!(evidence.body, Body::TooLarge).then_some(Verdict { rejection: Rejection::InvalidTokenResponse, note })
}

/// Only 200 and 201 carry tokens.
fn token(evidence: &Evidence<'_>) -> Result<IssuedToken, &'static str> {
    match &evidence.body {
        Body::Object(_) if !matches!(evidence.status, 200 | 201) => Err("only 200 and 201 carry tokens"),
        Body::Object(object) => IssuedToken::read(object),
        Body::Empty => Err("the answer is empty"),
        Body::TooLarge | Body::OtherJson | Body::BrokenJson(..) | Body::Page(_) | Body::Text(_) => Err("the answer is not a JSON object"),
    }
}

fn numeric_code(evidence: &Evidence<'_>) -> Option<Rejection> {
    aadsts::of_codes(&evidence.said.numbers, evidence.said.texts(), evidence.grant)
}

fn settled_code(evidence: &Evidence<'_>) -> Option<Rejection> {
    let ias = evidence.said.texts().chain(evidence.said.code.as_deref()).find_map(message_code::of_text);
    ias.or_else(|| codes::settled(evidence.code.as_deref()?, evidence.grant))
}

/// The texts. Where the status says "wrong address" or "server fault" and no code of OAuth says otherwise, few texts outweigh it.
fn text(evidence: &Evidence<'_>) -> Option<Rejection> {
    let verdict = patterns::of_words(&evidence.words, evidence.code.as_deref(), evidence.grant)?;
    let believed = evidence.code_is("invalid_client unauthorized_client invalid_grant access_denied");
    let fits = match evidence.status {
        _ if believed => true,
        404 => {
            matches!(verdict, Rejection::TenantNotFound | Rejection::RateLimited)
                || (verdict.cause().is_some() && evidence.words.say("client "))
        }
        // An expired assertion can come back as a 500, which the same assertion never cures.
        500.. => {
            matches!(verdict, Rejection::RateLimited | Rejection::IdentityProviderError | Rejection::TenantNotFound)
                || (matches!(verdict, Rejection::AssertionRejected) && evidence.words.say("expired|expir"))
        }
        _ => true,
    };
    fits.then_some(verdict)
}

fn refused(asked: &Asked<'_>, evidence: &Evidence<'_>, verdict: Verdict) -> Answer {
    let Verdict { rejection, note } = verdict;
    let window_end = || (rejection == Rejection::RateLimited).then(|| retry_after::window_end(evidence.headers)).flatten();
    let issued = issued_beside(&evidence.body);
    let secrets: Vec<&str> = asked.credentials.iter().copied().chain(issued).collect();
    let inner = nested::inner(&evidence.said);
    let description = inner.as_ref().map_or(evidence.said.texts().next(), |inner| inner.texts().next());
    Answer::Refused(Refusal {
        rejection,
        http_status: Some(evidence.status),
        error: evidence.said.code.as_deref().and_then(|code| clean::code(code, &secrets)),
        description: description.and_then(|text| clean::description(text, &secrets)),
        retry_after: retry_after::retry_after(evidence.headers).or_else(window_end),
        note,
    })
}

/// Tokens in an answer that is none: they may be valid all the same.
fn issued_beside(body: &Body) -> Vec<&str> {
    let Body::Object(object) = body else { return Vec::new() };
    let tokens = ["access_token", "refresh_token", "id_token"].iter().filter_map(|name| object.get(*name)?.as_str());
    tokens.filter(|token| !token.trim().is_empty()).collect()
}

#[cfg(test)]
mod properties;
