//! One token request: past pace and ledger, over the network, into the Secret.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::apply;
use super::context::Context;
use super::error::Error;
use super::exchange::{NotSent, refused};
use super::gather::ReadyRequest;
use super::ledger::{NotAdmitted, Permit, Withheld};
use super::pacing::Slot;
use super::refresh_token::{exchange, keep_rotated};
use crate::api::status::LastAttempt;
use crate::clock;
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::response::Answer;
use crate::oauth::token::IssuedToken;
use crate::token_source::attempts::{Answered, Presented, Proof, Standing};
use crate::token_source::failure::Failure;
use crate::token_source::observed::Observed;
use crate::token_source::outcome::{Attempt, Outcome};
use crate::token_source::plan::Cause;
use crate::token_source::refresh;
use crate::token_source::schedule::{self, expires_at, renew_at};
use crate::token_source::secret::{Issue, render};
use crate::token_source::target::Target;

/// Sends the request if the ledger lets it, and writes the token if one is issued. The slot at the endpoint is given back as
/// soon as the answer is there.
pub async fn attempt(
    observed: &Observed<'_>,
    context: &Context,
    mut ready: ReadyRequest,
    cause: Cause,
    mut slot: Slot,
) -> Result<Outcome, Error> {
    let shared = &context.shared;
    let (host, presented) = (ready.request.endpoint.host(), ready.presented());
    if let Some(issue) = context.unwritten.take(observed.seed(), &ready.digest, clock::now()) {
        return write(observed, context, &ready, issue).await;
    }
    let standing = standing(observed, context, &presented, cause);
    if let Some(refused) = shared.exchange.attempts.withheld(&presented, || proofs(context, &presented)).await? {
        return Ok(withheld(context, &ready, refused));
    }
    let permit = match shared.exchange.attempts.admit(&presented, standing).await {
        Ok(permit) => permit,
        Err(NotAdmitted::Withheld(refused)) => return Ok(withheld(context, &ready, refused)),
        Err(NotAdmitted::Error(error)) => return Err(error),
    };
    tracing::debug!(?cause, host, "requesting a token");
    slot.sends();
    let (sent, requested_at) = (clock::now(), permit.sent());
    match exchange(observed, context, &mut ready).await {
        Ok(Answer::Issued(token)) => {
            permit.settle(Answered::Accepted).await;
            drop(slot);
            write(observed, context, &ready, issue(observed, *token, &ready, sent, requested_at)).await
        }
        Ok(Answer::Refused(refusal)) => Ok(refuse(observed, context, &ready, permit, refusal, &slot).await),
        // Whether it went out is not known: its permit says so when it is dropped.
        Err(NotSent::Error(error @ Error::NotLeading)) => Err(error),
        Err(not_sent) => {
            permit.settle(Answered::Unjudged).await;
            match not_sent {
                NotSent::Told(failure) => Ok(Outcome::Stalled(failure)),
                NotSent::Later(until) => Ok(Outcome::Held(Some(until))),
                NotSent::Error(error) => Err(error),
            }
        }
    }
}

/// Tells what a refusal is about, to the pace, the ledger and the status.
async fn refuse(
    observed: &Observed<'_>,
    context: &Context,
    ready: &ReadyRequest,
    permit: Permit,
    refusal: Refusal,
    slot: &Slot,
) -> Outcome {
    let exchange = &context.shared.exchange;
    throttle(context, slot, &refusal);
    let circumstances = exchange.circumstances(ready);
    let (refusal, client_proof) = exchange.diagnose(&observed.source.spec, ready, refusal).await;
    permit.settle(refused(&refusal)).await;
    tracing::info!(host = circumstances.host, reason = refusal.rejection.as_str(), status = refusal.http_status, "token request refused");
    Outcome::Refused { failure: Failure::refused(&refusal, &circumstances), attempt: Attempt { client_proof, ..made(ready) } }
}

