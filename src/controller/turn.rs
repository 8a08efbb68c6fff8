//! Waits for the turn at the token endpoint: before the request is read, where the spec alone names the endpoint.

use std::time::Duration;

use kube::runtime::reflector::ObjectRef;

use super::context::Context;
use super::gather::{Halt, ReadyRequest};
use super::pacing::{Call, Slot, Turn};
use super::read_request::read_request;
use super::waiting::Waiting;
use crate::oauth::endpoint::TokenEndpoint;
use crate::token_source::failure::Failure;
use crate::token_source::observed::Observed;
use crate::token_source::request::Prepared;

/// A request and its turn.
pub enum InTurn {
    /// It may be sent.
    Now(Box<ReadyRequest>, Slot),
    /// The source is called later.
    Later {
        /// What is to be told of the wait, if it is a long one.
        told: Option<Failure>,
        /// When to look at it again.
        again: Duration,
    },
}

/// Asks for the turn, with what was read already; what was not is read when the turn has come.
pub async fn in_turn(observed: &Observed<'_>, context: &Context, read: Option<ReadyRequest>) -> Result<InTurn, Halt> {
    let named = observed.prepared.as_ref().ok().and_then(Prepared::named_endpoint);
    if let (None, Some(endpoint)) = (&read, named) {
        return Ok(match ask(observed, context, endpoint) {
            Turn::Now(slot) => InTurn::Now(Box::new(read_request(observed, context).await?), slot),
            Turn::Later(waiting) => later(endpoint, waiting),
        });
    }
    let ready = match read {
        Some(ready) => ready,
        None => read_request(observed, context).await?,
    };
    Ok(match ask(observed, context, &ready.request.endpoint) {
        Turn::Now(slot) => InTurn::Now(Box::new(ready), slot),
        Turn::Later(waiting) => later(&ready.request.endpoint, waiting),
    })
}

fn ask(observed: &Observed<'_>, context: &Context, endpoint: &TokenEndpoint) -> Turn {
    let call = Call { source: ObjectRef::from_obj(observed.source), to: context.calls.clone() };
    context.shared.pacing.turn(endpoint, observed.seed(), observed.valid_until().filter(|expiry| *expiry > crate::clock::now()), call)
}

fn later(endpoint: &TokenEndpoint, Waiting { is_long, paused_until, again }: Waiting) -> InTurn {
    let host = endpoint.host();
    let failure = || paused_until.map_or_else(|| Failure::queued(&host), |until| Failure::paused(&host, until));
    InTurn::Later { told: is_long.then(failure), again }
}
