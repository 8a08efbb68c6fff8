//! What is kept of a Secret's metadata: which it is, whose it is, and what the operator has left in it. The token itself is
//! never read back. Ten thousand Secrets of this form take a few MiB; as the API server tells them, ten times as much.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::attempts::Proof;
use super::target::Held;
use crate::api::names::{
    CREDENTIALS_VERSION, EXPIRES_AT, FIELD_MANAGER, KEYS, MANAGED_BY, MANAGED_BY_LABEL, RENEW_AT, REQUEST_DIGEST, REQUESTED_AT, SOURCE,
};

/// A Secret as its metadata tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its UID.
    pub uid: Box<str>,
    /// Its resource version.
    pub version: Box<str>,
    /// The owner that controls it.
    pub controller: Option<Box<Owner>>,
    /// Its label says that the operator made it.
    pub is_managed: bool,
    /// The source that the operator wrote it for.
    pub made_for: Option<Box<str>>,
    /// What the operator has left in it; the version stands above.
    left: Option<Box<Held>>,
}

/// An owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its kind.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its UID.
    pub uid: Box<str>,
}

impl SecretFacts {
    /// Reads a Secret's metadata.
    pub fn of(meta: &ObjectMeta) -> Self {
        let text = |text: Option<&str>| Box::from(text.unwrap_or_default());
        let left = left(meta);
        Self {
            namespace: text(meta.namespace.as_deref()),
            name: text(meta.name.as_deref()),
            uid: text(meta.uid.as_deref()),
            version: text(meta.resource_version.as_deref()),
            controller: controller(meta).map(Box::new),
            is_managed: lookup(meta.labels.as_ref(), MANAGED_BY_LABEL) == Some(MANAGED_BY),
            made_for: annotation(meta, SOURCE).map(Box::from),
            left: (left != Held::default()).then(|| Box::new(left)),
        }
    }

    /// What it holds, taken for ours.
    pub fn held(&self) -> Held {
        let version = Some(self.version.to_string()).filter(|version| !version.is_empty());
        Held { version, ..self.left.as_deref().cloned().unwrap_or_default() }
    }

    /// What the token in it proves.
    pub fn proof(&self) -> Option<Proof> {
        self.left.as_deref().and_then(Held::proof)
    }

    /// Tells contents apart: the same UID and resource version are the same content.
    pub fn identity(&self) -> String {
        format!("{}/{}", self.uid, self.version)
    }
}

fn controller(meta: &ObjectMeta) -> Option<Owner> {
    let owner = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    Some(Owner { kind: owner.kind.as_str().into(), name: owner.name.as_str().into(), uid: owner.uid.as_str().into() })
}

fn left(meta: &ObjectMeta) -> Held {
    let ours = our_fields(meta);
    Held {
        version: None,
        has_token: annotation(meta, KEYS).is_some_and(|keys| !keys.is_empty()),
        intact: ours.is_some_and(|entry| owns_all(entry, annotation(meta, KEYS))),
        expires_at: annotation(meta, EXPIRES_AT).and_then(|text| text.parse().ok()),
        renew_at: annotation(meta, RENEW_AT).and_then(|text| text.parse().ok()),
        requested_at: annotation(meta, REQUESTED_AT).and_then(|text| text.parse().ok()),
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

fn lookup<'a>(map: Option<&'a BTreeMap<String, String>>, key: &str) -> Option<&'a str> {
    map?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::token_source::digest::{Digest, RequestDigest};

    #[test]
    fn it_is_intact_while_we_own_every_key_and_annotation() {
        let annotation = |name: &str| format!("f:{name}");
        let meta = |data: Value, missing: Option<&str>| {
            let mut annotations = json!({});
            for name in [EXPIRES_AT, RENEW_AT, REQUEST_DIGEST, KEYS].into_iter().filter(|name| Some(*name) != missing) {
                annotations[annotation(name)] = json!({});
            }
            json!({
                "annotations": {KEYS: "access_token,scope"},
                "managedFields": [{"manager": "tokensource", "operation": "Apply", "fieldsV1": {"f:data": data, "f:metadata": {"f:annotations": annotations}}}],
            })
        };
        let whole = json!({"f:access_token": {}, "f:scope": {}});
        for (sentence, meta, intact) in [
            ("as we left it", meta(whole.clone(), None), true),
            ("a key was taken", meta(json!({"f:access_token": {}}), None), false),
            ("an annotation was taken", meta(whole, Some(EXPIRES_AT)), false),
            ("all was replaced", json!({}), false),
        ] {
            let facts = SecretFacts::of(&serde_json::from_value(meta).unwrap());
            assert_eq!(facts.held().intact, intact, "{sentence}");
        }
    }

    #[test]
    fn a_secret_that_the_operator_never_wrote_holds_nothing_of_it() {
        let meta = json!({"name": "client", "uid": "u", "resourceVersion": "7", "annotations": {"team": "a"}, "labels": {"app": "b"}});
        let facts = SecretFacts::of(&serde_json::from_value(meta).unwrap());
        assert_eq!(facts.identity(), "u/7");
        assert_eq!((facts.left.as_ref(), facts.held()), (None, Held { version: Some("7".into()), ..Held::default() }));
        assert_eq!(facts.proof(), None);
    }

    #[test]
    fn it_proves_the_credentials_that_brought_its_token() {
        let digest = |letter: &str| Digest::parse(&letter.repeat(32)).unwrap();
        let asked_with = RequestDigest { spec: digest("a"), credentials: digest("b") }.to_string();
        let meta = |requested_at: &str| json!({"annotations": {REQUEST_DIGEST: asked_with, REQUESTED_AT: requested_at}});
        let proof = |requested_at| SecretFacts::of(&serde_json::from_value(meta(requested_at)).unwrap()).proof();
        let time = "2026-11-30T10:00:00.123Z";
        assert_eq!(proof(time), Some(Proof { credentials: digest("b"), requested_at: time.parse().unwrap() }));
        assert_eq!(proof("noon"), None, "edited by somebody");
    }
}
