//! Request and answer: by refresh token or grant, with a one-time code where one is needed; and the probe.

use std::time::Duration;

use http::Response;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::sleep;

use super::apply;
use super::codes::Spent;
use super::context::Context;
use super::dereference::secret_meta;
use super::error::Error;
use super::gather::ReadyRequest;
use super::http::Unanswered;
use crate::api::condition::Reason;
use crate::api::status::ClientProof;
use crate::clock;
use crate::oauth::grant::Grant;
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::request::TokenRequest;
use crate::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport};
use crate::token_source::digest::RequestDigest;
use crate::token_source::failure::Failure;
use crate::token_source::observed::Observed;
use crate::token_source::probe::{self, Next};
use crate::token_source::refresh::{self, by_refresh_token};
use crate::token_source::target::Target;

/// The pauses between the tries to keep a rotated refresh token.
const KEEP_PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::ZERO];

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

/// Request and answer: by the refresh token that is kept, else, or at once if that is refused, by the grant itself.
pub async fn exchange(observed: &Observed<'_>, context: &Context, ready: &mut ReadyRequest) -> Result<Answer, NotSent> {
    if let Some(refresh_token) = ready.refresh_token.take() {
        let answer = send(observed, context, ready, &by_refresh_token(&ready.request, refresh_token)).await?;
        match &answer {
            Answer::Refused(Refusal { rejection: Rejection::RefreshTokenInvalid, .. }) => {
                tracing::debug!("the refresh token was refused; the grant is used");
                keep_refresh_token(observed, context, &ready.digest, None).await.map_err(NotSent::Error)?;
            }
            Answer::Refused(_) | Answer::Issued(_) => return Ok(answer),
        }
    }
    append_code(observed, context, ready)?;
    send(observed, context, ready, &ready.request).await.map_err(NotSent::Told)
}

async fn send(observed: &Observed<'_>, context: &Context, ready: &ReadyRequest, request: &TokenRequest) -> Result<Answer, Failure> {
    let read_limit = observed.source.spec.request.read_limit();
    match context.shared.tokens.send(request, ready.connection.clone(), read_limit).await {
        Ok(response) => Ok(read(request, &response)),
        Err(Unanswered::Fault(fault)) => Ok(Answer::Refused(refuse_transport(fault))),
        Err(Unanswered::Denied) => Err(denied(&request.endpoint.host())),
        Err(Unanswered::UnusableCaBundle) => Err(unusable_ca_bundle()),
        Err(Unanswered::UnusableIdentity) => Err(Failure::bad_certificate("TLS can't use it")),
        Err(Unanswered::UnusableProxy) => Err(Failure::local(Reason::InvalidSpec, "spec.request.proxyURL is no proxy URL")),
    }
}

/// Appends the one-time code to the password (Identity Authentication), unless the code of this time step was sent.
fn append_code(observed: &Observed<'_>, context: &Context, ready: &mut ReadyRequest) -> Result<(), NotSent> {
    let (Some(secret), Grant::Password { one_time_code, .. }) = (&ready.totp_secret, &mut ready.request.grant) else {
        return Ok(());
    };
    let last_attempt = observed.last_attempt_time();
    let code = context.shared.codes.fresh(secret, &ready.digest.credentials, last_attempt, clock::now())?;
    *one_time_code = Some(code.map_err(|Spent { until }| NotSent::Later(until))?);
    Ok(())
}

/// Keeps what a server that rotates has given instead of the old one: tried a few times, since nobody else has it. If it
/// is lost all the same, the next renewal is by the grant.
pub async fn keep_rotated(observed: &Observed<'_>, context: &Context, digest: &RequestDigest, token: &SecretString) {
    for pause in KEEP_PAUSES {
        match keep_refresh_token(observed, context, digest, Some(token)).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "the refresh token could not be kept"),
        }
        sleep(pause).await;
    }
}

/// Keeps a refresh token, or marks the one that is kept as spent. Done before the token itself is written: a server that
/// rotates has given up the old one.
async fn keep_refresh_token(
    observed: &Observed<'_>,
    context: &Context,
    digest: &RequestDigest,
    token: Option<&SecretString>,
) -> Result<(), Error> {
    let source = observed.source;
    let name = refresh::secret_name(source);
    let judged = Target::read_beside(secret_meta(context, source, &name).as_ref(), source);
    let secret = refresh::render(source, digest, token);
    if let Err(failure) = apply::secret(context, source, Target::read_beside, &judged, secret).await? {
        tracing::warn!(secret = name, "the refresh token could not be kept: {}", failure.message);
    }
    Ok(())
}

/// Tells client from user where the refusal does not, by what is known of the client or by probing it.
pub async fn diagnose(
    observed: &Observed<'_>,
    context: &Context,
    ready: &ReadyRequest,
    refusal: Refusal,
) -> (Refusal, Option<ClientProof>) {
    let proof = observed.status().and_then(|status| status.client_proof.as_ref());
    let grant = ready.request.grant.grant_type();
    match probe::next(&observed.source.spec, grant, &refusal, &ready.client_digest, proof) {
        Next::Nothing => (refusal, None),
        Next::Known(result) => (probe::conclude(refusal, result, None), None),
        Next::Probe => match probe_client(observed, context, ready).await {
            Some(answer) => {
                let result = probe::judge(&answer);
                let proof = ClientProof { credentials: ready.client_digest.to_string(), result };
                (probe::conclude(refusal, result, Some(&answer)), Some(proof))
            }
            None => (refusal, None),
        },
    }
}

/// Lets the client ask alone, if the ledger lets it.
async fn probe_client(observed: &Observed<'_>, context: &Context, ready: &ReadyRequest) -> Option<Answer> {
    let permit = context.shared.attempts.admit(&ready.client_digest).await.ok()?;
    let answer = send(observed, context, ready, &probe::request(&ready.request)).await.ok()?;
    permit.settle(match &answer {
        Answer::Refused(refusal) => refused_credentials(refusal),
        Answer::Issued(_) => None,
    });
    tracing::debug!(result = ?probe::judge(&answer), "the client was probed");
    Some(answer)
}

/// What the ledger counts.
pub fn refused_credentials(refusal: &Refusal) -> Option<Rejection> {
    refusal.rejection.counts_as_rejected_credential().then_some(refusal.rejection)
}

fn read(request: &TokenRequest, response: &Response<ResponseBody>) -> Answer {
    let credentials = request.credentials();
    let plain: Vec<&str> = credentials.iter().map(SecretString::expose_secret).collect();
    classify(&Asked { grant: request.grant.grant_type(), credentials: &plain }, response)
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
