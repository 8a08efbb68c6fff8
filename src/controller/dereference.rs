//! Follows a source's references. Metadata comes from the watches and costs no request; the bytes of credentials
//! are read for a token request and not kept.

use bytes::Bytes;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::core::ObjectMeta;
use kube::runtime::reflector::ObjectRef;

use super::context::Context;
use super::error::Error;
use super::http::Connection;
use crate::api::TokenSource;
use crate::api::condition::Reason;
use crate::oauth::request::TokenRequest;
use crate::token_source::credentials::{self, SecretData};
use crate::token_source::digest::{Digest, RequestDigest};
use crate::token_source::failure::Failure;
use crate::token_source::observed::{Credentials, Observed};
use crate::token_source::request::prepare;
use crate::token_source::target::{Held, Target};

/// What the watches know of a source's world. Costs no request, but where a credentials Secret seems to be missing
/// and nobody was told yet: applied together with its source, it can be there before its watch says so.
pub async fn observe<'a>(source: &'a TokenSource, context: &Context) -> Result<Observed<'a>, Error> {
    let shared = &context.shared;
    let target_meta = secret_meta(context, source, source.target_name());
    let mut observed = Observed {
        source,
        prepared: prepare(&source.spec, shared.policy.allow_http),
        spec_digest: shared.key.spec(&source.spec),
        credentials: Credentials::NotReferenced { digest: None },
        target: Target::read(target_meta.as_ref(), source),
        policy: shared.policy,
    };
    observed.credentials = match source.spec.credentials.as_ref().map(|credentials| &credentials.secret_ref.name) {
        None => Credentials::NotReferenced { digest: digest_without_secret(&observed, context) },
        Some(name) => match secret_meta(context, source, name) {
            None => match find_secret(context, source, name).await? {
                None => Credentials::NotFound { name: name.clone() },
                Some(meta) => present(&observed, context, &meta),
            },
            Some(meta) => present(&observed, context, &meta),
        },
    };
    Ok(observed)
}

fn present(observed: &Observed<'_>, context: &Context, meta: &ObjectMeta) -> Credentials {
    let version = version(meta);
    let digest = context.read_credentials.recall(observed.seed(), &version, &observed.spec_digest);
    Credentials::Present { digest: digest.or_else(|| digest_of_held(observed, &version)), version }
}

/// Asks the API server for a credentials Secret that the watch does not know, unless it did before.
async fn find_secret(context: &Context, source: &TokenSource, name: &str) -> Result<Option<ObjectMeta>, Error> {
    let told = source.status.as_ref().and_then(|status| status.last_failure.as_ref());
    if told.is_some_and(|failure| failure.reason == Reason::CredentialsNotFound.to_string()) {
        return Ok(None);
    }
    let secrets: Api<Secret> = Api::namespaced(context.shared.client.clone(), source.metadata.namespace.as_deref().unwrap_or_default());
    let found = secrets.get_metadata_opt(name).await.map_err(Error::read(format!("Secret {name}")))?;
    Ok(found.map(|secret| secret.metadata))
}

/// A token request with what it depends on beside its own bytes.
pub struct ReadyRequest {
    /// The request.
    pub request: TokenRequest,
    /// How to connect.
    pub connection: Connection,
    /// The version of the credentials Secret that was read.
    pub credentials_version: Option<String>,
    /// What the request is made of.
    pub digest: RequestDigest,
}

impl ReadyRequest {
    /// The credentials that were read, as an observation.
    pub fn credentials(&self) -> Credentials {
        let digest = Some(self.digest.credentials.clone());
        match &self.credentials_version {
            Some(version) => Credentials::Present { version: version.clone(), digest },
            None => Credentials::NotReferenced { digest },
        }
    }
}

