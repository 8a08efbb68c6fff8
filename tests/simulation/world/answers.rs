//! What authorization servers answer, and what is known of a source since.

use std::sync::Arc;
use std::time::Duration;

use super::authorization_server::{Asked, Grant, Verdict, unwell};
use super::invariants::lockout::Strike;
use super::network::Answer;
use super::track::{Given, Told};
use super::weather::{Endpoint, Fault};
use super::{APPS, State};
use crate::clock;
use crate::oauth::rejection::RetryClass;
use crate::oauth::transport::TransportFault;
use crate::process::Process;

/// What comes of a token request: the answer if there is one, and what it says.
pub struct Outcome {
    /// What comes back; none: nothing, ever.
    pub answer: Option<Answer>,
    /// What it says.
    pub says: Says,
}

/// What an answer says.
#[derive(Debug, Clone)]
pub enum Says {
    /// A token.
    Token(String),
    /// Nothing of the credentials: the reason, how it is tried again, and `Retry-After`.
    Failure(&'static str, RetryClass, Option<u64>),
    /// Refused credentials: several reasons fit.
    Refused(Option<&'static str>),
}

impl State {
    /// What the authorization server answers.
    pub fn answer(&mut self, process: &Arc<Process>, index: usize, host: usize, asked: &Asked, fault: Option<Fault>) -> Outcome {
        match (self.weather.endpoints[host], fault) {
            (Endpoint::Refusing, _) => return self.unanswered("endpoint refuses connections", Some(TransportFault::Refused)),
            (Endpoint::Silent, _) => return self.unanswered("endpoint is silent", None),
            (weather @ Endpoint::Unwell(status, retry_after), _) => {
                self.saw(name_of_status(status, retry_after));
                return Outcome { answer: weather.answer().map(Ok), says: said_by(status, retry_after) };
            }
            (Endpoint::Fine, Some(Fault::ResetBefore)) => {
                return self.unanswered("token request: reset before", Some(TransportFault::Reset));
            }
            (Endpoint::Fine, Some(Fault::Refused(status))) => {
                let retry_after = self.random.per_mille(500).then(|| 1 + self.random.below(120)).filter(|_| status != 500);
                self.saw(name_of_status(status, retry_after));
                return Outcome { answer: Some(Ok(unwell(status, retry_after))), says: said_by(status, retry_after) };
            }
            (Endpoint::Fine, _) => {}
        }
        let clock_error = process.clock_error();
        let verdict = self.servers.judge(asked, clock::elapsed(), clock_error);
        self.note(|| format!("the server judges {}: {}", asked.source, told(&verdict)));
        match fault {
            // The operator can't know of a refusal whose answer is lost on the way.
            Some(Fault::ResetAfter | Fault::SilentAfter | Fault::FailedAfter(_)) => {}
            Some(Fault::ResetBefore | Fault::Refused(_) | Fault::Late) | None => self.judge_refusal(&verdict, clock_error),
        }
        let is_unclear = self.servers.groups[self.tracks[index].group].is_unclear;
        let says = match &verdict {
            Verdict::Token(token) => Says::Token(token.clone()),
            Verdict::Client(_) => Says::Refused((!is_unclear).then_some("ClientAuthenticationFailed")),
            Verdict::User(_) => Says::Refused((!is_unclear).then_some("UserAuthenticationFailed")),
            Verdict::RefreshToken => Says::Refused(Some("RefreshTokenInvalid")),
        };
        match fault {
            Some(Fault::ResetAfter) => self.unanswered("token request: reset after", Some(TransportFault::Reset)),
            Some(Fault::SilentAfter) => self.unanswered("token request: silent after", None),
            Some(Fault::FailedAfter(status)) => {
                self.saw("token request: 500 after");
                Outcome { answer: Some(Ok(unwell(status, None))), says: said_by(status, None) }
            }
            Some(Fault::Late) => {
                self.saw("token request: late");
                Outcome { answer: Some(Ok(self.servers.answer(asked, &verdict))), says }
            }
            Some(Fault::ResetBefore | Fault::Refused(_)) | None => Outcome { answer: Some(Ok(self.servers.answer(asked, &verdict))), says },
        }
    }

    fn unanswered(&mut self, what: &'static str, fault: Option<TransportFault>) -> Outcome {
        self.saw(what);
        Outcome { answer: fault.map(Err), says: Says::Failure("ConnectionFailed", RetryClass::Backoff, None) }
    }

    /// The operator has its answer, or will never have it.
    pub fn answered(&mut self, index: usize, asked: &Asked, says: &Says, is_lost: bool) {
        let (now, group) = (clock::elapsed(), self.tracks[index].group);
        self.note(|| format!("the answer for {}{}: {}", asked.source, if is_lost { " is lost" } else { "" }, told_of(says)));
        self.tracks[index].in_flight -= 1;
        self.disturb_group(group);
        let is_probe = asked.grant() == "client_credentials" && self.grant(index) != Grant::ClientCredentials;
        if is_lost {
            self.saw("answer lost with its process");
            return;
        }
        let is_followed = matches!(says, Says::Refused(Some("RefreshTokenInvalid"))) && self.grant(index) == Grant::Password;
        if let Some(sent) = self.tracks[index].sent.as_mut().filter(|_| !is_followed) {
            sent.answered = Some(now);
        }
        if is_probe {
            self.saw("client probed");
            if matches!(says, Says::Refused(_)) {
                self.refusals
                    .strike(group, Strike { at: now, client_secret: asked.client_secret.clone(), password: None, is_refusal: true });
            }
            return;
        }
        match says {
            Says::Token(token) => {
                self.saw("token issued");
                self.judge_need(index);
                let refresh_token = self.servers.tokens.get(token).and_then(|issued| issued.refresh_token.clone());
                let track = &mut self.tracks[index];
                (track.told, track.failures, track.issued_at) = (None, 0, Some(now));
                track.failed_at.clear();
                if let Some(token) = refresh_token {
                    track.given = Some(Given { token, at: now, is_excused: false });
                    self.saw("refresh token given");
                }
            }
            Says::Refused(reason) => {
                if *reason == Some("RefreshTokenInvalid") {
                    self.saw("refresh token refused");
                } else {
                    let password = (*reason == Some("UserAuthenticationFailed")).then(|| asked.password().to_owned());
                    self.refusals.strike(group, Strike { at: now, client_secret: asked.client_secret.clone(), password, is_refusal: true });
                }
                self.failed(index, *reason, RetryClass::Slow, None);
            }
            Says::Failure(reason, class, retry_after) => self.failed(index, Some(*reason), *class, *retry_after),
        }
    }

    /// What a source's requests are made of now: others are counted anew.
    pub fn request_of(&self, index: usize) -> String {
        let source = self.api.sources.get(&self.tracks[index].name);
        let scopes = source.and_then(|source| source.spec.scopes.as_ref());
        let data = self.api.secret(APPS, &self.servers.groups[self.tracks[index].group].name).and_then(|kept| kept.secret.data.as_ref());
        format!("{:?} {scopes:?} {data:?}", source.and_then(|source| source.metadata.uid.as_ref()))
    }

    fn failed(&mut self, index: usize, reason: Option<&'static str>, class: RetryClass, retry_after: Option<u64>) {
        let now = clock::elapsed();
        if let Some(seconds) = retry_after {
            let pause = &mut self.pauses[self.servers.groups[self.tracks[index].group].host];
            *pause = (*pause).max(now + Duration::from_secs(seconds).mul_f64(1.1));
        }
        let request = self.request_of(index);
        let track = &mut self.tracks[index];
        track.failures = if track.failing == request { track.failures + 1 } else { 1 };
        track.failing.clone_from(&request);
        track.told = Some(Told { reason, request, at: now, class, failures: track.failures, retry_after });
        if retry_after.is_none() {
            track.failed_at.push_back(now);
            self.judge_backoff(index);
        }
    }
}

fn said_by(status: u16, retry_after: Option<u64>) -> Says {
    match status {
        429 => Says::Failure("RateLimited", RetryClass::Server, retry_after),
        503 => Says::Failure("TemporarilyUnavailable", RetryClass::Server, retry_after),
        500 => Says::Failure("ServerError", RetryClass::BackoffThenSlow, retry_after),
        200 => Says::Failure("InvalidTokenResponse", RetryClass::BackoffThenSlow, retry_after),
        _ => Says::Failure("NotAnOAuthResponse", RetryClass::Slow, retry_after),
    }
}

fn name_of_status(status: u16, retry_after: Option<u64>) -> &'static str {
    match (status, retry_after) {
        (429, Some(_)) => "token request: 429 with Retry-After",
        (429, None) => "token request: 429",
        (503, Some(_)) => "token request: 503 with Retry-After",
        (503, None) => "token request: 503",
        (500, _) => "token request: 500",
        (200, _) => "token request: 200 without a token",
        _ => "token request: a page",
    }
}

fn told(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Token(_) => "a token",
        Verdict::Client(_) => "not this client",
        Verdict::User(_) => "not this user",
        Verdict::RefreshToken => "not this refresh token",
    }
}

fn told_of(says: &Says) -> String {
    match says {
        Says::Token(_) => "a token".to_owned(),
        Says::Failure(reason, ..) => (*reason).to_owned(),
        Says::Refused(reason) => format!("refused {}", reason.unwrap_or("by nobody says whom")),
    }
}
