//! What the watches leave: which events ask for a look, and what is known before the first one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use kube::ResourceExt as _;
use kube::runtime::watcher;

use super::chain;
use super::context::{Context, SecretMeta};
use super::listed::Listed;
use super::references::References;
use crate::api::TokenSource;
use crate::api::names::REFRESH_REQUESTED_AT;

/// What of a source asks for a look: being another object, another spec, a refresh request. Not its status.
pub fn what_matters(source: &TokenSource) -> u64 {
    let mut hasher = DefaultHasher::new();
    let meta = &source.metadata;
    let requested = meta.annotations.as_ref().and_then(|annotations| annotations.get(REFRESH_REQUESTED_AT));
    (&meta.uid, meta.generation, requested).hash(&mut hasher);
    hasher.finish()
}

/// Takes note of the events of sources.
pub fn watched_sources(
    context: &Arc<Context>,
    references: &Arc<References>,
    listed: &Listed,
) -> impl FnMut(&watcher::Result<watcher::Event<TokenSource>>) + use<> {
    let (context, references, listed) = (Arc::clone(context), Arc::clone(references), listed.clone());
    move |event| match event {
        Ok(event) => {
            references.saw(event);
            listed.saw(event);
            context.recent_sources.saw(event);
            if let watcher::Event::Delete(source) = event {
                let uid = source.uid().unwrap_or_default();
                context.read_credentials.forget(&uid);
                context.unwritten.forget(&uid);
            }
        }
        Err(error) => {
            tracing::warn!(error = %chain(error), "watching TokenSources failed; is the CRD installed (`tokensource crd`) and allowed to be watched?");
        }
    }
}

/// Takes note of the events of Secrets.
pub fn watched_secrets(context: &Arc<Context>) -> impl FnMut(&watcher::Result<watcher::Event<SecretMeta>>) + use<> {
    let context = Arc::clone(context);
    move |event| match event {
        Ok(event) => {
            context.recent_secrets.saw(event);
            context.secrets_listed.saw(event);
        }
        Err(error) => tracing::warn!(error = %chain(error), "watching Secrets failed"),
    }
}
