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

use super::World;
use super::api_requests::{Call, response};
use super::api_server::Refused;
use super::authorization_server::Asked;
use super::track::Sent;
use super::weather::{Fault, REQUEST_LIMIT};
use crate::clock;
use crate::oauth::response::ResponseBody;
use crate::oauth::transport::TransportFault;
use crate::process::Process;

/// An answer, or why there is none.
pub type Answer = Result<Response<ResponseBody>, TransportFault>;

/// The sender was killed before it could send.
pub struct Killed;

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
                for track in &mut state.tracks {
                    track.issued_at = None;
                    track.failed_at.clear();
                }
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
        let asked = Asked::read(&request, clock::elapsed());
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
            state.judge_presented(index, &asked);
            state.tracks[index].in_flight += 1;
            state.intents.sent(state.tracks[index].group);
            // What follows a refused refresh token is under way since that was sent.
            let open = state.tracks[index].sent.take().filter(|sent| sent.answered.is_none());
            state.tracks[index].sent =
                Some(open.unwrap_or(Sent { at: clock::elapsed(), client_secret: asked.client_secret.clone(), answered: None }));
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
