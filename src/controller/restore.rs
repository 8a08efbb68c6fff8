//! Fills the lock-out ledger after a start with what the statuses kept.

use jiff::Timestamp;

use super::context::Context;
use crate::api::status::TokenSourceStatus;
use crate::oauth::rejection::Rejection;
use crate::token_source::digest::Digest;

/// Takes in the refusals of all sources, once, before the first request.
pub async fn restore_ledger(context: &Context) {
    let restore = || async {
        let mut ledger = context.shared.attempts.ledger();
        for source in context.sources.state() {
            if let Some((credentials, refused, rejection)) = source.status.as_ref().and_then(kept) {
                ledger.restore(&credentials, &refused, rejection);
            }
        }
    };
    context.ledger_restored.get_or_init(restore).await;
}

fn kept(status: &TokenSourceStatus) -> Option<(Digest, Vec<Timestamp>, Rejection)> {
    let attempts = status.rejected_attempts.as_ref()?;
    let failure = status.last_failure.as_ref();
    let named = |rejection: &Rejection| {
        failure.is_some_and(|failure| failure.reason == rejection.as_str() && failure.cause.as_deref() == rejection.cause().map(|cause| cause.as_str()))
    };
    let rejection = Rejection::ALL.iter().copied().find(named).unwrap_or(Rejection::CredentialsRejected);
    Some((Digest::parse(&attempts.credentials)?, attempts.times.iter().map(|time| time.0).collect(), rejection))
}
