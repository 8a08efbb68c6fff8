//! Asks for one token as the operator would, and keeps nothing: no Secret, no status, no ledger beyond the process.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::audiences::Audiences;
use super::codes::Codes;
use super::egress::EgressPolicy;
use super::error::Error;
use super::exchange::{Exchange, NotSent, refused};
use super::gather::{Gatherer, Halt, ReadyRequest};
use super::http::TokenClient;
use super::leadership::Leadership;
use super::ledger::{Attempts, NotAdmitted};
use super::objects::Objects;
use super::proofs::Proofs;
use super::random;
use crate::api::TokenSource;
use crate::api::diagnosis::Probe;
use crate::api::grant::GrantType;
use crate::api::status::ProbeResult;
use crate::clock;
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::response::Answer;
use crate::oauth::shown::ShownRequest;
use crate::oauth::token::IssuedToken;
use crate::token_source::attempts::{Answered, Standing};
use crate::token_source::digest::DigestKey;
use crate::token_source::failure::Failure;
use crate::token_source::hosts::HostPolicy;
use crate::token_source::request::prepare;
use crate::token_source::schedule::{expires_at, renew_at};

/// What a check found.
pub struct Checked {
    /// What was sent, if anything was.
    pub request: Option<ShownRequest>,
    /// How long the answer took.
    pub elapsed: Duration,
    /// What came of it.
    pub result: CheckResult,
}

/// What came of a check.
pub enum CheckResult {
    /// Nothing was sent.
    NotSent(Failure),
    /// A token.
    Issued {
        /// The token.
        token: Box<IssuedToken>,
        /// When it expires.
        expires_at: Timestamp,
        /// When the operator would renew it.
        renew_at: Timestamp,
    },
    /// A refusal, or no answer.
    Refused {
        /// How.
        failure: Failure,
        /// The verdict.
        rejection: Rejection,
        /// What the client's probe said.
        probe: Probed,
    },
}

/// Whether the client was asked for alone, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The answer says whom it is about.
    NotNeeded,
    /// `diagnosis.probe` is `Never`.
    Off,
    /// It was.
    Result(ProbeResult),
}

/// Checks sources one after the other, over the same connections.
pub struct Checker {
    exchange: Exchange,
    audiences: Audiences,
    hosts: HostPolicy,
    key: DigestKey,
    allow_http: bool,
    floor: Duration,
}

impl Checker {
    /// A checker. `floor` is the operator's `--min-refresh-interval`.
    pub fn new(egress: EgressPolicy, hosts: HostPolicy, audiences: Audiences, allow_http: bool, floor: Duration) -> Self {
        let exchange = Exchange {
            leadership: Leadership::for_good(),
            tokens: TokenClient::new(egress),
            attempts: Attempts::new(None),
            codes: Codes::default(),
            proofs: Proofs::default(),
            metrics: Arc::default(),
        };
        // Its digests are compared within this process only.
        Self { exchange, audiences, hosts, key: DigestKey::new(random::id().as_bytes()), allow_http, floor }
    }

    /// Asks for a source's token.
    pub async fn check(
        &self,
        source: &TokenSource,
        objects: Objects<'_>,
        target_of: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Checked, Error> {
        let Self { audiences, hosts, key, allow_http, .. } = self;
        let gatherer = Gatherer { source, objects, target_of, audiences, key, hosts, allow_http: *allow_http };
        let ready = match prepare(&source.spec, *allow_http) {
            Ok(prepared) => gatherer.gather(prepared).await,
            Err(failure) => Err(Halt::Failure(failure)),
        };
        match ready {
            Ok(ready) => self.ask(source, ready).await,
            Err(Halt::Failure(failure)) => Ok(not_sent(failure)),
            Err(Halt::Error(error)) => Err(error),
        }
    }

    async fn ask(&self, source: &TokenSource, mut ready: ReadyRequest) -> Result<Checked, Error> {
        let permit = match self.exchange.attempts.admit(&ready.presented(), Standing::Unknown).await {
            Ok(permit) => permit,
            Err(NotAdmitted::Withheld(refused)) => {
                return Ok(not_sent(Failure::withheld(refused.rejection, &self.exchange.circumstances(&ready))));
            }
            Err(NotAdmitted::Error(error)) => return Err(error),
        };
        let request = Some(ready.request.shown());
        let began = Instant::now();
        let sent = match self.exchange.append_code(&mut ready, None) {
            Ok(()) => self.exchange.send(&source.spec, &ready, &ready.request).await,
            Err(not_sent) => Err(not_sent),
        };
        let answer = match sent {
            Ok(answer) => Ok(answer),
            Err(NotSent::Told(failure)) => Err(failure),
            Err(NotSent::Later(until)) => Err(Failure::paused("the one-time code of now was used; the server", until)),
            Err(NotSent::Error(error)) => return Err(error),
        };
        let elapsed = began.elapsed();
        let result = match answer {
            Err(failure) => {
                permit.settle(Answered::Unjudged).await;
                return Ok(not_sent(failure));
            }
            Ok(Answer::Issued(token)) => {
                permit.settle(Answered::Accepted).await;
                self.exchange.accepted(&ready);
                self.issued(source, token)
            }
            Ok(Answer::Refused(refusal)) => {
                let result = self.refused(source, &ready, refusal).await;
                if let CheckResult::Refused { rejection, .. } = &result {
                    permit.settle(refused(&Refusal::new(*rejection))).await;
                }
                result
            }
        };
        Ok(Checked { request, elapsed, result })
    }

    fn issued(&self, source: &TokenSource, token: Box<IssuedToken>) -> CheckResult {
        let (now, refresh) = (clock::now(), &source.spec.refresh);
        let expires_at = expires_at(token.lifetime, now, refresh);
        let renew_at = renew_at(now, expires_at, refresh, self.floor, "");
        CheckResult::Issued { token, expires_at, renew_at }
    }

    async fn refused(&self, source: &TokenSource, ready: &ReadyRequest, refusal: Refusal) -> CheckResult {
        let unclear = refusal.rejection == Rejection::CredentialsRejected && source.spec.grant.grant_type == GrantType::Password;
        let circumstances = self.exchange.circumstances(ready);
        let (refusal, proof) = self.exchange.diagnose(&source.spec, ready, refusal).await;
        let probe = match (unclear, source.spec.diagnosis.probe, proof) {
            (false, ..) => Probed::NotNeeded,
            (true, _, Some(proof)) => Probed::Result(proof.result),
            (true, Probe::Never, None) => Probed::Off,
            (true, Probe::Auto, None) => Probed::Result(ProbeResult::Inconclusive),
        };
        CheckResult::Refused { rejection: refusal.rejection, failure: Failure::refused(&refusal, &circumstances), probe }
    }
}

fn not_sent(failure: Failure) -> Checked {
    Checked { request: None, elapsed: Duration::ZERO, result: CheckResult::NotSent(failure) }
}
