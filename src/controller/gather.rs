//! Gathers what a token request is made of: credentials, assertions, CA bundle. What is read is not kept.

use bytes::Bytes;
use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use secrecy::SecretString;

use super::audiences::Audiences;
use super::error::Error;
use super::http::Connection;
use super::identity::identity;
use super::objects::{Data, Objects};
use crate::api::TokenSource;
use crate::api::assertion::AssertionSource;
use crate::api::condition::Reason;
use crate::api::names::{ALLOWED_HOSTS, SOURCE};
use crate::api::request::KeyReference;
use crate::clock;
use crate::oauth::endpoint::TokenEndpoint;
use crate::oauth::request::TokenRequest;
use crate::token_source::assertion::{self, Moment};
use crate::token_source::attempts::Presented;
use crate::token_source::binding::SecretData;
use crate::token_source::credentials::{self, CredentialValues, Proof};
use crate::token_source::digest::{Digest, DigestKey, RequestDigest};
use crate::token_source::failure::Failure;
use crate::token_source::hosts::{Consent, HostPolicy, Way};
use crate::token_source::observed::Credentials;
use crate::token_source::references::{no_secret, no_token_of};
use crate::token_source::refresh;
use crate::token_source::request::{Assertions, Prepared};
use crate::token_source::secret_facts::SecretFacts;

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
    /// The digest of what the grant presents beside the client: whoever proves the client anew has the same grant.
    pub grant_digest: Digest,
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

    /// What a refresh token that comes with the answer is kept for.
    pub fn kept_for(&self, source: &TokenSource) -> RequestDigest {
        refresh::kept_for(source, &self.digest, &self.grant_digest)
    }

    /// The credentials, as the lock-out ledger knows them.
    pub fn presented(&self) -> Presented {
        Presented { whole: self.digest.credentials.clone(), client: self.client_digest.clone() }
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

/// Where the parts of a request come from.
pub struct Gatherer<'a> {
    /// The source.
    pub source: &'a TokenSource,
    /// Where its objects are.
    pub objects: Objects<'a>,
    /// The target Secret of another source of the namespace.
    pub target_of: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// What ServiceAccount tokens may be asked for.
    pub audiences: &'a Audiences,
    /// The key of all digests.
    pub key: &'a DigestKey,
    /// The hosts that credentials may be sent to.
    pub hosts: &'a HostPolicy,
    /// Plain http token URLs are accepted.
    pub allow_http: bool,
}

