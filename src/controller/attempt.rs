//! One token request: past the ledger, over the network, into the Secret.

use std::time::Duration;

use http::Response;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::sleep;

use super::apply;
use super::codes::Spent;
use super::context::Context;
use super::dereference::secret_meta;
use super::error::Error;
use super::gather::ReadyRequest;
use super::http::Unanswered;
use super::ledger::Withheld;
use super::pacing::Paused;
use crate::api::condition::Reason;
use crate::api::status::LastAttempt;
use crate::clock;
use crate::oauth::grant::Grant;
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::request::TokenRequest;
use crate::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport};
use crate::oauth::token::IssuedToken;
use crate::token_source::digest::RequestDigest;
use crate::token_source::failure::Failure;
use crate::token_source::observed::Observed;
use crate::token_source::outcome::{Attempt, Outcome};
use crate::token_source::plan::Cause;
use crate::token_source::refresh::{self, by_refresh_token};
use crate::token_source::schedule::{self, expires_at, renew_at};
use crate::token_source::secret::{Issue, render};
use crate::token_source::target::Target;

/// The pauses between the tries to keep a rotated refresh token.
const KEEP_PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::ZERO];

/// Sends the request if pace and ledger let it, and writes the token if one is issued.
pub async fn attempt(observed: &Observed<'_>, context: &Context, mut ready: ReadyRequest, cause: Cause) -> Result<Outcome, Error> {
    let shared = &context.shared;
    let host = ready.request.endpoint.host();
    if let Some(issue) = context.unwritten.take(observed.seed(), &ready.digest, clock::now()) {
        return write(observed, context, issue).await;
    }
    if let Some(refused) = shared.attempts.withheld(&ready.digest.credentials) {
        return Ok(withheld(context, &ready, refused));
    }
    let _slot = match shared.pacing.slot(&ready.request.endpoint, observed.valid_until()).await {
        Ok(slot) => slot,
        Err(Paused { until }) => return Ok(Outcome::Stalled(Failure::paused(&host, until))),
    };
    let permit = match shared.attempts.admit(&ready.digest.credentials).await {
        Ok(permit) => permit,
        Err(refused) => return Ok(withheld(context, &ready, refused)),
    };
    tracing::debug!(?cause, host, "requesting a token");
    match exchange(observed, context, &mut ready).await {
        Err(NotSent::Told(failure)) => Ok(Outcome::Stalled(failure)),
        Err(NotSent::Later(until)) => Ok(Outcome::Held(Some(until))),
        Err(NotSent::Error(error)) => Err(error),
        Ok(Answer::Issued(token)) => {
            permit.settle(None);
            if let Some(refresh_token) = token.refresh_token.as_ref().filter(|_| refresh::is_used(observed.source)) {
                keep_rotated(observed, context, &ready.digest, refresh_token).await;
            }
            write(observed, context, issue(observed, *token, &ready)).await
        }
        Ok(Answer::Refused(refusal)) => {
            permit.settle(refused_credentials(&refusal));
            throttle(context, &ready.request, &refusal);
            let attempt = made(context, &ready.digest, ready.credentials_version);
            tracing::info!(host, reason = refusal.rejection.as_str(), status = refusal.http_status, "token request refused");
            Ok(Outcome::Refused { failure: Failure::refused(&refusal, &host), attempt })
        }
    }
}

fn withheld(context: &Context, ready: &ReadyRequest, refused: Withheld) -> Outcome {
    let Withheld { until, rejection } = refused;
    let attempt = made(context, &ready.digest, ready.credentials_version.clone());
    Outcome::Withheld { failure: Failure::withheld(rejection, &ready.request.endpoint.host()), until, attempt }
}

/// Why no request was sent.
enum NotSent {
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
async fn exchange(observed: &Observed<'_>, context: &Context, ready: &mut ReadyRequest) -> Result<Answer, NotSent> {
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
async fn keep_rotated(observed: &Observed<'_>, context: &Context, digest: &RequestDigest, token: &SecretString) {
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
    let judged = Target::read(secret_meta(context, source, &name).as_ref(), source);
    if let Err(failure) = apply::secret(context, source, &judged, refresh::render(source, digest, token)).await? {
        tracing::warn!(secret = name, "the refresh token could not be kept: {}", failure.message);
    }
    Ok(())
}

/// A 429 slows the endpoint down for all; a `Retry-After` on it, or on a 503, pauses it.
fn throttle(context: &Context, request: &TokenRequest, refusal: &Refusal) {
    let too_many = refusal.rejection == Rejection::RateLimited;
    if too_many || refusal.http_status == Some(503) {
        let pause_until = refusal.retry_after.map(|wait| schedule::retry_after_end(wait, clock::now()));
        context.shared.pacing.throttled(&request.endpoint, too_many, pause_until);
    }
}

/// A token as it is written: with its times, and what it was asked with.
fn issue(observed: &Observed<'_>, token: IssuedToken, ready: &ReadyRequest) -> Issue {
    let (now, refresh) = (clock::now(), &observed.source.spec.refresh);
    let expires_at = expires_at(token.lifetime, now, refresh);
    let renew_at = renew_at(now, expires_at, refresh, observed.policy.min_refresh_interval, observed.seed());
    Issue {
        token,
        expires_at,
        renew_at,
        digest: ready.digest.clone(),
        credentials_version: ready.credentials_version.clone(),
        token_url: ready.request.endpoint.url().to_string(),
        client_id: ready.request.client.id.clone(),
    }
}

/// Writes the token. One that can't be written is kept for the next try, so that no second one is asked for.
async fn write(observed: &Observed<'_>, context: &Context, issue: Issue) -> Result<Outcome, Error> {
    let attempt = made(context, &issue.digest, issue.credentials_version.clone());
    let secret = match render(observed.source, &issue) {
        Ok(secret) => secret,
        Err(failure) => return Ok(Outcome::Stalled(failure)),
    };
    match apply::secret(context, observed.source, &observed.target, secret).await {
        Ok(Ok(())) => Ok(Outcome::Issued { issue: Box::new(issue), attempt }),
        Ok(Err(failure)) => {
            context.unwritten.keep(observed.seed(), issue);
            Ok(Outcome::Stalled(failure))
        }
        Err(error) => {
            context.unwritten.keep(observed.seed(), issue);
            Err(error)
        }
    }
}

fn read(request: &TokenRequest, response: &Response<ResponseBody>) -> Answer {
    let credentials = request.credentials();
    let plain: Vec<&str> = credentials.iter().map(SecretString::expose_secret).collect();
    classify(&Asked { grant: request.grant.grant_type(), credentials: &plain }, response)
}

fn refused_credentials(refusal: &Refusal) -> Option<Rejection> {
    refusal.rejection.counts_as_rejected_credential().then_some(refusal.rejection)
}

fn made(context: &Context, digest: &RequestDigest, credentials_version: Option<String>) -> Attempt {
    let now = clock::now();
    Attempt {
        last: LastAttempt { time: Time(now), request_digest: digest.to_string(), credentials_version },
        credentials: digest.credentials.clone(),
        refused: context.shared.attempts.ledger().refused(&digest.credentials, now),
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
