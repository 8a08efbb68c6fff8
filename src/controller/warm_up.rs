//! What must be known before the first decision: the Secrets there are, and the refusals that statuses kept.

use std::time::Duration;

use futures::future;
use jiff::Timestamp;
use tokio::time::timeout;

use super::context::{Context, Shared};
use crate::api::status::TokenSourceStatus;
use crate::oauth::rejection::{ClientCause, Rejection};
use crate::token_source::digest::Digest;

/// One namespace that can't be listed must not stop the others for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until all scopes have listed their sources and this one its Secrets, and fills the lock-out ledger, once for
/// the whole process.
pub async fn warm_up(context: &Context) {
    let shared = &context.shared;
    let known = || async {
        let all_listed = future::join_all(shared.scopes.iter().map(|sources| sources.listed.wait()));
        if timeout(PATIENCE, all_listed).await.is_err() {
            tracing::warn!("not every namespace could be listed: refusals that its statuses keep are not known yet");
        }
        restore_ledger(shared);
    };
    shared.warmed_up.get_or_init(known).await;
    context.secrets_listed.wait().await;
}

fn restore_ledger(shared: &Shared) {
    let mut ledger = shared.attempts.ledger();
    for source in shared.scopes.iter().flat_map(|sources| sources.store.state()) {
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
