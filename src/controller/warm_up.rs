//! What must be known before the first decision: the Secrets there are, and what statuses keep of clients.

use std::time::Duration;

use futures::future;
use tokio::time::timeout;

use super::context::{Context, Shared};

/// One namespace that can't be listed must not stop the others for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until all scopes have listed their sources and this one its Secrets, and takes in what statuses keep of clients,
/// once for the whole process.
pub async fn warm_up(context: &Context) {
    let shared = &context.shared;
    let known = || async {
        let all_listed = future::join_all(shared.scopes.iter().map(|sources| sources.listed.wait()));
        if timeout(PATIENCE, all_listed).await.is_err() {
            tracing::warn!("not every namespace could be listed: what its statuses keep of clients is not known yet");
        }
        restore_proofs(shared);
    };
    shared.warmed_up.get_or_init(known).await;
    context.secrets_listed.wait().await;
}

fn restore_proofs(shared: &Shared) {
    for source in shared.scopes.iter().flat_map(|sources| sources.store.state()) {
        if let Some(proof) = source.status.as_ref().and_then(|status| status.client_proof.as_ref()) {
            shared.exchange.proofs.restore(proof);
        }
    }
}
