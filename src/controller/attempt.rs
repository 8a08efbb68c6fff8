//! One token request: past the ledger, over the network, into the Secret.

use http::Response;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use secrecy::{ExposeSecret as _, SecretString};

use super::apply;
use super::context::{Context, Withheld};
use super::dereference::ReadyRequest;
use super::error::Error;
use super::http::Unanswered;
use crate::api::condition::Reason;
use crate::api::status::LastAttempt;
use crate::clock;
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::request::TokenRequest;
use crate::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport};
use crate::oauth::token::IssuedToken;
use crate::token_source::digest::RequestDigest;
use crate::token_source::failure::Failure;
use crate::token_source::observed::Observed;
use crate::token_source::plan::Cause;
use crate::token_source::schedule::{expires_at, renew_at};
use crate::token_source::secret::{Issue, render};
use crate::token_source::status::{Attempt, Outcome};

/// Sends the request if the ledger lets it, and writes the token if one is issued.
pub async fn attempt(observed: &Observed<'_>, context: &Context, ready: ReadyRequest, cause: Cause) -> Result<Outcome, Error> {
    let ReadyRequest { request, connection, credentials_version, digest } = ready;
    let host = request.endpoint.host();
    let permit = match context.shared.attempts.admit(&digest.credentials).await {
        Ok(permit) => permit,
        Err(Withheld { until, rejection }) => {
            let attempt = made(context, &digest, credentials_version);
            return Ok(Outcome::Withheld { failure: Failure::withheld(rejection, &host), until, attempt });
        }
    };
    tracing::debug!(?cause, host, "requesting a token");
    let read_limit = observed.source.spec.request.read_limit();
    let answer = match context.shared.tokens.send(&request, connection, read_limit).await {
        Ok(response) => read(&request, &response),
        Err(Unanswered::Fault(fault)) => Answer::Refused(refuse_transport(fault)),
        Err(Unanswered::Denied) => return Ok(Outcome::Stalled(denied(&host))),
        Err(Unanswered::UnusableCaBundle) => return Ok(Outcome::Stalled(unusable_ca_bundle())),
    };
    match answer {
        Answer::Issued(token) => {
            permit.settle(None);
            issued(observed, context, *token, digest, credentials_version).await
        }
        Answer::Refused(refusal) => {
            permit.settle(refused_credentials(&refusal));
            let attempt = made(context, &digest, credentials_version);
            tracing::info!(host, reason = refusal.rejection.as_str(), status = refusal.http_status, "token request refused");
            Ok(Outcome::Refused { failure: Failure::refused(&refusal, &host), attempt })
        }
    }
}

async fn issued(
    observed: &Observed<'_>,
    context: &Context,
    token: IssuedToken,
    digest: RequestDigest,
    credentials_version: Option<String>,
) -> Result<Outcome, Error> {
    let source = observed.source;
    let now = clock::now();
    let expires_at = expires_at(token.lifetime, now, &source.spec.refresh);
    let renew_at = renew_at(now, expires_at, &source.spec.refresh, observed.policy.min_refresh_interval, observed.seed());
    let attempt = made(context, &digest, credentials_version.clone());
    let issue = Issue { token, expires_at, renew_at, digest, credentials_version };
    match apply::secret(context, observed, render(source, &issue)).await? {
        Ok(()) => Ok(Outcome::Issued { issue: Box::new(issue), attempt }),
        Err(failure) => Ok(Outcome::Stalled(failure)),
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
