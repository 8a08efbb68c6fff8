//! The operator's own writes, until its watches have seen them: what was just written is never taken for missing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kube::runtime::reflector::{Lookup, ObjectRef};
use kube::runtime::watcher::Event;

/// Written objects by reference.
pub struct Recent<K: Lookup<DynamicType = ()>> {
    written: Mutex<HashMap<ObjectRef<K>, K>>,
}

impl<K: Lookup<DynamicType = ()>> Default for Recent<K> {
    fn default() -> Self {
        Self { written: Mutex::default() }
    }
}

impl<K: Lookup<DynamicType = ()> + Clone> Recent<K> {
    /// Keeps what the API server answered to a write.
    pub fn wrote(&self, object: K) {
        self.lock().insert(ObjectRef::from_obj(&object), object);
    }

    /// Takes note of what a watch has seen, and lets go of what is no longer ahead of it.
    pub fn saw(&self, event: &Event<K>) {
        match event {
            Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
                let reference = ObjectRef::from_obj(object);
                let mut written = self.lock();
                if written.get(&reference).is_some_and(|own| !is_ahead(own, object)) {
                    written.remove(&reference);
                }
            }
            Event::InitDone => self.lock().clear(),
            Event::Init => {}
        }
    }

    /// The newer of what a watch knows and what was written.
    pub fn newest(&self, reference: &ObjectRef<K>) -> Option<K> {
        self.lock().get(reference).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectRef<K>, K>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether our write is newer than what was seen. Resource versions are ordered numbers (KEP-5504).
fn is_ahead<K: Lookup>(own: &K, seen: &K) -> bool {
    let number = |object: &K| object.resource_version().and_then(|version| version.parse::<u128>().ok());
    matches!((number(own), number(seen)), (Some(own), Some(seen)) if own > seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn version(version: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some("one".into());
        object.metadata.resource_version = Some(version.into());
        object
    }

    fn known(recent: &Recent<ConfigMap>) -> Option<String> {
        recent.newest(&ObjectRef::new("one")).and_then(|object| object.metadata.resource_version)
    }

    #[test]
    fn a_write_is_known_until_the_watch_has_seen_it() {
        let recent = Recent::default();
        recent.wrote(version("12"));
        recent.saw(&Event::Apply(version("9")));
        assert_eq!(known(&recent).as_deref(), Some("12"));
        recent.saw(&Event::Apply(version("12")));
        assert_eq!(known(&recent), None);
    }

    #[test]
    fn a_deletion_after_the_write_ends_it() {
        let recent = Recent::default();
        recent.wrote(version("12"));
        recent.saw(&Event::Delete(version("15")));
        assert_eq!(known(&recent), None);
    }
}
