//! What must be known before the first decision: the Secrets there are, and the refusals that statuses kept.

use jiff::Timestamp;

use super::context::Context;
use super::error::Error;
use crate::api::status::TokenSourceStatus;
use crate::oauth::rejection::{ClientCause, Rejection};
use crate::token_source::digest::Digest;

/// Waits for the watch on Secrets and fills the lock-out ledger, once for all reconciles. Only one of them waits on
/// the store itself, because it wakes the last of its waiters alone.
pub async fn warm_up(context: &Context) -> Result<(), Error> {
    let known = || async {
        context.secrets.wait_until_ready().await.map_err(|_| Error::WatchEnded)?;
        restore_ledger(context);
        Ok(())
    };
    context.warmed_up.get_or_try_init(known).await.copied()
}

fn restore_ledger(context: &Context) {
    let mut ledger = context.shared.attempts.ledger();
    for source in context.sources.state() {
        if let Some((credentials, refused, rejection)) = source.status.as_ref().and_then(kept) {
            ledger.restore(&credentials, &refused, rejection);
        }
    }
}

fn kept(status: &TokenSourceStatus) -> Option<(Digest, Vec<Timestamp>, Rejection)> {
    let attempts = status.rejected_attempts.as_ref()?;
    let failure = status.last_failure.as_ref();
    let named = |rejection: &Rejection| {
        failure.is_some_and(|failure| {
            failure.reason == rejection.as_str() && failure.cause.as_deref() == rejection.cause().map(ClientCause::as_str)
        })
    };
    let rejection = Rejection::ALL.iter().copied().find(named).unwrap_or(Rejection::CredentialsRejected);
    Some((Digest::parse(&attempts.credentials)?, attempts.times.iter().map(|time| time.0).collect(), rejection))
}
