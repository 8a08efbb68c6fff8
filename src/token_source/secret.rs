//! Renders the target Secret: token and annotations in one value, for one server-side apply.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use secrecy::ExposeSecret as _;

use super::digest::RequestDigest;
use crate::api::TokenSource;
use crate::api::names::{CREDENTIALS_VERSION, EXPIRES_AT, KEYS, MANAGED_BY, MANAGED_BY_LABEL, RENEW_AT, REQUEST_DIGEST, SOURCE};
use crate::api::secret::DeletionPolicy;
use crate::oauth::token::IssuedToken;

/// A token with all that is said about it beside it.
#[derive(Debug, Clone)]
pub struct Issue {
    /// The token.
    pub token: IssuedToken,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it is due to be renewed.
    pub renew_at: Timestamp,
    /// What it was asked with.
    pub digest: RequestDigest,
    /// Which version of the credentials Secret it was asked with.
    pub credentials_version: Option<String>,
}

/// The Secret as it is applied.
pub fn render(source: &TokenSource, issue: &Issue) -> Secret {
    let data = data(issue);
    Secret {
        metadata: ObjectMeta {
            name: Some(source.target_name().to_owned()),
            namespace: source.metadata.namespace.clone(),
            labels: Some(labels(source)),
            annotations: Some(annotations(source, issue, &data)),
            owner_references: owner(source).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        data: Some(data),
        ..Secret::default()
    }
}

fn data(issue: &Issue) -> BTreeMap<String, ByteString> {
    let token = &issue.token;
    let access_token = token.access_token.expose_secret();
    let scope = token.scope.as_ref().map(|scopes| scopes.join(" "));
    [
        ("access_token", Some(access_token.to_owned())),
        ("token_type", Some(token.token_type.clone())),
        ("authorization", Some(format!("{} {access_token}", token.token_type))),
        ("expires_at", Some(issue.expires_at.to_string())),
        ("id_token", token.id_token.as_ref().map(|id_token| id_token.expose_secret().to_owned())),
        ("scope", scope.filter(|scope| !scope.is_empty())),
        ("issued_token_type", token.issued_token_type.clone()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), ByteString(value?.into_bytes()))))
    .collect()
}

fn labels(source: &TokenSource) -> BTreeMap<String, String> {
    let mut labels = source.spec.secret.labels.clone().unwrap_or_default();
    labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned());
    labels
}

fn annotations(source: &TokenSource, issue: &Issue, data: &BTreeMap<String, ByteString>) -> BTreeMap<String, String> {
    let keys: Vec<&str> = data.keys().map(String::as_str).collect();
    let own = [
        (EXPIRES_AT, Some(issue.expires_at.to_string())),
        (RENEW_AT, Some(issue.renew_at.to_string())),
        (REQUEST_DIGEST, Some(issue.digest.to_string())),
        (CREDENTIALS_VERSION, issue.credentials_version.clone()),
        (SOURCE, source.metadata.name.clone()),
        (KEYS, Some(keys.join(","))),
    ];
    let mut annotations = source.spec.secret.annotations.clone().unwrap_or_default();
    annotations.extend(own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    annotations
}

/// Under `Retain` there is no owner reference, or garbage collection would take the Secret with the source.
fn owner(source: &TokenSource) -> Option<OwnerReference> {
    match source.spec.secret.deletion_policy {
        DeletionPolicy::Delete => source.controller_owner_ref(&()),
        DeletionPolicy::Retain => None,
    }
}
