//! A Secret as it is watched: no more of its metadata than decisions read.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::Secret;
use kube::core::{ObjectMeta, PartialObjectMeta};
use kube::runtime::reflector::{Lookup, ObjectRef};
use kube::runtime::watcher::Event;

use crate::token_source::secret_facts::SecretFacts;

/// A Secret's metadata as the API server tells it.
pub type SecretMeta = PartialObjectMeta<Secret>;

/// What is kept of it.
#[derive(Debug, Clone)]
pub struct WatchedSecret(pub SecretFacts);

impl WatchedSecret {
    /// Of metadata that was watched, or came back from a write.
    pub fn of(meta: &ObjectMeta) -> Self {
        Self(SecretFacts::of(meta))
    }
}

/// The same event, of what is kept.
pub fn kept(event: Event<SecretMeta>) -> Event<WatchedSecret> {
    let of = |secret: SecretMeta| WatchedSecret::of(&secret.metadata);
    match event {
        Event::Apply(secret) => Event::Apply(of(secret)),
        Event::Delete(secret) => Event::Delete(of(secret)),
        Event::Init => Event::Init,
        Event::InitApply(secret) => Event::InitApply(of(secret)),
        Event::InitDone => Event::InitDone,
    }
}

impl Lookup for WatchedSecret {
    type DynamicType = ();

    fn kind((): &()) -> Cow<'_, str> {
        Secret::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        Secret::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        Secret::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        Secret::plural(&())
    }

    fn name(&self) -> Option<Cow<'_, str>> {
        Some(self.0.name.as_ref().into())
    }

    fn namespace(&self) -> Option<Cow<'_, str>> {
        Some(self.0.namespace.as_ref().into())
    }

    fn resource_version(&self) -> Option<Cow<'_, str>> {
        Some(self.0.version.as_ref().into())
    }

    fn uid(&self) -> Option<Cow<'_, str>> {
        Some(self.0.uid.as_ref().into())
    }

    /// Without UID and version, which a reference is not compared by: it is the key of a map of them all.
    fn to_object_ref(&self, (): ()) -> ObjectRef<Self> {
        ObjectRef::new(&self.0.name).within(&self.0.namespace)
    }
}
