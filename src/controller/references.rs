//! Which sources name which Secret: turns the event of a Secret into the sources that it concerns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;

use crate::api::TokenSource;
use crate::token_source::references::{secret_names, source_names};
use crate::token_source::secret_facts::SecretFacts;

type Source = ObjectRef<TokenSource>;

/// What a source refers to, in a namespace.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    /// A Secret by its name.
    Secret(Box<str>, Box<str>),
    /// The target Secret of a source by the source's name.
    TokenOf(Box<str>, Box<str>),
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
    /// Names are held once: there are tens of thousands of them.
    sources_of: HashMap<Arc<Key>, Vec<Arc<Source>>>,
    secrets_of: HashMap<Arc<Source>, Box<[Arc<Key>]>>,
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
    pub fn sources_of(&self, secret: &SecretFacts) -> Vec<Source> {
        let by_name = Key::Secret(secret.namespace.clone(), secret.name.clone());
        let made_for = secret.made_for.clone().map(|source| Key::TokenOf(secret.namespace.clone(), source));
        let indices = self.lock();
        let found = [Some(by_name), made_for].into_iter().flatten().filter_map(|key| indices.known.sources_of.get(&key));
        found.flatten().map(|source| Source::clone(source)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Indices> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn put(&mut self, source: &TokenSource) {
        let reference = Arc::new(ObjectRef::new(source.metadata.name.as_deref().unwrap_or_default()).within(source.namespace()));
        let namespace = || Box::from(source.namespace());
        let of_secrets = secret_names(source).into_iter().map(|name| Key::Secret(namespace(), name.into()));
        let of_sources = source_names(&source.spec).into_iter().map(|name| Key::TokenOf(namespace(), name.into()));
        let mut secrets: Vec<Arc<Key>> = Vec::new();
        for secret in of_secrets.chain(of_sources).map(|key| self.interned(key)) {
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        // Most events are of a status. Thousands may share a Secret, whose list is not gone through for each of them.
        if self.secrets_of.get(&reference).is_some_and(|known| known.as_ref() == secrets.as_slice()) {
            return;
        }
        self.remove(&reference);
        for secret in &secrets {
            // Most Secrets concern one source.
            self.sources_of.entry(Arc::clone(secret)).or_insert_with(|| Vec::with_capacity(1)).push(Arc::clone(&reference));
        }
        self.secrets_of.insert(reference, secrets.into());
    }

    fn interned(&self, key: Key) -> Arc<Key> {
        self.sources_of.get_key_value(&key).map_or_else(|| Arc::new(key), |(known, _)| Arc::clone(known))
    }

    fn remove(&mut self, source: &Source) {
        for secret in self.secrets_of.remove(source).unwrap_or_default() {
            if let Some(sources) = self.sources_of.get_mut(&secret) {
                sources.retain(|other| **other != *source);
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
        let mut names: Vec<String> = references.sources_of(&SecretFacts::of(&metadata)).into_iter().map(|source| source.name).collect();
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
