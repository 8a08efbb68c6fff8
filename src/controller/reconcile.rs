//! One look at one source: observe, decide, act, report.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;

use super::apply;
use super::attempt::attempt;
use super::context::Context;
use super::dereference::observe;
use super::error::Error;
use super::gather::{Halt, ReadyRequest};
use super::read_request::read_request;
use super::turn::{InTurn, in_turn};
use super::warm_up::warm_up;
use crate::api::TokenSource;
use crate::clock;
use crate::token_source::observed::Observed;
use crate::token_source::outcome::Outcome;
use crate::token_source::plan::{Cause, Plan, decide, removes_expired};
use crate::token_source::punctuality::judge;
use crate::token_source::schedule::between;
use crate::token_source::secret::render_expired;
use crate::token_source::status::report;
use crate::token_source::target::Target;

/// Looks at one source and does what is due.
pub async fn reconcile(source: Arc<TokenSource>, context: Arc<Context>) -> Result<Action, Error> {
    Ok(action(look_at(source, context).await?))
}

/// Looks at one source and does what is due. How long from here on nothing will be; none: until something changes.
pub async fn look_at(source: Arc<TokenSource>, context: Arc<Context>) -> Result<Option<Duration>, Error> {
    let source = context.newest_source(source);
    if source.metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    warm_up(&context).await;
    let mut observed = observe(&source, &context).await?;
    let outcome = carry_out(&mut observed, &context).await?;
    if !matches!(outcome, Outcome::Queued { .. }) {
        context.shared.pacing.leave(observed.seed());
    }
    if removes_expired(&observed, &outcome, clock::now()) {
        // What can't be written is told by the next attempt; the report of this one stands.
        _ = apply::secret(&context, &source, Target::read, &observed.target, render_expired(&source)).await?;
    }
    let punctuality = judge(&observed, &outcome, clock::precise());
    let waits = matches!(outcome, Outcome::Queued { .. });
    let report = report(&observed, outcome, clock::now());
    // Who waits among thousands is told so some time later.
    if !waits || apply::is_news(&source, &report) && context.shared.pacing.may_tell() {
        apply::report(&context, &source, &report).await?;
    }
    // Only now: a report that could not be written is made again, and would count twice.
    context.shared.metrics.judged(punctuality);
    Ok(report.requeue.map(|time| between(clock::now(), time)))
}

/// Decides, reading the credentials first where the decision depends on them, and does what was decided.
async fn carry_out(observed: &mut Observed<'_>, context: &Context) -> Result<Outcome, Error> {
    let mut read = None;
    let mut plan = decide(observed, clock::now());
    if plan == Plan::ReadCredentials {
        match read_request(observed, context).await {
            Ok(request) => {
                observed.credentials = request.credentials();
                read = Some(request);
                plan = decide(observed, clock::now());
            }
            Err(Halt::Failure(failure)) => plan = Plan::Stall(failure),
            Err(Halt::Error(error)) => return Err(error),
        }
    }
    Ok(match plan {
        Plan::Suspended => Outcome::Suspended,
        Plan::Stall(failure) => Outcome::Stalled(failure),
        Plan::Keep { until } => Outcome::Kept(until),
        Plan::Hold { until } => Outcome::Held(until),
        // Asked for once: what was just read answers it.
        Plan::ReadCredentials => Outcome::Held(None),
        Plan::Request(cause) => request(observed, context, read, cause).await?,
    })
}

/// Makes the request when it is its turn, of what was read already or is read then.
async fn request(observed: &Observed<'_>, context: &Context, read: Option<ReadyRequest>, cause: Cause) -> Result<Outcome, Error> {
    match in_turn(observed, context, read).await {
        Ok(InTurn::Now(ready, slot)) => attempt(observed, context, *ready, cause, slot).await,
        Ok(InTurn::Later { told, again }) => Ok(Outcome::Queued { told, again }),
        Err(Halt::Failure(failure)) => Ok(Outcome::Stalled(failure)),
        Err(Halt::Error(error)) => Err(error),
    }
}

/// The API server or the way to it failed: soon again. Who leads no more has nothing to try again.
pub fn error_policy(_: Arc<TokenSource>, error: &Error, _: Arc<Context>) -> Action {
    action(retry_after(error))
}

/// When to look again after an error; none: not before something changes.
pub fn retry_after(error: &Error) -> Option<Duration> {
    match error {
        Error::Read { .. } | Error::Write { .. } | Error::NoAnswer { .. } => Some(Duration::from_secs(5)),
        Error::NotLeading => None,
    }
}

fn action(wait: Option<Duration>) -> Action {
    wait.map_or_else(Action::await_change, Action::requeue)
}