/// What the Secret tells of the credentials, to the ledger too.
fn standing(observed: &Observed<'_>, context: &Context, presented: &Presented, cause: Cause) -> Standing {
    let attempts = &context.shared.exchange.attempts;
    let Some((held, proof)) = observed.target.held().and_then(|held| Some((held, held.proof()?))) else {
        return Standing::Unknown;
    };
    attempts.proved(presented, &proof);
    if cause != Cause::Due || proof.credentials != presented.whole {
        return Standing::Unknown;
    }
    let leadership = &context.shared.leadership;
    let is_suspect =
        held.renew_at.and_then(|due| leadership.sent_before(due)).is_some_and(|sent| attempts.ledger().suspect(presented, sent));
    // What a successor could not find out by the Lease is recorded.
    let is_told = held.renew_at.is_some_and(|due| leadership.is_told(due));
    if is_told && !is_suspect { Standing::Renewed } else { Standing::Unknown }
}

/// What the tokens prove that other sources have got with the same credentials.
fn proofs(context: &Context, presented: &Presented) -> Vec<Proof> {
    let all = context.secrets.state();
    all.iter().filter_map(|secret| secret.0.proof()).filter(|proof| proof.credentials == presented.whole).collect()
}

fn withheld(context: &Context, ready: &ReadyRequest, refused: Withheld) -> Outcome {
    context.shared.metrics.saved();
    let Withheld { until, rejection } = refused;
    let failure = Failure::withheld(rejection, &context.shared.exchange.circumstances(ready));
    Outcome::Withheld { failure, until, attempt: made(ready) }
}

/// A 429 slows the endpoint down for all; a `Retry-After` on it, or on a 503, pauses it.
fn throttle(context: &Context, slot: &Slot, refusal: &Refusal) {
    let too_many = refusal.rejection == Rejection::RateLimited;
    if too_many || refusal.http_status == Some(503) {
        let pause_until = refusal.retry_after.map(|wait| schedule::retry_after_end(wait, clock::now()));
        context.shared.pacing.throttled(slot, too_many, pause_until);
    }
}

/// A token as it is written: with its times, and what it was asked with. Its life counts from when it was asked for: the answer may
/// have waited for a process that was frozen.
fn issue(observed: &Observed<'_>, token: IssuedToken, ready: &ReadyRequest, sent: Timestamp, requested_at: Timestamp) -> Issue {
    let refresh = &observed.source.spec.refresh;
    let expires_at = expires_at(token.lifetime, sent, refresh);
    let renew_at = renew_at(sent, expires_at, refresh, observed.policy.min_refresh_interval, observed.seed());
    Issue {
        token,
        expires_at,
        renew_at,
        requested_at,
        digest: ready.digest.clone(),
        credentials_version: ready.credentials_version.clone(),
        token_url: ready.request.endpoint.url().to_string(),
        client_id: ready.request.client.id.clone(),
    }
}

/// Writes the refresh token, then the token. What can't be written is kept for the next try: no second token is asked for, and
/// a refresh token that the server has rotated is nowhere else.
async fn write(observed: &Observed<'_>, context: &Context, ready: &ReadyRequest, issue: Issue) -> Result<Outcome, Error> {
    let attempt = Attempt { client_proof: Some(context.shared.exchange.accepted(ready)), ..made(ready) };
    let rotated = issue.token.refresh_token.as_ref().filter(|_| refresh::is_used(observed.source));
    if let Some(refresh_token) = rotated
        && let Err(error) = keep_rotated(observed, context, &ready.kept_for(observed.source), refresh_token).await
    {
        context.unwritten.keep(observed.seed(), issue);
        return Err(error);
    }
    let secret = match render(observed.source, &issue) {
        Ok(secret) => secret,
        Err(failure) => return Ok(Outcome::Stalled(failure)),
    };
    match apply::secret(context, observed.source, Target::read, &observed.target, secret).await {
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

fn made(ready: &ReadyRequest) -> Attempt {
    let ReadyRequest { digest, credentials_version, .. } = ready;
    Attempt {
        last: LastAttempt {
            time: Time(clock::now()),
            request_digest: digest.to_string(),
            credentials_version: credentials_version.clone(),
        },
        client_proof: None,
    }
}
