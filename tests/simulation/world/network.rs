//! Requests on their way. Once handed to the network a request takes effect whatever becomes of its sender.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tower::BoxError;

use super::api_requests::{Call, response};
use super::api_server::Refused;
use super::authorization_server::{Asked, Grant, Verdict, unwell};
use super::track::{Given, Told, longest_wait};
use super::weather::{Endpoint, Fault, REQUEST_LIMIT};
use super::{State, World};
use crate::clock;
use crate::oauth::rejection::RetryClass;
use crate::oauth::response::ResponseBody;
use crate::oauth::transport::TransportFault;
use crate::process::Process;

type Answer = Result<Response<ResponseBody>, TransportFault>;

/// The sender was killed before it could send.
pub struct Killed;

/// What comes of a token request: the answer if there is one, and what it says.
struct Outcome {
    answer: Option<Answer>,
    says: Says,
}

/// What an answer says.
#[derive(Debug, Clone)]
enum Says {
    Token(String),
    Failure(&'static str, RetryClass, Option<u64>),
    /// Refused credentials: several reasons fit.
    Refused(Option<&'static str>),
}

impl World {
    /// A client of a process.
    pub fn client(self: &Arc<Self>, process: &Arc<Process>, namespace: &str) -> Client {
        let (world, process) = (Arc::clone(self), Arc::clone(process));
        let service = tower::service_fn(move |request: Request<Body>| {
            let (world, process) = (Arc::clone(&world), Arc::clone(&process));
            async move { world.serve(process, request).await }
        });
        Client::new(service, namespace)
    }

    async fn serve(self: Arc<Self>, process: Arc<Process>, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let (parts, body) = request.into_parts();
        let call = Call::read(&parts, &body.collect_bytes().await?);
        let (answer, answered) = oneshot::channel();
        if self.send_api_request(&process, call, answer).is_err() {
            pending::<()>().await;
        }
        match answered.await {
            Ok(result) => Ok(response(result)),
            Err(_) => Err("connection reset by peer".into()),
        }
    }

    fn send_api_request(
        self: &Arc<Self>,
        process: &Arc<Process>,
        call: Call,
        answer: oneshot::Sender<Result<Vec<u8>, Refused>>,
    ) -> Result<(), Killed> {
        self.killed_here(process, "killed before a request to the API server")?;
        let (fault, latency) = self.change(|state| {
            state.judge_leadership(process, call.is_an_act(), &call.told());
            let fault = state.weather.api_fault(&mut state.random);
            state.note(|| {
                format!(
                    "process {} sends: {}{}",
                    process.number,
                    call.told(),
                    fault.map(|fault| format!(" [{fault:?}]")).unwrap_or_default()
                )
            });
            if let Some(fault) = fault {
                state.saw(name_of_api_fault(fault, call.is_write()));
                state.disturb_all();
                state.excuse_refresh_tokens();
                // What could not be told to a status is done again.
                state.tracks.iter_mut().for_each(|track| track.issued_at = None);
            }
            let latency = if fault == Some(Fault::Late) { state.random.millis(1000, 8000) } else { state.random.millis(2, 12) };
            (fault, latency)
        });
        let (world, process) = (Arc::clone(self), Arc::clone(process));
        tokio::spawn(async move {
            sleep(latency).await;
            let result = match fault {
                Some(Fault::ResetBefore) => None,
                Some(Fault::Refused(code)) => Some(Err(code)),
                Some(Fault::ResetAfter | Fault::SilentAfter | Fault::Late | Fault::FailedAfter(_)) | None => {
                    let result = world.change(|state| state.perform(&process, call));
                    if world.killed_here(&process, "killed after a request to the API server took effect").is_err() {
                        return;
                    }
                    match fault {
                        Some(Fault::ResetAfter) => None,
                        Some(Fault::FailedAfter(code)) => Some(Err(code)),
                        Some(Fault::SilentAfter) => {
                            sleep(Duration::from_secs(10)).await;
                            world.change(|state| {
                                state.disturb_all();
                                state.excuse_refresh_tokens();
                            });
                            None
                        }
                        Some(Fault::ResetBefore | Fault::Refused(_) | Fault::Late) | None => Some(result),
                    }
                }
            };
            if let Some(result) = result {
                _ = answer.send(result);
            }
        });
        Ok(())
    }

    /// Sends a token request.
    pub fn send_token_request(
        self: &Arc<Self>,
        process: &Arc<Process>,
        request: Request<SecretString>,
        answer: oneshot::Sender<Answer>,
    ) -> Result<(), Killed> {
        self.killed_here(process, "killed before a token request")?;
        let asked = Asked::read(&request);
        let host = usize::from(request.uri().host() == Some("auth1.example.com"));
        let Some(index) = self.lock().index(&asked.source) else { panic!("a token request of nobody") };
        let (fault, latency) = self.change(|state| {
            state.judge_leadership(process, true, "token request");
            state.saw("token request");
            let fault = state.weather.request_fault(&mut state.random);
            state.note(|| {
                let fault = fault.map(|fault| format!(" [{fault:?}]")).unwrap_or_default();
                format!("process {} sends: {} request of {}{fault}", process.number, asked.grant(), asked.source)
            });
            state.tracks[index].in_flight += 1;
            state.disturb_group(state.tracks[index].group);
            let latency = if fault == Some(Fault::Late) { state.random.millis(4000, 18_000) } else { state.random.millis(20, 300) };
            (fault, latency)
        });
        let (world, process) = (Arc::clone(self), Arc::clone(process));
        tokio::spawn(async move {
            sleep(latency).await;
            let outcome = world.change(|state| state.answer(&process, index, host, &asked, fault));
            let is_lost = match outcome.answer {
                Some(answer_to_send) => {
                    let killed = world.killed_here(&process, "killed before the token's answer came").is_err();
                    killed || process.is_dead() || answer.send(answer_to_send).is_err()
                }
                None => {
                    sleep(REQUEST_LIMIT.saturating_sub(latency)).await;
                    process.is_dead()
                }
            };
            let is_frozen = process.is_frozen();
            world.change(|state| {
                state.answered(index, &asked, &outcome.says, is_lost);
                if is_frozen {
                    state.excuse_refresh_tokens();
                }
            });
        });
        Ok(())
    }

    /// Between any two effects the process may be killed.
    fn killed_here(self: &Arc<Self>, process: &Arc<Process>, what: &'static str) -> Result<(), Killed> {
        let (kills, freezes) = {
            let mut state = self.lock();
            let (kills, freezes) = (state.weather.kills, state.weather.freezes);
            let leads = state.leads_now(process) && !process.is_frozen();
            (!process.is_dead() && state.random.per_mille(kills), leads && state.random.per_mille(freezes))
        };
        if freezes && !kills {
            self.freeze(process);
        }
        if kills {
            let pause = self.lock().random.seconds(1, 40);
            self.kill(process, what, pause);
        }
        if kills { Err(Killed) } else { Ok(()) }
    }
}

impl State {
    /// What the authorization server answers.
    fn answer(&mut self, process: &Arc<Process>, index: usize, host: usize, asked: &Asked, fault: Option<Fault>) -> Outcome {
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
    fn answered(&mut self, index: usize, asked: &Asked, says: &Says, is_lost: bool) {
        let (now, group) = (clock::elapsed(), self.tracks[index].group);
        self.note(|| format!("the answer for {}{}: {}", asked.source, if is_lost { " is lost" } else { "" }, told_of(says)));
        self.tracks[index].in_flight -= 1;
        self.disturb_group(group);
        let is_probe = asked.grant() == "client_credentials" && self.grant(index) != Grant::ClientCredentials;
        if is_lost {
            self.saw("answer lost with its process");
            self.refusals.strike(group, now);
            return;
        }
        if is_probe {
            self.saw("client probed");
            if matches!(says, Says::Refused(_)) {
                self.refusals.strike(group, now);
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
                    self.refusals.strike(group, now);
                }
                self.failed(index, *reason, RetryClass::Slow, None);
            }
            Says::Failure(reason, class, retry_after) => self.failed(index, Some(*reason), *class, *retry_after),
        }
    }

    fn failed(&mut self, index: usize, reason: Option<&'static str>, class: RetryClass, retry_after: Option<u64>) {
        let now = clock::elapsed();
        if let Some(seconds) = retry_after {
            let pause = &mut self.pauses[self.servers.groups[self.tracks[index].group].host];
            *pause = (*pause).max(now + Duration::from_secs(seconds).mul_f64(1.1));
        }
        let track = &mut self.tracks[index];
        track.failures += 1;
        let until = now + longest_wait(class, track.failures, retry_after);
        track.told = Some(Told { reason, until });
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

fn name_of_api_fault(fault: Fault, is_write: bool) -> &'static str {
    match (fault, is_write) {
        (Fault::ResetBefore, true) => "API write: reset before",
        (Fault::ResetBefore, false) => "API read: reset",
        (Fault::ResetAfter | Fault::SilentAfter, true) => "API write: took effect, answer lost",
        (Fault::ResetAfter | Fault::SilentAfter, false) => "API read: answer lost",
        (Fault::Late, _) => "API request: late",
        (Fault::Refused(409), true) => "API write: 409 before",
        (Fault::Refused(429), true) => "API write: 429 before",
        (Fault::Refused(_), true) => "API write: refused",
        (Fault::Refused(_), false) => "API read: refused",
        (Fault::FailedAfter(409), true) => "API write: took effect, 409",
        (Fault::FailedAfter(_), true) => "API write: took effect, 5xx",
        (Fault::FailedAfter(_), false) => "API read: 5xx",
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
