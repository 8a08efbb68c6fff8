//! Cuts watched metadata down to what decisions read, so that ten thousand Secrets fit into little memory.

use kube::core::ObjectMeta;

use super::context::SecretMeta;
use crate::api::TokenSource;
use crate::api::names::{FIELD_MANAGER, MANAGED_BY_LABEL};

/// What is kept of a Secret: identity, version, owners, our label and annotations, and what we applied.
pub fn secret(secret: &mut SecretMeta) {
    let meta = std::mem::take(&mut secret.metadata);
    secret.types = None;
    secret.metadata = ObjectMeta {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        owner_references: meta.owner_references,
        labels: meta.labels.map(|mut labels| {
            labels.retain(|key, _| key == MANAGED_BY_LABEL);
            labels
        }),
        annotations: meta.annotations.map(|mut annotations| {
            annotations.retain(|key, _| key.starts_with("tokensource.dev/"));
            annotations
        }),
        managed_fields: meta.managed_fields.map(|mut entries| {
            entries.retain(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
            entries
        }),
        ..ObjectMeta::default()
    };
}

/// Who wrote which field of a source is of no interest here, and long.
pub fn source(source: &mut TokenSource) {
    source.metadata.managed_fields = None;
    if let Some(annotations) = &mut source.metadata.annotations {
        annotations.retain(|key, _| key.starts_with("tokensource.dev/"));
    }
}
