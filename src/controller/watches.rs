//! What the watches leave: which events ask for a look, and what is known before the first one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use futures::channel::mpsc::UnboundedSender;
use kube::ResourceExt as _;
use kube::runtime::watcher::{self, Event};

use super::chain;
use super::context::Context;
use super::listed::Listed;
use super::references::References;
use super::watched_secret::WatchedSecret;
use crate::api::TokenSource;
use crate::api::names::REFRESH_REQUESTED_AT;

/// Which events of sources ask for a look. Of our own, because kube's `predicate_filter` does not see deletions: a source that
/// leaves the selection by its label and comes back as it was would not be looked at.
#[derive(Default)]
pub struct News {
    known: HashMap<Box<str>, u64>,
    listed: HashMap<Box<str>, u64>,
}

impl News {
    /// The source, if the event tells something of it that matters and was not known.
    pub fn of(&mut self, event: Event<TokenSource>) -> Option<TokenSource> {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(source) => {
                let (which, matters) = (which(&source), what_matters(&source));
                let is_news = self.known.get(&which) != Some(&matters);
                self.listed.insert(which, matters);
                return is_news.then_some(source);
            }
            // What the list does not hold has left.
            Event::InitDone => self.known = std::mem::take(&mut self.listed),
            Event::Apply(source) => {
                let matters = what_matters(&source);
                let is_news = self.known.insert(which(&source), matters) != Some(matters);
                return is_news.then_some(source);
            }
            Event::Delete(source) => _ = self.known.remove(&which(&source)),
        }
        None
    }
}

/// Which source it is, in fewer bytes than a reference takes.
fn which(source: &TokenSource) -> Box<str> {
    format!("{}/{}", source.namespace(), source.metadata.name.as_deref().unwrap_or_default()).into()
}

/// What of a source asks for a look: being another object, another spec, a refresh request. Not its status.
fn what_matters(source: &TokenSource) -> u64 {
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
                context.shared.pacing.leave(&uid);
            }
        }
        Err(error) => {
            tracing::warn!(error = %chain(error), "watching TokenSources failed; is the CRD installed (`tokensource crd`) and allowed to be watched?");
        }
    }
}

/// Takes note of the events of Secrets. A list that follows another asks for a look at everything: it does not tell which
/// Secrets have gone in between.
pub fn watched_secrets(
    context: &Arc<Context>,
    listed_again: UnboundedSender<()>,
) -> impl FnMut(&watcher::Result<watcher::Event<WatchedSecret>>) + use<> {
    let context = Arc::clone(context);
    let mut was_listed = false;
    move |event| match event {
        Ok(event) => {
            context.recent_secrets.saw(event);
            context.secrets_listed.saw(event);
            if matches!(event, Event::InitDone) && std::mem::replace(&mut was_listed, true) {
                // It can't fail while the controller runs.
                _ = listed_again.unbounded_send(());
            }
        }
        Err(error) => tracing::warn!(error = %chain(error), "watching Secrets failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(generation: i64) -> TokenSource {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource",
            "metadata": {"name": "orders", "namespace": "ns", "uid": "1", "generation": generation},
            "spec": {"tokenURL": "https://auth.example.com/token", "clientID": "c"}
        }))
        .unwrap()
    }

    #[test]
    fn a_source_is_news_when_it_comes_changes_and_comes_back() {
        let mut news = News::default();
        for (sentence, event, is_news) in vec![
            ("it is listed", Event::InitApply(source(1)), true),
            ("the list ends", Event::InitDone, false),
            ("its status changes", Event::Apply(source(1)), false),
            ("its spec changes", Event::Apply(source(2)), true),
            ("it leaves the selection", Event::Delete(source(2)), false),
            ("it comes back as it was", Event::Apply(source(2)), true),
            ("a list begins", Event::Init, false),
            ("it is in it as it was", Event::InitApply(source(2)), false),
            ("the list ends again", Event::InitDone, false),
            ("another begins", Event::Init, false),
            ("and ends without it", Event::InitDone, false),
            ("it comes back", Event::Apply(source(2)), true),
        ] {
            assert_eq!(news.of(event).is_some(), is_news, "{sentence}");
        }
    }
}