impl Gatherer<'_> {
    /// Reads what the request needs, and makes it.
    pub async fn gather(&self, prepared: Prepared) -> Result<ReadyRequest, Halt> {
        let spec = &self.source.spec;
        let mut secrets = ReadSecrets::default();
        let values = self.credentials(&mut secrets).await?;
        let endpoint = prepared.endpoint(spec, &values, self.allow_http)?;
        let way = Way::to(&endpoint, spec.request.proxy_url.as_deref());
        self.hosts.judge(&way)?;
        let mut proof = values.proof(spec, self.source.namespace());
        let assertions = self.assertions(&values, &endpoint, &mut proof, &mut secrets).await?;
        self.hosts.judge_consents(&secrets.consents, &way)?;
        let identity = match values.certificate.clone() {
            Some(certificate) => Some(identity(certificate).await?),
            None => None,
        };
        let connection = Connection {
            ca_bundle: self.ca_bundle().await?,
            identity,
            proxy: spec.request.proxy_url.clone(),
            connect_limit: spec.request.connect_limit(),
        };
        let whole = self.key.credentials(&endpoint, &values.client_id, proof.whole());
        let digest = RequestDigest { spec: self.key.spec(spec), credentials: whole };
        let client_digest = self.key.credentials(&endpoint, &values.client_id, &proof.client);
        let grant_digest = self.key.credentials(&endpoint, &values.client_id, &proof.grant);
        let totp_secret = values.user.as_ref().and_then(|user| user.totp_secret.clone());
        let request = prepared.complete(spec, endpoint, values, assertions)?;
        let credentials_version = (!secrets.versions.is_empty()).then(|| secrets.versions.join(";"));
        Ok(ReadyRequest { request, connection, refresh_token: None, totp_secret, credentials_version, digest, client_digest, grant_digest })
    }

    async fn credentials(&self, secrets: &mut ReadSecrets) -> Result<CredentialValues, Halt> {
        let spec = &self.source.spec;
        let Some(credentials) = &spec.credentials else { return Ok(credentials::find(spec, None)?) };
        let name = &credentials.secret_ref.name;
        let data = self.secret(name, secrets).await?.ok_or_else(|| no_secret(name, "spec.credentials.secretRef.name"))?;
        Ok(credentials::find(spec, Some(&SecretData::new(name, &data)))?)
    }

    async fn assertions(
        &self,
        values: &CredentialValues,
        endpoint: &TokenEndpoint,
        proof: &mut Proof,
        secrets: &mut ReadSecrets,
    ) -> Result<Assertions, Halt> {
        let client = self.source.spec.client_authentication.assertion.as_ref().map(|assertion| &assertion.source);
        let grant = self.source.spec.grant.assertion.as_deref();
        let mut reader = AssertionReader { gatherer: self, values, endpoint, secrets };
        Ok(Assertions {
            client: reader.read(client, "spec.clientAuthentication.assertion", &mut proof.client).await?,
            grant: reader.read(grant, "spec.grant.assertion", &mut proof.grant).await?,
        })
    }

    /// What a Secret holds that the request depends on: its version is noted.
    async fn secret(&self, name: &str, secrets: &mut ReadSecrets) -> Result<Option<Data>, Error> {
        let found = self.objects.secret(self.source.namespace(), name).await?;
        Ok(found.map(|secret| {
            secrets.versions.push(SecretFacts::of(&secret.metadata).identity());
            secrets.consents.extend(consent(name, &secret.metadata));
            secret.data.unwrap_or_default()
        }))
    }

    async fn ca_bundle(&self) -> Result<Option<Bytes>, Halt> {
        let Some(bundle) = &self.source.spec.tls.ca_bundle else { return Ok(None) };
        let namespace = self.source.namespace();
        let (what, key, found) = match (&bundle.config_map_ref, &bundle.secret_ref) {
            (Some(KeyReference { name, key }), _) => {
                let found = self.objects.config_map(namespace, name).await?;
                (format!("ConfigMap {name}"), key, found.map(|mut values| values.remove(key)))
            }
            (None, Some(KeyReference { name, key })) => {
                let found = self.objects.secret(namespace, name).await?;
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

/// What is noted of the Secrets that were read.
#[derive(Default)]
struct ReadSecrets {
    versions: Vec<String>,
    consents: Vec<Consent>,
}

/// Where a Secret's owner lets it be sent to. The operator's own target Secrets have no other owner to ask.
fn consent(name: &str, meta: &ObjectMeta) -> Option<Consent> {
    let annotation = |key: &str| meta.annotations.as_ref().and_then(|annotations| annotations.get(key)).cloned();
    let hosts = annotation(ALLOWED_HOSTS);
    (hosts.is_some() || annotation(SOURCE).is_none()).then(|| Consent { secret: name.to_owned(), hosts })
}

/// Reads assertions. What stays the same from one attempt to the next is added to the proof.
struct AssertionReader<'a, 'b> {
    gatherer: &'a Gatherer<'a>,
    values: &'a CredentialValues,
    endpoint: &'a TokenEndpoint,
    secrets: &'b mut ReadSecrets,
}

impl AssertionReader<'_, '_> {
    async fn read(
        &mut self,
        source: Option<&AssertionSource>,
        field: &str,
        proof: &mut Vec<SecretString>,
    ) -> Result<Option<SecretString>, Halt> {
        let Some(source) = source else { return Ok(None) };
        if let Some(signed) = &source.signed_jwt {
            let moment = Moment { now: clock::now(), jwt_id: &super::random::id() };
            return Ok(Some(assertion::sign(signed, field, self.values, self.endpoint, &moment)?));
        }
        if let Some(account) = &source.service_account_ref {
            let Gatherer { source, objects, audiences, .. } = self.gatherer;
            let audience = audiences.judge(account.audience.as_deref(), &self.endpoint.origin())?;
            return Ok(Some(objects.service_account_token(source.namespace(), &account.name, audience).await??));
        }
        let found = match (&source.secret_key_ref, &source.token_source_ref) {
            (Some(reference), _) => self.key(reference, field).await?,
            (None, Some(other)) => self.token_of(&other.name).await?,
            (None, None) => return Err(Failure::local(Reason::InvalidSpec, format!("{field} names no source")).into()),
        };
        proof.push(found.clone());
        Ok(Some(found))
    }

    async fn key(&mut self, reference: &KeyReference, field: &str) -> Result<SecretString, Halt> {
        let KeyReference { name, key } = reference;
        let data = self.gatherer.secret(name, self.secrets).await?;
        let mut data = data.ok_or_else(|| no_secret(name, &format!("{field}.secretKeyRef.name")))?;
        let text = take_text(&mut data, key).map(|text| text.trim().to_owned());
        let missing =
            || Failure::local(Reason::CredentialsIncomplete, format!("key {key} of Secret {name} ({field}) is missing, empty or no text"));
        Ok(text.filter(|text| !text.is_empty()).map(SecretString::from).ok_or_else(missing)?)
    }

    async fn token_of(&mut self, name: &str) -> Result<SecretString, Halt> {
        let data = match (self.gatherer.target_of)(name) {
            Some(target) => self.gatherer.secret(&target, self.secrets).await?,
            None => None,
        };
        let token = data.and_then(|mut data| take_text(&mut data, "access_token"));
        Ok(token.map(SecretString::from).ok_or_else(|| no_token_of(name))?)
    }
}

/// The text under a key; none where there is none, or where it is no UTF-8.
pub fn take_text(data: &mut Data, key: &str) -> Option<String> {
    data.remove(key).and_then(|ByteString(bytes)| String::from_utf8(bytes).ok())
}
