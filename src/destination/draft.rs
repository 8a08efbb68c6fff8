//! The manifests while they are made: what of the destination is left, and what has become of the rest.

use serde_json::{Map, Value, json};

use super::authentication::Authentication;
use super::error::ImportError;
use super::parse::{Destination, WITHHELD};
use super::report::Report;

/// Stands where a credential must be filled in.
pub(super) const PLACEHOLDER: &str = "REPLACE-ME";

/// What has been taken out of the destination is in the spec, in the Secret or in the report.
pub(super) struct Draft {
    remaining: Vec<(String, String)>,
    order: Vec<String>,
    /// The kind of authentication.
    pub authentication: Authentication,
    /// The name of the `TokenSource`.
    pub name: String,
    spec: Value,
    credentials: Map<String, Value>,
    /// What became of the properties.
    pub report: Report,
}

impl Draft {
    pub(super) fn new(destination: Destination, authentication: Authentication, name: String) -> Self {
        let order = destination.properties.iter().map(|(name, _)| name.clone()).collect();
        let mut report = Report::default();
        for beside in &destination.beside {
            report.left_out(beside, "stands beside the destination in the answer of the Destination service, and is no part of it");
        }
        let spec = json!({"credentials": {"secretRef": {"name": secret_name(&name)}}});
        Self { remaining: destination.properties, order, authentication, name, spec, credentials: Map::new(), report }
    }

    /// The Secret with the credentials.
    pub(super) fn secret(&self) -> String {
        secret_name(&self.name)
    }

    fn take_raw(&mut self, property: &str) -> Option<String> {
        let index = self.remaining.iter().position(|(name, _)| name == property)?;
        let (_, value) = self.remaining.remove(index);
        if value.trim().is_empty() {
            self.report.left_out(property, "is empty");
            return None;
        }
        Some(value)
    }

    /// Takes a property that is no credential. An empty one counts as absent.
    pub(super) fn take(&mut self, property: &str) -> Option<String> {
        let value = self.take_raw(property)?;
        if value.trim() == WITHHELD {
            self.report.left_out(property, "the export holds no value of it");
            self.report.todo(format!("the export left {property} out: set by hand what becomes of it"));
            return None;
        }
        Some(value)
    }

    /// Takes a property that is `true` or `false`.
    pub(super) fn take_bool(&mut self, property: &'static str) -> Result<Option<bool>, ImportError> {
        let Some(value) = self.take(property) else {
            return Ok(None);
        };
        match value.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(ImportError::Invalid { property, problem: "is neither true nor false: write one of them" }),
        }
    }

    /// Takes all properties that begin so, without the beginning; the whole name comes with them.
    pub(super) fn take_group(&mut self, prefix: &str) -> Vec<(String, String, String)> {
        let names: Vec<String> = self.remaining.iter().map(|(name, _)| name.clone()).filter(|name| name.starts_with(prefix)).collect();
        let taken = names.into_iter().filter_map(|name| {
            let value = self.take(&name)?;
            let key = name.strip_prefix(prefix).unwrap_or_default().to_owned();
            Some((name, key, value))
        });
        taken.collect()
    }

    /// Takes a property whose value plays no part. Says whether it is there.
    pub(super) fn take_unread(&mut self, property: &str) -> bool {
        self.take_raw(property).is_some()
    }

    /// Takes what no part of a `TokenSource` has asked for.
    pub(super) fn take_rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remaining).into_iter().map(|(name, _)| name).collect()
    }

    /// Takes a credential into the Secret. Where the export left it out, a placeholder goes there. Says whether there is one.
    pub(super) fn credential(&mut self, property: &str, key: &str) -> bool {
        let Some(value) = self.take_raw(property) else {
            return false;
        };
        let into = format!("key {key} of Secret {}", self.secret());
        if value.trim() == WITHHELD {
            self.report.carried(property, format!("{into}, as a placeholder: the export left it out"));
            self.placeholder(key, &format!("the export left {property} out"));
        } else {
            self.report.carried(property, into);
            self.credentials.insert(key.to_owned(), value.into());
        }
        true
    }

    /// Puts a placeholder into the Secret, to be filled in by hand.
    pub(super) fn placeholder(&mut self, key: &str, why: &str) {
        self.credentials.insert(key.to_owned(), PLACEHOLDER.into());
        self.report.todo(format!("{why}: replace {PLACEHOLDER} at key {key} of Secret {}", self.secret()));
    }

    /// Sets a field of the `TokenSource`'s spec.
    pub(super) fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        let mut place = &mut self.spec;
        for field in path {
            if !place.is_object() {
                *place = json!({});
            }
            let Some(fields) = place.as_object_mut() else {
                return;
            };
            place = fields.entry(*field).or_insert(Value::Null);
        }
        *place = value.into();
    }

    /// Whether a field of the spec is set.
    pub(super) fn has(&self, field: &str) -> bool {
        self.spec.get(field).is_some()
    }

    /// Names a key of the Secret in `spec.credentials.keys`, where it has no usual name.
    pub(super) fn name_key(&mut self, credential: &str, key: &str) {
        self.set(&["credentials", "keys", credential], key);
    }

    /// The Secret, the `TokenSource` and the report.
    pub(super) fn finish(mut self, namespace: Option<&str>) -> (Value, Value, Report) {
        self.report.sort(&self.order);
        let metadata = |name: &str| match namespace {
            Some(namespace) => json!({"name": name, "namespace": namespace}),
            None => json!({"name": name}),
        };
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(&self.secret()),
            "type": "Opaque",
            "stringData": self.credentials,
        });
        let source = json!({
            "apiVersion": "tokensource.dev/v1alpha1",
            "kind": "TokenSource",
            "metadata": metadata(&self.name),
            "spec": self.spec,
        });
        (secret, source, self.report)
    }
}

fn secret_name(name: &str) -> String {
    format!("{name}-credentials")
}
