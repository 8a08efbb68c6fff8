//! One reconcile as it is told: its span in logs and traces, its duration, its failure.

use std::sync::Arc;

use kube::runtime::controller::Action;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::chain;
use super::context::Context;
use super::error::Error;
use super::random;
use super::reconcile::reconcile;
use crate::api::TokenSource;
use crate::observability::tracing::look_span;

/// Reconciles within a span of its own, so that all lines of one look can be joined.
pub async fn look(source: Arc<TokenSource>, context: Arc<Context>) -> Result<Action, Error> {
    let name = source.metadata.name.as_deref().unwrap_or_default();
    let span = look_span(source.namespace(), name, random::trace_id);
    async move {
        let (shared, began) = (Arc::clone(&context.shared), Instant::now());
        let result = reconcile(source, context).await;
        shared.metrics.reconciled(began.elapsed());
        match &result {
            Ok(_) => {}
            // Told by the election. The next leader looks at the source anew.
            Err(Error::NotLeading) => tracing::debug!("the reconcile ended with the leadership"),
            Err(error) => tracing::warn!(error = %chain(error), "reconcile failed; it is tried again"),
        }
        result
    }
    .instrument(span)
    .await
}
