//! Reads the target Secret's metadata: is it ours, is it as we left it, how fresh is its token. The token itself
//! is never read back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::digest::RequestDigest;
use crate::api::TokenSource;
use crate::api::names::{
    CREDENTIALS_VERSION, EXPIRES_AT, FIELD_MANAGER, KEYS, MANAGED_BY, MANAGED_BY_LABEL, RENEW_AT, REQUEST_DIGEST, SOURCE,
};
use crate::api::secret::CreationPolicy;

/// The target Secret as its metadata tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// There is none.
    Absent,
    /// Someone else owns or made it.
    Foreign {
        /// Whose it is, as a clause for a message.
        whose: String,
    },
    /// It is ours.
    Ours(Box<Held>),
}

/// What our Secret holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The Secret's resource version: what this was read from.
    pub version: Option<String>,
    /// There is a token in it.
    pub has_token: bool,
    /// All that we wrote is still ours: nobody changed or took away a key or an annotation.
    pub intact: bool,
    /// When the token expires.
    pub expires_at: Option<Timestamp>,
    /// When it is due to be renewed.
    pub renew_at: Option<Timestamp>,
    /// What it was asked with.
    pub digest: Option<RequestDigest>,
    /// Which version of the credentials Secret it was asked with.
    pub credentials_version: Option<String>,
    /// When it was written.
    pub written_at: Option<Timestamp>,
}

impl Target {
    /// Reads the metadata of the Secret with the target's name.
    pub fn read(meta: Option<&ObjectMeta>, source: &TokenSource) -> Self {
        let Some(meta) = meta else { return Self::Absent };
        let whose = match source.spec.secret.creation_policy {
            CreationPolicy::Owner => foreign(meta, source),
            CreationPolicy::Merge => foreign_to_merge(meta, source),
        };
        match whose {
            Some(whose) => Self::Foreign { whose },
            None => Self::Ours(Box::new(held(meta))),
        }
    }

    /// Reads the metadata of a Secret that the source has beside its target: owned by it, whatever the target's policy.
    pub fn read_beside(meta: Option<&ObjectMeta>, source: &TokenSource) -> Self {
        let Some(meta) = meta else { return Self::Absent };
        foreign(meta, source).map_or_else(|| Self::Ours(Box::new(held(meta))), |whose| Self::Foreign { whose })
    }

    /// What is held, if it is ours.
    pub fn held(&self) -> Option<&Held> {
        match self {
            Self::Ours(held) => Some(held),
            Self::Absent | Self::Foreign { .. } => None,
        }
    }
}

/// Whose the Secret is, if it is not ours. Ours is what we are the controller of, and what nobody controls and we
/// made for a source of this name (`deletionPolicy: Retain` leaves such Secrets behind).
fn foreign(meta: &ObjectMeta, source: &TokenSource) -> Option<String> {
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    if let Some(owner) = owners.iter().find(|owner| owner.controller == Some(true)) {
        let ours = source.metadata.uid.as_ref() == Some(&owner.uid);
        return (!ours).then(|| format!("belongs to {} {}", owner.kind, owner.name));
    }
    let managed = label(meta, MANAGED_BY_LABEL) == Some(MANAGED_BY);
    let made_for = annotation(meta, SOURCE);
    match made_for.filter(|_| managed) {
        Some(name) if source.metadata.name.as_deref() == Some(name) => None,
        Some(name) => Some(format!("belongs to TokenSource {name}")),
        None => Some("was not made by tokensource".to_owned()),
    }
}

/// Whose keys the operator keeps in a Secret that is merged into, if not this source's.
fn foreign_to_merge(meta: &ObjectMeta, source: &TokenSource) -> Option<String> {
    let other = annotation(meta, SOURCE).filter(|name| source.metadata.name.as_deref() != Some(name));
    other.map(|name| format!("already holds the token of TokenSource {name}"))
}

fn held(meta: &ObjectMeta) -> Held {
    let ours = our_fields(meta);
    Held {
        version: meta.resource_version.clone(),
        has_token: annotation(meta, KEYS).is_some_and(|keys| !keys.is_empty()),
        intact: ours.is_some_and(|entry| owns_all(entry, annotation(meta, KEYS))),
        expires_at: annotation(meta, EXPIRES_AT).and_then(|text| text.parse().ok()),
        renew_at: annotation(meta, RENEW_AT).and_then(|text| text.parse().ok()),
        digest: annotation(meta, REQUEST_DIGEST).and_then(|text| text.parse().ok()),
        credentials_version: annotation(meta, CREDENTIALS_VERSION).map(ToOwned::to_owned),
        written_at: ours.and_then(|entry| entry.time.as_ref()).map(|time| time.0),
    }
}

