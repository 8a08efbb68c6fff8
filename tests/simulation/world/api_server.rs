//! The API server's objects: versions, server-side apply with field ownership, conflicts, the log that watches read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, Time};
use kube::core::{ObjectMeta, PartialObjectMeta};
use serde_json::{Map, Value, json};

use super::watch::Change;
use super::{APPS, OPERATOR};
use crate::api::TokenSource;
use crate::api::names::FIELD_MANAGER;
use crate::api::status::TokenSourceStatus;
use crate::controller::watched_secret::SecretMeta;

/// A refusal by its HTTP status.
pub type Refused = u16;

/// The label that the operator selects sources by.
pub const SHARD: &str = "shard";

/// All objects.
#[derive(Default)]
pub struct ApiServer {
    version: u64,
    /// Those of the sources' namespace, by name.
    pub secrets: BTreeMap<String, Kept>,
    /// Those of the operator's.
    own_secrets: BTreeMap<String, Kept>,
    /// All in one namespace.
    pub sources: BTreeMap<String, TokenSource>,
    /// The one of the election.
    pub lease: Option<Lease>,
    /// Changes of selected sources.
    pub source_log: Vec<Change<TokenSource>>,
    /// Changes of Secrets of the sources' namespace.
    pub secret_log: Vec<Change<SecretMeta>>,
}

/// A Secret, and what no client knows of it.
#[derive(Clone)]
pub struct Kept {
    /// As clients see it.
    pub secret: Secret,
    /// The UID of the source that the operator made it for; none: people made it.
    pub made_for: Option<String>,
}

/// The namespace as it is in paths.
pub fn namespace(text: &str) -> &'static str {
    if text == OPERATOR { OPERATOR } else { APPS }
}

impl ApiServer {
    fn next_version(&mut self) -> String {
        self.version += 1;
        // No object has version 1: an apply that demands it can only create.
        (self.version + 100).to_string()
    }

    fn next_uid(&mut self) -> String {
        self.version += 1;
        format!("uid-{}", self.version)
    }

    fn secrets_of(&self, namespace: &'static str) -> &BTreeMap<String, Kept> {
        if namespace == APPS { &self.secrets } else { &self.own_secrets }
    }

    fn secrets_in(&mut self, namespace: &'static str) -> &mut BTreeMap<String, Kept> {
        if namespace == APPS { &mut self.secrets } else { &mut self.own_secrets }
    }

    /// A Secret.
    pub fn secret(&self, namespace: &'static str, name: &str) -> Option<&Kept> {
        self.secrets_of(namespace).get(name)
    }

    /// The metadata of all Secrets that are watched.
    pub fn secret_metas(&self) -> Vec<SecretMeta> {
        self.secrets.values().map(|kept| meta(&kept.secret)).collect()
    }

    /// The sources of the operator's selection.
    pub fn selected_sources(&self) -> Vec<TokenSource> {
        self.sources.values().filter(|source| is_selected(source)).cloned().collect()
    }

    /// A source, if it is of the operator's selection.
    pub fn selected_source(&self, name: &str) -> Option<&TokenSource> {
        self.sources.get(name).filter(|source| is_selected(source))
    }

    fn store(&mut self, namespace: &'static str, mut kept: Kept) -> &Secret {
        kept.secret.metadata.resource_version = Some(self.next_version());
        if kept.secret.metadata.uid.is_none() {
            kept.secret.metadata.uid = Some(self.next_uid());
        }
        kept.secret.metadata.namespace = Some(namespace.to_owned());
        if namespace == APPS {
            self.secret_log.push((meta(&kept.secret), false));
        }
        let name = kept.secret.metadata.name.clone().unwrap_or_default();
        self.secrets_in(namespace).insert(name.clone(), kept);
        &self.secrets_of(namespace)[&name].secret
    }

    /// Server-side apply by the operator, by force.
    pub fn apply_secret(&mut self, namespace: &'static str, name: &str, applied: Secret, now: Timestamp) -> Result<&Secret, Refused> {
        let found = self.secret(namespace, name);
        let demanded = applied.metadata.resource_version.as_deref();
        if found.as_ref().is_some_and(|found| demanded.is_some() && found.secret.metadata.resource_version.as_deref() != demanded) {
            return Err(409);
        }
        let made_for = applied.metadata.owner_references.as_ref().and_then(|owners| owners.first()).map(|owner| owner.uid.clone());
        let mut kept = self.secrets_in(namespace).remove(name).unwrap_or_else(|| Kept { secret: Secret::default(), made_for });
        let before = kept.secret.metadata.managed_fields.take().unwrap_or_default();
        let owned = |path: &[&str]| -> Vec<String> {
            let fields = before.first().and_then(|entry| entry.fields_v1.as_ref()).map(|fields| &fields.0);
            let place = fields.and_then(|fields| path.iter().try_fold(fields, |value, step| value.get(step)));
            place
                .and_then(Value::as_object)
                .map(|map| map.keys().map(|key| key.trim_start_matches("f:").to_owned()).collect())
                .unwrap_or_default()
        };
        let secret = &mut kept.secret;
        merge(&mut secret.data, &owned(&["f:data"]), applied.data.as_ref());
        merge(&mut secret.metadata.annotations, &owned(&["f:metadata", "f:annotations"]), applied.metadata.annotations.as_ref());
        merge(&mut secret.metadata.labels, &owned(&["f:metadata", "f:labels"]), applied.metadata.labels.as_ref());
        secret.metadata.name = Some(name.to_owned());
        secret.metadata.owner_references.clone_from(&applied.metadata.owner_references);
        secret.metadata.managed_fields = Some(vec![ManagedFieldsEntry {
            manager: Some(FIELD_MANAGER.to_owned()),
            operation: Some("Apply".to_owned()),
            time: Some(Time(Timestamp::from_second(now.as_second()).unwrap())),
            fields_v1: Some(FieldsV1(json!({
                "f:data": fields(applied.data.as_ref()),
                "f:metadata": {"f:annotations": fields(applied.metadata.annotations.as_ref()), "f:labels": fields(applied.metadata.labels.as_ref())},
            }))),
            ..ManagedFieldsEntry::default()
        }]);
        Ok(self.store(namespace, kept))
    }

