//! Which sources name which Secret: turns the event of a Secret into the sources that it concerns.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;

use crate::api::TokenSource;
use crate::api::names::SOURCE;
use crate::token_source::references::{secret_names, source_names};

type Source = ObjectRef<TokenSource>;

/// What a source refers to, in a namespace.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    /// A Secret by its name.
    Secret(String, String),
    /// The target Secret of a source by the source's name.
    TokenOf(String, String),
}

/// An index in both directions, kept by the events of the sources.
#[derive(Default)]
pub struct References(Mutex<Indices>);

#[derive(Default)]
struct Indices {
    /// What is known.
    known: Index,
    /// What a list that is not complete holds so far.
    listed: Index,
}

#[derive(Default)]
struct Index {
    sources_of: HashMap<Key, HashSet<Source>>,
    secrets_of: HashMap<Source, Vec<Key>>,
}

impl References {
    /// Takes note of a source's event. While a list comes in, what was known before counts: Secrets have events meanwhile.
    pub fn saw(&self, event: &Event<TokenSource>) {
        let mut indices = self.lock();
        match event {
            Event::Init => indices.listed = Index::default(),
            Event::InitApply(source) => indices.listed.put(source),
            Event::InitDone => indices.known = std::mem::take(&mut indices.listed),
            Event::Apply(source) => indices.known.put(source),
            Event::Delete(source) => indices.known.remove(&ObjectRef::from_obj(source)),
        }
    }

    /// The sources that name a Secret, or the source that it was made for.
    pub fn sources_of(&self, secret: &PartialObjectMeta<Secret>) -> Vec<Source> {
        let meta = &secret.metadata;
        let namespace = meta.namespace.clone().unwrap_or_default();
        let by_name = meta.name.clone().map(|name| Key::Secret(namespace.clone(), name));
        let made_for = meta.annotations.as_ref().and_then(|annotations| annotations.get(SOURCE)).cloned();
        let keys = by_name.into_iter().chain(made_for.map(|source| Key::TokenOf(namespace, source)));
        let indices = self.lock();
        keys.filter_map(|key| indices.known.sources_of.get(&key)).flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Indices> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn put(&mut self, source: &TokenSource) {
        let reference = ObjectRef::from_obj(source);
        self.remove(&reference);
        let namespace = source.metadata.namespace.clone().unwrap_or_default();
        let of_secrets = secret_names(source).into_iter().map(|name| Key::Secret(namespace.clone(), name));
        let of_sources = source_names(&source.spec).into_iter().map(|name| Key::TokenOf(namespace.clone(), name));
        let secrets: Vec<Key> = of_secrets.chain(of_sources).collect();
        for secret in &secrets {
            self.sources_of.entry(secret.clone()).or_default().insert(reference.clone());
        }
        self.secrets_of.insert(reference, secrets);
    }

    fn remove(&mut self, source: &Source) {
        for secret in self.secrets_of.remove(source).unwrap_or_default() {
            if let Some(sources) = self.sources_of.get_mut(&secret) {
                sources.remove(source);
                if sources.is_empty() {
                    self.sources_of.remove(&secret);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::ObjectMeta;

    fn source(name: &str, credentials: &str) -> TokenSource {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": name, "namespace": "ns"},
            "spec": {"tokenURL": "https://auth.example.com/token", "credentials": {"secretRef": {"name": credentials}}}
        }))
        .unwrap()
    }

    fn concerned(references: &References, secret: &str) -> Vec<String> {
        let metadata = ObjectMeta { name: Some(secret.into()), namespace: Some("ns".into()), ..ObjectMeta::default() };
        let mut names: Vec<String> = references
            .sources_of(&PartialObjectMeta { metadata, ..PartialObjectMeta::default() })
            .into_iter()
            .map(|source| source.name)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_secret_concerns_all_that_name_it_now() {
        let references = References::default();
        references.saw(&Event::Apply(source("a", "shared")));
        references.saw(&Event::Apply(source("b", "shared")));
        assert_eq!(concerned(&references, "shared"), ["a", "b"]);
        assert_eq!(concerned(&references, "a"), ["a"]);
        references.saw(&Event::Apply(source("a", "own")));
        assert_eq!(concerned(&references, "shared"), ["b"]);
        references.saw(&Event::Delete(source("b", "shared")));
        assert_eq!(concerned(&references, "shared"), [""; 0]);
    }

    #[test]
    fn what_was_known_counts_until_a_new_list_is_complete() {
        let references = References::default();
        references.saw(&Event::Apply(source("a", "client")));
        references.saw(&Event::Apply(source("b", "client")));
        references.saw(&Event::Init);
        references.saw(&Event::InitApply(source("b", "client")));
        assert_eq!(concerned(&references, "client"), ["a", "b"]);
        references.saw(&Event::InitDone);
        assert_eq!(concerned(&references, "client"), ["b"]);
    }
}
