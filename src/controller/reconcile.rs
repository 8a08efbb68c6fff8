//! One look at one source: observe, decide, act, report.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;

use super::context::Context;
use super::dereference::{observe, read_request};
use super::error::Error;
use super::warm_up::warm_up;
use super::{apply, attempt};
use crate::api::TokenSource;
use crate::clock;
use crate::token_source::observed::Observed;
use crate::token_source::plan::{Plan, decide};
use crate::token_source::schedule::between;
use crate::token_source::status::{Outcome, report};

/// Looks at one source and does what is due.
pub async fn reconcile(source: Arc<TokenSource>, context: Arc<Context>) -> Result<Action, Error> {
    let source = context.newest_source(source);
    if source.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    warm_up(&context).await?;
    let observed = observe(&source, &context).await?;
    let outcome = carry_out(&observed, &context).await?;
    let report = report(&observed, outcome, clock::now());
    apply::report(&context, &source, &report).await?;
    Ok(report.requeue.map_or_else(Action::await_change, |time| Action::requeue(between(clock::now(), time))))
}

async fn carry_out(observed: &Observed<'_>, context: &Context) -> Result<Outcome, Error> {
    Ok(match decide(observed, clock::now()) {
        Plan::Suspended => Outcome::Suspended,
        Plan::Stall(failure) => Outcome::Stalled(failure),
        Plan::Keep { until } => Outcome::Kept(until),
        Plan::Hold { until } => Outcome::Held(until),
        Plan::ReadCredentials => match read_request(observed, context).await? {
            // Reading left the digest with the context: observed again, the same question has an answer.
            Ok(_) => Box::pin(carry_out(&observe(observed.source, context).await?, context)).await?,
            Err(failure) => Outcome::Stalled(failure),
        },
        Plan::Request(cause) => match read_request(observed, context).await? {
            Ok(request) => attempt::attempt(observed, context, request, cause).await?,
            Err(failure) => Outcome::Stalled(failure),
        },
    })
}

/// The API server or the way to it failed: soon again.
pub fn error_policy(_: Arc<TokenSource>, _: &Error, _: Arc<Context>) -> Action {
    Action::requeue(Duration::from_secs(5))
}