/// Reads what the request needs: at most the credentials Secret and the CA bundle.
pub async fn read_request(observed: &Observed<'_>, context: &Context) -> Result<Result<ReadyRequest, Failure>, Error> {
    let source = observed.source;
    let (values, credentials_version) = match source.spec.credentials.as_ref() {
        None => (credentials::find(&source.spec, None), None),
        Some(credentials) => {
            let name = &credentials.secret_ref.name;
            let Some(secret) = read_secret(context, source, name).await? else {
                return Ok(Err(Failure::local(
                    Reason::CredentialsNotFound,
                    format!("there is no Secret {name} (spec.credentials.secretRef.name)"),
                )));
            };
            let data = secret.data.unwrap_or_default();
            (credentials::find(&source.spec, Some(SecretData { name, data: &data })), Some(version(&secret.metadata)))
        }
    };
    let ca_bundle = match read_ca_bundle(context, source).await? {
        Ok(ca_bundle) => ca_bundle,
        Err(failure) => return Ok(Err(failure)),
    };
    Ok(observed.prepared.clone().and_then(|prepared| {
        let request = prepared.complete(values?);
        let digest = RequestDigest { spec: observed.spec_digest.clone(), credentials: context.shared.key.credentials(&request) };
        if let Some(version) = &credentials_version {
            context.read_credentials.keep(observed.seed(), version, digest.clone());
        }
        let connection = Connection { ca_bundle, connect_limit: source.spec.request.connect_limit() };
        Ok(ReadyRequest { request, connection, credentials_version, digest })
    }))
}

fn digest_without_secret(observed: &Observed<'_>, context: &Context) -> Option<Digest> {
    let request = observed.prepared.clone().ok()?.complete(credentials::find(&observed.source.spec, None).ok()?);
    Some(context.shared.key.credentials(&request))
}

/// The digest that the target Secret remembers for a version of the credentials Secret.
fn digest_of_held(observed: &Observed<'_>, version: &str) -> Option<Digest> {
    let Held { digest, credentials_version, .. } = observed.target.held()?;
    let digest = digest.as_ref().filter(|digest| digest.spec == observed.spec_digest)?;
    (credentials_version.as_deref() == Some(version)).then(|| digest.credentials.clone())
}

fn secret_meta(context: &Context, source: &TokenSource, name: &str) -> Option<ObjectMeta> {
    let reference = ObjectRef::new(name).within(source.metadata.namespace.as_deref().unwrap_or_default());
    let written = context.recent_secrets.newest(&reference).map(|secret| secret.metadata);
    written.or_else(|| context.secrets.get(&reference).map(|secret| secret.metadata.clone()))
}

/// UID and resource version: the same version is the same content.
fn version(meta: &ObjectMeta) -> String {
    format!("{}/{}", meta.uid.as_deref().unwrap_or_default(), meta.resource_version.as_deref().unwrap_or_default())
}

async fn read_secret(context: &Context, source: &TokenSource, name: &str) -> Result<Option<Secret>, Error> {
    let namespace = source.metadata.namespace.as_deref().unwrap_or_default();
    let secrets: Api<Secret> = Api::namespaced(context.shared.client.clone(), namespace);
    secrets.get_opt(name).await.map_err(Error::read(format!("Secret {name}")))
}

async fn read_ca_bundle(context: &Context, source: &TokenSource) -> Result<Result<Option<Bytes>, Failure>, Error> {
    let Some(bundle) = &source.spec.tls.ca_bundle else { return Ok(Ok(None)) };
    let (what, key, found) = match (&bundle.config_map_ref, &bundle.secret_ref) {
        (Some(reference), _) => {
            let namespace = source.metadata.namespace.as_deref().unwrap_or_default();
            let config_maps: Api<ConfigMap> = Api::namespaced(context.shared.client.clone(), namespace);
            let what = format!("ConfigMap {}", reference.name);
            let found = config_maps.get_opt(&reference.name).await.map_err(Error::read(what.clone()))?;
            let data = found.map(|found| found.data.unwrap_or_default().remove(&reference.key).map(Bytes::from));
            (what, &reference.key, data)
        }
        (None, Some(reference)) => {
            let found = read_secret(context, source, &reference.name).await?;
            let data = found.map(|found| found.data.unwrap_or_default().remove(&reference.key).map(|ByteString(bytes)| Bytes::from(bytes)));
            (format!("Secret {}", reference.name), &reference.key, data)
        }
        (None, None) => return Ok(Ok(None)),
    };
    Ok(match found {
        Some(Some(bytes)) => Ok(Some(bytes)),
        Some(None) => Err(Failure::local_polled(Reason::CredentialsIncomplete, format!("{what} has no key {key} (spec.tls.caBundle)"))),
        None => Err(Failure::local_polled(Reason::CredentialsNotFound, format!("there is no {what} (spec.tls.caBundle)"))),
    })
}
