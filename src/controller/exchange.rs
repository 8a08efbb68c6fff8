//! Request and answer, with a one-time code where one is needed; and the probe. Knows no cluster.

use std::sync::Arc;

use http::Response;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use tracing::{Instrument as _, field};

use super::codes::{Codes, Spent};
use super::error::Error;
use super::gather::ReadyRequest;
use super::http::{TokenClient, Unanswered};
use super::leadership::Leadership;
use super::ledger::Attempts;
use super::proofs::Proofs;
use crate::api::condition::Reason;
use crate::api::status::{ClientProof, ProbeResult};
use crate::api::v1alpha1::TokenSourceSpec;
use crate::clock;
use crate::oauth::grant::Grant;
use crate::oauth::rejection::Refusal;
use crate::oauth::request::TokenRequest;
use crate::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport};
use crate::observability::metrics::Metrics;
use crate::token_source::attempts::{Answered, Presented};
use crate::token_source::circumstances::Circumstances;
use crate::token_source::failure::Failure;
use crate::token_source::probe::{self, Next};

/// The metric label of an answer that brings a token.
const TOKEN_ISSUED: &str = "TokenIssued";

/// What asking for tokens takes.
pub struct Exchange {
    /// Whether requests may be sent.
    pub leadership: Leadership,
    /// The connections.
    pub tokens: TokenClient,
    /// The lock-out ledger.
    pub attempts: Attempts,
    /// The one-time codes that were sent.
    pub codes: Codes,
    /// What is known of clients.
    pub proofs: Proofs,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Why no request was sent.
pub enum NotSent {
    /// Something stood in the way, and is told.
    Told(Failure),
    /// The one-time code of now was sent already.
    Later(Timestamp),
    /// The API server failed us.
    Error(Error),
}

impl From<Failure> for NotSent {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}

impl Exchange {
    /// Sends a request and reads the answer.
    pub async fn send(&self, spec: &TokenSourceSpec, ready: &ReadyRequest, request: &TokenRequest) -> Result<Answer, NotSent> {
        let (host, grant, began) = (request.endpoint.host(), request.grant.grant_type().as_str(), Instant::now());
        let span = tracing::info_span!("token_request", host, grant, result = field::Empty);
        let sending = self.tokens.send(request, ready.connection.clone(), spec.request.read_limit()).instrument(span.clone());
        let answer = match self.leadership.while_held(sending).await.map_err(NotSent::Error)? {
            Ok(response) => read(request, &response),
            Err(Unanswered::Fault(fault)) => Answer::Refused(refuse_transport(fault)),
            Err(Unanswered::Denied) => return Err(denied(&host).into()),
            Err(Unanswered::UnusableCaBundle) => return Err(unusable_ca_bundle().into()),
            Err(Unanswered::NoTrustAnchors) => return Err(no_trust_anchors().into()),
            Err(Unanswered::UnusableIdentity) => return Err(Failure::bad_certificate("TLS can't use it").into()),
            Err(Unanswered::UnusableProxy) => {
                return Err(Failure::local(Reason::InvalidSpec, "spec.request.proxyURL is no proxy URL").into());
            }
        };
        let result = match &answer {
            Answer::Issued(_) => TOKEN_ISSUED,
            Answer::Refused(refusal) => refusal.rejection.as_str(),
        };
        span.record("result", result);
        self.metrics.requested(&host, grant, result, began.elapsed());
        Ok(answer)
    }

    /// Appends the one-time code to the password (Identity Authentication), unless the code of this time step was sent.
    pub fn append_code(&self, ready: &mut ReadyRequest, last_attempt: Option<Timestamp>) -> Result<(), NotSent> {
        let (Some(secret), Grant::Password { one_time_code, .. }) = (&ready.totp_secret, &mut ready.request.grant) else {
            return Ok(());
        };
        let code = self.codes.fresh(secret, &ready.digest.credentials, last_attempt, clock::now())?;
        *one_time_code = Some(code.map_err(|Spent { until }| NotSent::Later(until))?);
        Ok(())
    }

    /// Tells client from user where the refusal does not, by what is known of the client or by probing it.
    pub async fn diagnose(&self, spec: &TokenSourceSpec, ready: &ReadyRequest, refusal: Refusal) -> (Refusal, Option<ClientProof>) {
        let grant = ready.request.grant.grant_type();
        let known = self.proofs.of(&ready.client_digest);
        match probe::next(spec, grant, &refusal, known) {
            Next::Nothing => (refusal, None),
            Next::Known(result) => (probe::conclude(refusal, result, None), Some(self.proofs.keep(&ready.client_digest, result))),
            Next::Probe => match self.probe(spec, ready).await {
                Some(answer) => {
                    let result = probe::judge(&answer);
                    (probe::conclude(refusal, result, Some(&answer)), Some(self.proofs.keep(&ready.client_digest, result)))
                }
                None => (refusal, None),
            },
        }
    }

    /// Lets the client ask alone, if the ledger lets it.
    async fn probe(&self, spec: &TokenSourceSpec, ready: &ReadyRequest) -> Option<Answer> {
        let client = Presented { whole: ready.client_digest.clone(), client: ready.client_digest.clone() };
        let permit = self.attempts.admit_probe(&client).await?;
        let answer = self.send(spec, ready, &probe::request(&ready.request)).await.ok();
        permit.settle(answer.as_ref().map_or(Answered::Unjudged, answered)).await;
        tracing::debug!(result = ?answer.as_ref().map(probe::judge), "the client was probed");
        answer
    }

    /// What a refusal of this request is told with: what was known of the client before it counts.
    pub fn circumstances(&self, ready: &ReadyRequest) -> Circumstances {
        Circumstances::of(&ready.request, self.proofs.of(&ready.client_digest) == Some(ProbeResult::Accepted))
    }

    /// Takes note of a token: whoever gets one has authenticated, and needs no probe.
    pub fn accepted(&self, ready: &ReadyRequest) -> ClientProof {
        self.proofs.keep(&ready.client_digest, ProbeResult::Accepted)
    }
}

/// What the ledger counts of an answer.
pub fn answered(answer: &Answer) -> Answered {
    match answer {
        Answer::Issued(_) => Answered::Accepted,
        Answer::Refused(refusal) => refused(refusal),
    }
}

/// What the ledger counts of a refusal.
pub fn refused(refusal: &Refusal) -> Answered {
    if refusal.rejection.counts_as_rejected_credential() { Answered::Refused(refusal.rejection) } else { Answered::Unjudged }
}

fn read(request: &TokenRequest, response: &Response<ResponseBody>) -> Answer {
    let credentials = request.credentials();
    let plain: Vec<&str> = credentials.iter().map(SecretString::expose_secret).collect();
    match classify(&Asked { grant: request.grant.grant_type(), credentials: &plain }, response) {
        Answer::Refused(refusal) => Answer::Refused(refusal.of_request(request)),
        issued @ Answer::Issued(_) => issued,
    }
}

fn denied(host: &str) -> Failure {
    Failure::local_polled(
        Reason::HostNotAllowed,
        format!("{host} resolves to an address that the operator's egress policy denies: no request was sent"),
    )
}

fn unusable_ca_bundle() -> Failure {
    Failure::local_polled(Reason::InvalidSpec, "spec.tls.caBundle holds no usable PEM certificate")
}

fn no_trust_anchors() -> Failure {
    let told = "no root certificates are installed where tokensource runs, so it trusts no server, and nothing was sent: install them \
        (/etc/ssl/certs, or the file that SSL_CERT_FILE names), or set spec.tls.caBundle";
    Failure::local_polled(Reason::TLSVerificationFailed, told)
}