/// What the API server recorded as applied by us.
fn our_fields(meta: &ObjectMeta) -> Option<&ManagedFieldsEntry> {
    let entries = meta.managed_fields.as_deref().unwrap_or_default();
    entries.iter().find(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply"))
}

/// Whether we still own each key and annotation that we wrote. Whoever changes or removes a field takes it from us
/// in `managedFields`, so that metadata alone tells a changed token.
fn owns_all(entry: &ManagedFieldsEntry, keys: Option<&str>) -> bool {
    let Some(fields) = entry.fields_v1.as_ref().map(|fields| &fields.0) else {
        return false;
    };
    let owns = |path: &[&str], name: &str| {
        let place = path.iter().try_fold(fields, |value, step| value.get(step));
        place.and_then(|value| value.get(format!("f:{name}"))).is_some()
    };
    let annotations = [EXPIRES_AT, RENEW_AT, REQUEST_DIGEST, KEYS];
    let Some(keys) = keys else { return false };
    annotations.iter().all(|name| owns(&["f:metadata", "f:annotations"], name)) && keys.split(',').all(|key| owns(&["f:data"], key))
}

fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    lookup(meta.annotations.as_ref(), key)
}

fn label<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    lookup(meta.labels.as_ref(), key)
}

fn lookup<'a>(map: Option<&'a BTreeMap<String, String>>, key: &str) -> Option<&'a str> {
    map?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn source() -> TokenSource {
        let source = json!({
            "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": "orders", "uid": "uid-1"},
            "spec": {"tokenURL": "https://auth.example.com/token"},
        });
        serde_json::from_value(source).unwrap()
    }

    fn read(meta: &Value) -> Target {
        Target::read(Some(&serde_json::from_value(meta.clone()).unwrap()), &source())
    }

    fn owner(kind: &str, name: &str, uid: &str, controller: bool) -> Value {
        json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": controller}])
    }

    #[test]
    fn ours_is_what_we_control_or_made_for_this_name() {
        let managed = json!({"app.kubernetes.io/managed-by": "tokensource"});
        for (sentence, meta, expected) in [
            ("our owner reference", json!({"ownerReferences": owner("TokenSource", "orders", "uid-1", true)}), None),
            (
                "another source's",
                json!({"ownerReferences": owner("TokenSource", "other", "uid-2", true)}),
                Some("belongs to TokenSource other"),
            ),
            (
                "an older source of the name",
                json!({"ownerReferences": owner("TokenSource", "orders", "uid-0", true)}),
                Some("belongs to TokenSource orders"),
            ),
            ("someone else's", json!({"ownerReferences": owner("Certificate", "tls", "uid-3", true)}), Some("belongs to Certificate tls")),
            ("a retained one", json!({"labels": managed, "annotations": {"tokensource.dev/source": "orders"}}), None),
            (
                "another's retained one",
                json!({"labels": managed, "annotations": {"tokensource.dev/source": "other"}}),
                Some("belongs to TokenSource other"),
            ),
            ("a mere annotation", json!({"annotations": {"tokensource.dev/source": "orders"}}), Some("was not made by tokensource")),
            ("a mere label", json!({"labels": managed}), Some("was not made by tokensource")),
            ("a Secret of a person", json!({}), Some("was not made by tokensource")),
            (
                "an owner that does not control",
                json!({"ownerReferences": owner("TokenSource", "orders", "uid-1", false)}),
                Some("was not made by tokensource"),
            ),
        ] {
            let whose = match read(&meta) {
                Target::Foreign { whose } => Some(whose),
                Target::Ours(_) => None,
                Target::Absent => panic!("{sentence}"),
            };
            assert_eq!(whose.as_deref(), expected, "{sentence}");
        }
    }

    #[test]
    fn it_is_intact_while_we_own_every_key_and_annotation() {
        let annotation = |name: &str| format!("f:{name}");
        let meta = |data: Value, missing: Option<&str>| {
            let mut annotations = json!({});
            for name in [EXPIRES_AT, RENEW_AT, REQUEST_DIGEST, KEYS].into_iter().filter(|name| Some(*name) != missing) {
                annotations[annotation(name)] = json!({});
            }
            json!({
                "ownerReferences": owner("TokenSource", "orders", "uid-1", true),
                "annotations": {KEYS: "access_token,scope"},
                "managedFields": [{"manager": "tokensource", "operation": "Apply", "fieldsV1": {"f:data": data, "f:metadata": {"f:annotations": annotations}}}],
            })
        };
        let whole = json!({"f:access_token": {}, "f:scope": {}});
        for (sentence, meta, intact) in [
            ("as we left it", meta(whole.clone(), None), true),
            ("a key was taken", meta(json!({"f:access_token": {}}), None), false),
            ("an annotation was taken", meta(whole, Some(EXPIRES_AT)), false),
            ("all was replaced", json!({"ownerReferences": owner("TokenSource", "orders", "uid-1", true)}), false),
        ] {
            assert_eq!(read(&meta).held().map(|held| held.intact), Some(intact), "{sentence}");
        }
    }

    #[test]
    fn without_a_secret_there_is_no_target() {
        assert_eq!(Target::read(None, &source()), Target::Absent);
    }
}
