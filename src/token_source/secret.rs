//! Renders the target Secret: token and annotations in one value, for one server-side apply.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::digest::RequestDigest;
use super::failure::Failure;
use super::template::{Template, Values, auth_tokens_json};
use crate::api::TokenSource;
use crate::api::condition::Reason;
use crate::api::names::{
    CREDENTIALS_VERSION, EXPIRES_AT, KEYS, MANAGED_BY, MANAGED_BY_LABEL, RENEW_AT, REQUEST_DIGEST, REQUESTED_AT, SOURCE,
};
use crate::api::secret::{CreationPolicy, DeletionPolicy, TargetSecret};
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
    /// When it was asked for, in milliseconds.
    pub requested_at: Timestamp,
    /// What it was asked with.
    pub digest: RequestDigest,
    /// Which versions of Secrets it was asked with.
    pub credentials_version: Option<String>,
    /// The token endpoint.
    pub token_url: String,
    /// The client.
    pub client_id: String,
}

/// The Secret as it is applied.
pub fn render(source: &TokenSource, issue: &Issue) -> Result<Secret, Failure> {
    let data = data(source, issue)?;
    let keys: Vec<&str> = data.keys().map(String::as_str).collect();
    let own = [
        (EXPIRES_AT, Some(issue.expires_at.to_string())),
        (RENEW_AT, Some(issue.renew_at.to_string())),
        (REQUESTED_AT, Some(issue.requested_at.to_string())),
        (REQUEST_DIGEST, Some(issue.digest.to_string())),
        (CREDENTIALS_VERSION, issue.credentials_version.clone()),
        (KEYS, Some(keys.join(","))),
    ];
    let annotations = own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Ok(shaped(source, annotations, Some(data)))
}

/// The Secret without the token: what `onExpiry: Remove` leaves of one that could not be renewed.
pub fn render_expired(source: &TokenSource) -> Secret {
    shaped(source, BTreeMap::new(), None)
}

/// Checks the templates before any request: they are rendered once with nothing in them.
pub fn check(source: &TargetSecret) -> Result<(), Failure> {
    let nothing = Values {
        access_token: "",
        token_type: "",
        authorization: "",
        expires_at: "",
        scope: "",
        id_token: "",
        token_url: "",
        client_id: "",
    };
    source.data.iter().flatten().try_for_each(|(key, text)| from_template(key, text, &nothing).map(drop))
}

fn shaped(source: &TokenSource, mut annotations: BTreeMap<String, String>, data: Option<BTreeMap<String, ByteString>>) -> Secret {
    let spec = &source.spec.secret;
    annotations.extend(spec.annotations.clone().unwrap_or_default());
    annotations.insert(SOURCE.to_owned(), source.metadata.name.clone().unwrap_or_default());
    let mut labels = spec.labels.clone().unwrap_or_default();
    // Of someone else's Secret only our keys and annotations are ours.
    let owned = spec.creation_policy == CreationPolicy::Owner;
    if owned {
        labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned());
    }
    Secret {
        metadata: ObjectMeta {
            name: Some(source.target_name().to_owned()),
            namespace: source.metadata.namespace.clone(),
            labels: (!labels.is_empty()).then_some(labels),
            annotations: Some(annotations),
            owner_references: owner(source).filter(|_| owned).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        type_: owned.then(|| spec.secret_type.as_str().to_owned()),
        data,
        ..Secret::default()
    }
}

fn data(source: &TokenSource, issue: &Issue) -> Result<BTreeMap<String, ByteString>, Failure> {
    let token = &issue.token;
    let access_token = token.access_token.expose_secret();
    let authorization = SecretString::from(format!("{} {access_token}", token.token_type));
    let (scope, expires_at) = (token.scope.as_ref().map(|scopes| scopes.join(" ")).unwrap_or_default(), issue.expires_at.to_string());
    let values = Values {
        access_token,
        token_type: &token.token_type,
        authorization: authorization.expose_secret(),
        expires_at: &expires_at,
        scope: &scope,
        id_token: token.id_token.as_ref().map(SecretString::expose_secret).unwrap_or_default(),
        token_url: &issue.token_url,
        client_id: &issue.client_id,
    };
    match &source.spec.secret.data {
        Some(templates) => templates.iter().map(|(key, text)| Ok((key.clone(), from_template(key, text, &values)?))).collect(),
        None => Ok(default_data(&values, token)),
    }
}

fn from_template(key: &str, text: &str, values: &Values<'_>) -> Result<ByteString, Failure> {
    let rendered = Template::parse(key, text).and_then(|template| template.render(values));
    let rendered = rendered.map_err(|error| Failure::local(Reason::InvalidSpec, format!("spec.secret.data: {error}")))?;
    Ok(ByteString(rendered.expose_secret().as_bytes().to_vec()))
}

fn default_data(values: &Values<'_>, token: &IssuedToken) -> BTreeMap<String, ByteString> {
    let auth_tokens = auth_tokens_json(values);
    let all = [
        ("access_token", Some(values.access_token)),
        ("token_type", Some(values.token_type)),
        ("authorization", Some(values.authorization)),
        ("expires_at", Some(values.expires_at)),
        ("auth_tokens.json", Some(auth_tokens.expose_secret())),
        ("id_token", Some(values.id_token).filter(|id_token| !id_token.is_empty())),
        ("scope", Some(values.scope).filter(|scope| !scope.is_empty())),
        ("issued_token_type", token.issued_token_type.as_deref()),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), ByteString(value?.as_bytes().to_vec())))).collect()
}

/// Under `Retain` there is no owner reference, or garbage collection would take the Secret with the source.
fn owner(source: &TokenSource) -> Option<OwnerReference> {
    match source.spec.secret.deletion_policy {
        DeletionPolicy::Delete => source.controller_owner_ref(&()),
        DeletionPolicy::Retain => None,
    }
}
