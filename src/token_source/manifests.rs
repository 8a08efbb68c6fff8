//! Manifests as people write them: the objects that a request is made of, without an API server.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use thiserror::Error;

use crate::api::TokenSource;
use crate::api::schema;

/// The namespace of an object that names none.
const DEFAULT_NAMESPACE: &str = "default";

type Key = (String, String);

/// `TokenSource`s, Secrets and ConfigMaps; other objects are left out.
#[derive(Default)]
pub struct Manifests {
    sources: Vec<TokenSource>,
    secrets: BTreeMap<Key, Secret>,
    config_maps: BTreeMap<Key, ConfigMap>,
}

/// What is wrong with manifests. Quotes nothing of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// Not YAML.
    #[error("is no YAML, in or before line {line}")]
    NotYaml {
        /// The line, from 1.
        line: u64,
    },
    /// A field of an object can't be.
    #[error("{kind} {name}: {problem}")]
    Field {
        /// The object's kind.
        kind: String,
        /// Its name.
        name: String,
        /// The field and what is wrong with it.
        problem: String,
    },
}

impl Manifests {
    /// Reads the documents of a YAML or JSON text.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text)
            .map_err(|error| ManifestError::NotYaml { line: error.location().map_or(1, |location| location.line()) })?;
        let mut manifests = Self::default();
        documents.into_iter().try_for_each(|document| manifests.add(document))?;
        Ok(manifests)
    }

    fn add(&mut self, mut object: Value) -> Result<(), ManifestError> {
        let word = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, name, namespace) = (word("/kind"), word("/metadata/name"), word("/metadata/namespace"));
        let namespace = if namespace.is_empty() { DEFAULT_NAMESPACE.to_owned() } else { namespace };
        let wrong = |problem: String| ManifestError::Field { kind: kind.clone(), name: name.clone(), problem };
        match kind.as_str() {
            "List" => {
                let items = object.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
                return items.into_iter().try_for_each(|item| self.add(item));
            }
            "TokenSource" | "Secret" | "ConfigMap" if name.is_empty() => return Err(wrong("metadata.name is missing".to_owned())),
            "TokenSource" => {
                if let Some(problem) = schema::problem(&object) {
                    return Err(wrong(problem));
                }
                let mut source: TokenSource = serde_json::from_value(object).map_err(|error| wrong(error.to_string()))?;
                source.metadata.namespace = Some(namespace);
                self.sources.push(source);
            }
            "Secret" => {
                let secret = secret(&object, &name).map_err(wrong)?;
                self.secrets.insert((namespace, name), secret);
            }
            "ConfigMap" => {
                let data = texts(object.get("data"), "data").map_err(wrong)?;
                self.config_maps.insert((namespace, name), ConfigMap { data: Some(data), ..ConfigMap::default() });
            }
            _ => {}
        }
        Ok(())
    }

    /// The sources, in their order.
    pub fn sources(&self) -> &[TokenSource] {
        &self.sources
    }

    /// A source.
    pub fn source(&self, namespace: &str, name: &str) -> Option<&TokenSource> {
        self.sources.iter().find(|source| source.namespace() == namespace && source.metadata.name.as_deref() == Some(name))
    }

    /// A Secret.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        self.secrets.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// A ConfigMap.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        self.config_maps.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Puts a source's token where the operator would: for the sources that ask with it.
    pub fn put_token(&mut self, source: &TokenSource, token: &SecretString) {
        let name = source.target_name().to_owned();
        let data = BTreeMap::from([("access_token".to_owned(), ByteString(token.expose_secret().as_bytes().to_vec()))]);
        self.secrets.insert((source.namespace().to_owned(), name.clone()), named(&name, data));
    }
}

fn named(name: &str, data: BTreeMap<String, ByteString>) -> Secret {
    Secret { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, data: Some(data), ..Secret::default() }
}

/// A Secret; `stringData` goes before `data`, as the API server has it.
fn secret(object: &Value, name: &str) -> Result<Secret, String> {
    let mut data = BTreeMap::new();
    for (key, text) in texts(object.get("data"), "data")? {
        let text: String = text.split_whitespace().collect();
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| format!("data.{key} is no Base64: plain text goes into stringData"))?;
        data.insert(key, ByteString(bytes));
    }
    let plain = texts(object.get("stringData"), "stringData")?;
    data.extend(plain.into_iter().map(|(key, text)| (key, ByteString(text.into_bytes()))));
    Ok(named(name, data))
}

fn texts(map: Option<&Value>, field: &str) -> Result<BTreeMap<String, String>, String> {
    let entries = match map {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(entries)) => entries,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => return Err(format!("{field} must be a map")),
    };
    let text = |(key, value): (&String, &Value)| match value {
        Value::String(text) => Ok((key.clone(), text.clone())),
        Value::Null => Ok((key.clone(), String::new())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(format!("{field}.{key} must be a text: put it in quotes"))
        }
    };
    entries.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "
apiVersion: v1
kind: Secret
metadata: {name: client, namespace: shop}
data: {client_id: b3JkZXJz, client_secret: b2xk}
stringData: {client_secret: 'new'}
---
apiVersion: tokensource.dev/v1alpha1
kind: TokenSource
metadata: {name: orders, namespace: shop}
spec: {tokenURL: 'https://auth.example.com/token', credentials: {secretRef: {name: client}}}
---
kind: List
items:
- {kind: ConfigMap, metadata: {name: ca}, data: {ca.crt: x}}
- {kind: Deployment, metadata: {name: other}}
";

    #[test]
    fn objects_are_found_by_namespace_and_name() {
        let manifests = Manifests::parse(GOOD).unwrap();
        assert_eq!(manifests.sources().len(), 1);
        assert!(manifests.source("shop", "orders").is_some() && manifests.source("default", "orders").is_none());
        let data = manifests.secret("shop", "client").unwrap().data.clone().unwrap();
        assert_eq!((data["client_id"].0.as_slice(), data["client_secret"].0.as_slice()), (b"orders".as_slice(), b"new".as_slice()));
        assert!(manifests.config_map("default", "ca").is_some());
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_of_a_secret_is_quoted() {
        for (text, expected) in [
            ("{", "is no YAML, in or before line "),
            (
                "kind: Secret\nmetadata: {name: a}\nstringData: {client_secret: 1234567}",
                "Secret a: stringData.client_secret must be a text",
            ),
            ("kind: Secret\nmetadata: {name: a}\ndata: {client_secret: '!!plain!!'}", "Secret a: data.client_secret is no Base64"),
            ("kind: Secret\nstringData: {}", "Secret : metadata.name is missing"),
            ("kind: TokenSource\nmetadata: {name: a}\nspec: {tokenUrl: x}", "TokenSource a: spec.tokenUrl is no field"),
            ("kind: TokenSource\nmetadata: {name: a}\nspec: {request: {readTimeout: soon}}", "TokenSource a: "),
        ] {
            let told = Manifests::parse(text).err().unwrap().to_string();
            assert!(told.starts_with(expected) && !told.contains("1234567") && !told.contains("!!plain"), "{told}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(\\PC|\n|: |- |---\n|kind: Secret\n|stringData:){0,60}") {
            _ = Manifests::parse(&text);
        }
    }
}
