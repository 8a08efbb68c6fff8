//! Reads what a token request is made of: credentials, assertions, CA bundle. What is read is not kept.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use k8s_openapi::ByteString;
use k8s_openapi::api::authentication::v1::{TokenRequest as ServiceAccountTokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::Api;
use kube::api::PostParams;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::context::Context;
use super::dereference::{secret_meta, version};
use super::error::Error;
use super::http::{Connection, Identity};
use crate::api::TokenSource;
use crate::api::assertion::{AssertionSource, ServiceAccountReference};
use crate::api::condition::Reason;
use crate::api::request::KeyReference;
use crate::clock;
use crate::oauth::certificate::ClientCertificate;
use crate::oauth::endpoint::TokenEndpoint;
use crate::oauth::request::TokenRequest;
use crate::token_source::assertion::{self, Moment};
use crate::token_source::binding::SecretData;
use crate::token_source::credentials::{self, Certificate, CredentialValues};
use crate::token_source::digest::{Digest, RequestDigest};
use crate::token_source::failure::Failure;
use crate::token_source::observed::{Credentials, Observed};
use crate::token_source::references::{no_secret, no_token_of};
use crate::token_source::refresh;
use crate::token_source::request::Assertions;

/// A token request with what it depends on beside its own bytes.
pub struct ReadyRequest {
    /// The request.
    pub request: TokenRequest,
    /// How to connect.
    pub connection: Connection,
    /// A refresh token that was issued for the same request.
    pub refresh_token: Option<SecretString>,
    /// The secret of one-time codes, where the user has a second factor.
    pub totp_secret: Option<SecretString>,
    /// The versions of the Secrets that were read.
    pub credentials_version: Option<String>,
    /// What the request is made of.
    pub digest: RequestDigest,
    /// The digest of the client's credentials alone.
    pub client_digest: Digest,
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

/// Why there is no request: a failure to be told, or one between us and the API server.
pub enum Halt {
    /// To be told.
    Failure(Failure),
    /// To be tried again.
    Error(Error),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Reads what the request needs.
pub async fn read_request(observed: &Observed<'_>, context: &Context) -> Result<ReadyRequest, Halt> {
    let spec = &observed.source.spec;
    let prepared = observed.prepared.clone()?;
    let mut reader = Reader { context, source: observed.source, versions: Vec::new() };
    let values = reader.credentials().await?;
    let endpoint = prepared.endpoint(spec, &values, observed.policy.allow_http)?;
    let mut proofs = values.proofs(spec);
    let assertions = reader.assertions(&values, &endpoint, &mut proofs).await?;
    let identity = match values.certificate.clone() {
        Some(certificate) => Some(identity(certificate).await?),
        None => None,
    };
    let connection = Connection {
        ca_bundle: reader.ca_bundle().await?,
        identity,
        proxy: spec.request.proxy_url.clone(),
        connect_limit: spec.request.connect_limit(),
    };
    let digest = RequestDigest {
        spec: observed.spec_digest.clone(),
        credentials: context.shared.key.credentials(&endpoint, &values.client_id, &proofs),
    };
    let client_digest = context.shared.key.credentials(&endpoint, &values.client_id, &values.client_proofs());
    let credentials_version = (!reader.versions.is_empty()).then(|| reader.versions.join(";"));
    if let Some(version) = &credentials_version {
        context.read_credentials.keep(observed.seed(), version, digest.clone());
    }
    let totp_secret = values.user.as_ref().and_then(|user| user.totp_secret.clone());
    let refresh_token = reader.refresh_token(&digest).await?;
    let request = prepared.complete(spec, endpoint, values, assertions)?;
    Ok(ReadyRequest { request, connection, refresh_token, totp_secret, credentials_version, digest, client_digest })
}

/// What a Secret holds.
type Data = BTreeMap<String, ByteString>;

/// Reads objects of the source's namespace, and notes the versions of the Secrets.
struct Reader<'a> {
    context: &'a Context,
    source: &'a TokenSource,
    versions: Vec<String>,
}

impl Reader<'_> {
    /// A Secret that the request depends on: its version is noted.
    async fn secret(&mut self, name: &str) -> Result<Option<Data>, Error> {
        let found = self.unnoted_secret(name).await?;
        Ok(found.map(|secret| {
            self.versions.push(version(&secret.metadata));
            secret.data.unwrap_or_default()
        }))
    }

    async fn unnoted_secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.context.shared.client.clone(), self.source.namespace());
        secrets.get_opt(name).await.map_err(Error::read(format!("Secret {name}")))
    }

    async fn credentials(&mut self) -> Result<CredentialValues, Halt> {
        let spec = &self.source.spec;
        let Some(credentials) = &spec.credentials else { return Ok(credentials::find(spec, None)?) };
        let name = &credentials.secret_ref.name;
        let data = self.secret(name).await?.ok_or_else(|| no_secret(name, "spec.credentials.secretRef.name"))?;
        Ok(credentials::find(spec, Some(&SecretData::new(name, &data)))?)
    }

    async fn assertions(
        &mut self,
        values: &CredentialValues,
        endpoint: &TokenEndpoint,
        proofs: &mut Vec<SecretString>,
    ) -> Result<Assertions, Halt> {
        let client = self.source.spec.client_authentication.assertion.as_ref().map(|assertion| &assertion.source);
        let grant = self.source.spec.grant.assertion.as_ref();
        Ok(Assertions {
            client: self.assertion(client, "spec.clientAuthentication.assertion", values, endpoint, proofs).await?,
            grant: self.assertion(grant, "spec.grant.assertion", values, endpoint, proofs).await?,
        })
    }

    /// An assertion from its source. What stays the same from one attempt to the next is added to the proofs.
    async fn assertion(
        &mut self,
        source: Option<&AssertionSource>,
        field: &str,
        values: &CredentialValues,
        endpoint: &TokenEndpoint,
        proofs: &mut Vec<SecretString>,
    ) -> Result<Option<SecretString>, Halt> {
        let Some(source) = source else { return Ok(None) };
        if let Some(signed) = &source.signed_jwt {
            let moment = Moment { now: clock::now(), jwt_id: &super::random::id() };
            return Ok(Some(assertion::sign(signed, field, values, endpoint, &moment)?));
        }
        if let Some(account) = &source.service_account_ref {
            return Ok(Some(self.service_account_token(account, endpoint).await?));
        }
        let found = match (&source.secret_key_ref, &source.token_source_ref) {
            (Some(reference), _) => self.key(reference, field).await?,
            (None, Some(other)) => self.token_of(&other.name).await?,
            (None, None) => return Err(Failure::local(Reason::InvalidSpec, format!("{field} names no source")).into()),
        };
        proofs.push(found.clone());
        Ok(Some(found))
    }

    async fn key(&mut self, reference: &KeyReference, field: &str) -> Result<SecretString, Halt> {
        let KeyReference { name, key } = reference;
        let mut data = self.secret(name).await?.ok_or_else(|| no_secret(name, &format!("{field}.secretKeyRef.name")))?;
        let text = take_text(&mut data, key).map(|text| text.trim().to_owned());
        let missing =
            || Failure::local(Reason::CredentialsIncomplete, format!("key {key} of Secret {name} ({field}) is missing, empty or no text"));
        Ok(text.filter(|text| !text.is_empty()).map(SecretString::from).ok_or_else(missing)?)
    }

    async fn token_of(&mut self, name: &str) -> Result<SecretString, Halt> {
        let target = self.context.source(self.source.namespace(), name).map(|other| other.target_name().to_owned());
        let data = match target {
            Some(target) => self.secret(&target).await?,
            None => None,
        };
        let token = data.and_then(|mut data| take_text(&mut data, "access_token"));
        Ok(token.map(SecretString::from).ok_or_else(|| no_token_of(name))?)
    }

    async fn service_account_token(&self, account: &ServiceAccountReference, endpoint: &TokenEndpoint) -> Result<SecretString, Halt> {
        let name = &account.name;
        let audience = self.context.shared.audiences.judge(account.audience.as_deref(), &endpoint.origin())?;
        let accounts: Api<ServiceAccount> = Api::namespaced(self.context.shared.client.clone(), self.source.namespace());
        let spec = TokenRequestSpec { audiences: vec![audience], expiration_seconds: Some(600), ..TokenRequestSpec::default() };
        let request = ServiceAccountTokenRequest { spec, ..ServiceAccountTokenRequest::default() };
        match accounts.create_token_request(name, &PostParams::default(), &request).await {
            Ok(ServiceAccountTokenRequest { status: Some(status), .. }) => Ok(status.token.into()),
            Ok(_) => Err(refused_token(name, "an answer without a token").into()),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(refused_token(name, "there is no such ServiceAccount").into()),
            Err(kube::Error::Api(status)) if (400..500).contains(&status.code) => {
                Err(refused_token(name, &format!("{} {}", status.code, status.reason)).into())
            }
            Err(error) => Err(Error::read(format!("a token of ServiceAccount {name}"))(error).into()),
        }
    }

    /// The refresh token that an earlier answer to the same request brought. Read only where its Secret's metadata says so.
    async fn refresh_token(&self, digest: &RequestDigest) -> Result<Option<SecretString>, Error> {
        let name = refresh::secret_name(self.source);
        let kept = secret_meta(self.context, self.source, &name).is_some_and(|meta| refresh::is_kept(&meta, self.source, digest));
        if !kept || !refresh::is_used(self.source) {
            return Ok(None);
        }
        let data = self.unnoted_secret(&name).await?.and_then(|secret| secret.data);
        let token = data.and_then(|mut data| take_text(&mut data, refresh::DATA_KEY));
        Ok(token.filter(|token| !token.is_empty()).map(Into::into))
    }

    async fn ca_bundle(&mut self) -> Result<Option<Bytes>, Halt> {
        let Some(bundle) = &self.source.spec.tls.ca_bundle else { return Ok(None) };
        let (what, key, found) = match (&bundle.config_map_ref, &bundle.secret_ref) {
            (Some(KeyReference { name, key }), _) => {
                let config_maps: Api<ConfigMap> = Api::namespaced(self.context.shared.client.clone(), self.source.namespace());
                let what = format!("ConfigMap {name}");
                let found = config_maps.get_opt(name).await.map_err(Error::read(what.clone()))?;
                (what, key, found.map(|found| found.data.unwrap_or_default().remove(key).map(Bytes::from)))
            }
            (None, Some(KeyReference { name, key })) => {
                let found = self.unnoted_secret(name).await?;
                let value = found.map(|found| found.data.unwrap_or_default().remove(key).map(|ByteString(bytes)| Bytes::from(bytes)));
                (format!("Secret {name}"), key, value)
            }
            (None, None) => return Ok(None),
        };
        match found {
            Some(Some(bytes)) => Ok(Some(bytes)),
            Some(None) => {
                Err(Failure::local_polled(Reason::CredentialsIncomplete, format!("{what} has no key {key} (spec.tls.caBundle)")).into())
            }
            None => Err(Failure::local_polled(Reason::CredentialsNotFound, format!("there is no {what} (spec.tls.caBundle)")).into()),
        }
    }
}