    /// Merges keys into a Secret's data.
    pub fn merge_secret(
        &mut self,
        namespace: &'static str,
        name: &str,
        data: BTreeMap<String, Option<ByteString>>,
    ) -> Result<&Secret, Refused> {
        let mut kept = self.secrets_in(namespace).remove(name).ok_or(404_u16)?;
        let held = kept.secret.data.get_or_insert_default();
        for (key, value) in data {
            match value {
                Some(value) => _ = held.insert(key, value),
                None => _ = held.remove(&key),
            }
        }
        Ok(self.store(namespace, kept))
    }

    /// Makes a Secret. `made_for` is none where people do.
    pub fn create_secret(&mut self, namespace: &'static str, secret: Secret, made_for: Option<String>) -> Result<&Secret, Refused> {
        let name = secret.metadata.name.clone().unwrap_or_default();
        if self.secrets_of(namespace).contains_key(&name) {
            return Err(409);
        }
        Ok(self.store(namespace, Kept { secret, made_for }))
    }

    /// Changes keys of a Secret as people do: what they change is theirs.
    pub fn edit_secret(&mut self, name: &str, data: &[(&str, &str)]) {
        let Some(mut kept) = self.secrets.remove(name) else { return };
        for (key, value) in data {
            kept.secret.data.get_or_insert_default().insert((*key).to_owned(), ByteString(value.as_bytes().to_vec()));
            for entry in kept.secret.metadata.managed_fields.iter_mut().flatten() {
                if let Some(owned) = entry.fields_v1.as_mut().and_then(|fields| fields.0.get_mut("f:data")).and_then(Value::as_object_mut) {
                    owned.remove(&format!("f:{key}"));
                }
            }
        }
        self.store(APPS, kept);
    }

    /// Deletes a Secret.
    pub fn delete_secret(&mut self, name: &str) {
        if let Some(kept) = self.secrets.remove(name) {
            let mut gone = meta(&kept.secret);
            gone.metadata.resource_version = Some(self.next_version());
            self.secret_log.push((gone, true));
        }
    }

    /// Makes or changes a source as people do.
    pub fn put_source(&mut self, mut source: TokenSource) {
        let name = source.metadata.name.clone().unwrap_or_default();
        let was_selected = self.sources.get(&name).is_some_and(is_selected);
        if source.metadata.uid.is_none() {
            source.metadata.uid = Some(self.next_uid());
        }
        source.metadata.resource_version = Some(self.next_version());
        match (was_selected, is_selected(&source)) {
            (_, true) => self.source_log.push((source.clone(), false)),
            (true, false) => self.source_log.push((source.clone(), true)),
            (false, false) => {}
        }
        self.sources.insert(name, source);
    }

    /// Deletes a source; its Secrets are collected later.
    pub fn delete_source(&mut self, name: &str) -> Option<String> {
        let mut source = self.sources.remove(name)?;
        source.metadata.resource_version = Some(self.next_version());
        let uid = source.metadata.uid.clone();
        if is_selected(&source) {
            self.source_log.push((source, true));
        }
        uid
    }

    /// Applies a status.
    pub fn apply_status(&mut self, name: &str, uid: Option<&str>, status: TokenSourceStatus) -> Result<&TokenSource, Refused> {
        if self.sources.get(name).ok_or(404_u16)?.metadata.uid.as_deref() != uid {
            return Err(409);
        }
        let version = self.next_version();
        let source = self.sources.get_mut(name).ok_or(404_u16)?;
        (source.status, source.metadata.resource_version) = (Some(status), Some(version));
        if is_selected(source) {
            self.source_log.push((source.clone(), false));
        }
        Ok(source)
    }

    /// Makes the Lease, or writes it over the version that it was made of.
    pub fn write_lease(&mut self, mut lease: Lease, creates: bool) -> Result<Lease, Refused> {
        let found = self.lease.as_ref().map(|found| found.metadata.resource_version.clone());
        match found {
            Some(_) if creates => return Err(409),
            None if !creates => return Err(404),
            Some(version) if version != lease.metadata.resource_version => return Err(409),
            Some(_) | None => {}
        }
        lease.metadata.resource_version = Some(self.next_version());
        self.lease = Some(lease.clone());
        Ok(lease)
    }
}

fn is_selected(source: &TokenSource) -> bool {
    source.metadata.labels.as_ref().and_then(|labels| labels.get(SHARD)).is_some_and(|shard| shard == "a")
}

fn meta(secret: &Secret) -> SecretMeta {
    PartialObjectMeta { metadata: ObjectMeta { ..secret.metadata.clone() }, ..PartialObjectMeta::default() }
}

fn fields<V>(map: Option<&BTreeMap<String, V>>) -> Value {
    map.into_iter().flatten().map(|(key, _)| (format!("f:{key}"), json!({}))).collect::<Map<_, _>>().into()
}

/// What was owned and is no longer applied goes, what is applied comes.
fn merge<V: Clone>(held: &mut Option<BTreeMap<String, V>>, owned: &[String], applied: Option<&BTreeMap<String, V>>) {
    let held = held.get_or_insert_default();
    held.retain(|key, _| !owned.contains(key));
    held.extend(applied.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
}