/// The text under a key; none where there is none, or where it is no UTF-8.
fn take_text(data: &mut Data, key: &str) -> Option<String> {
    data.remove(key).and_then(|ByteString(bytes)| String::from_utf8(bytes).ok())
}

fn refused_token(account: &str, why: &str) -> Failure {
    Failure::local_polled(Reason::AssertionSourceNotReady, format!("no token of ServiceAccount {account} (serviceAccountRef): {why}"))
}

/// One key store is opened at a time: its author decides how much work that takes.
static KEY_STORES: Semaphore = Semaphore::const_new(1);

/// The client certificate, checked before any request: an expired one is a refusal that needs no server.
async fn identity(certificate: Certificate) -> Result<Identity, Failure> {
    let read = match certificate {
        Certificate::Pem { certificate, key } => ClientCertificate::from_pem(certificate.expose_secret(), &key),
        Certificate::KeyStore { base64, password } => {
            let _turn = KEY_STORES.acquire().await;
            let open =
                move || ClientCertificate::from_pkcs12(&BASE64_STANDARD.decode(base64.expose_secret()).unwrap_or_default(), &password);
            spawn_blocking(open).await.map_err(|_| Failure::bad_certificate("the key store could not be opened"))?
        }
    };
    let usable = read.and_then(|certificate| certificate.check(clock::now()).map(|()| certificate));
    usable.map(|certificate| Identity::new(certificate.to_pem())).map_err(|error| Failure::bad_certificate(&error.to_string()))
}
