//! Reads the objects that a request is made of, in one namespace: from the API server, or from manifests.

use std::collections::BTreeMap;

use bytes::Bytes;
use k8s_openapi::ByteString;
use k8s_openapi::api::authentication::v1::{TokenRequest as ServiceAccountTokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use secrecy::SecretString;

use super::error::Error;
use crate::api::condition::Reason;
use crate::token_source::failure::Failure;
use crate::token_source::manifests::Manifests;

/// What a Secret holds.
pub type Data = BTreeMap<String, ByteString>;

/// How long a ServiceAccount's token lives, in seconds: the least that the API server gives.
const SERVICE_ACCOUNT_TOKEN_LIFE: i64 = 600;

/// Where the objects are.
pub enum Objects<'a> {
    /// At the API server.
    Cluster(&'a Client),
    /// In manifests.
    Manifests(&'a Manifests),
}

impl Objects<'_> {
    /// A Secret.
    pub async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
        match self {
            Self::Cluster(client) => {
                let secrets: Api<Secret> = Api::namespaced((*client).clone(), namespace);
                secrets.get_opt(name).await.map_err(Error::read(format!("Secret {name}")))
            }
            Self::Manifests(manifests) => Ok(manifests.secret(namespace, name).cloned()),
        }
    }

    /// The values of a `ConfigMap`.
    pub async fn config_map(&self, namespace: &str, name: &str) -> Result<Option<BTreeMap<String, Bytes>>, Error> {
        let found = match self {
            Self::Cluster(client) => {
                let config_maps: Api<ConfigMap> = Api::namespaced((*client).clone(), namespace);
                config_maps.get_opt(name).await.map_err(Error::read(format!("ConfigMap {name}")))?
            }
            Self::Manifests(manifests) => manifests.config_map(namespace, name).cloned(),
        };
        let values = |found: ConfigMap| found.data.unwrap_or_default().into_iter().map(|(key, value)| (key, Bytes::from(value))).collect();
        Ok(found.map(values))
    }

    /// A short-lived token of a ServiceAccount (`TokenRequest` API).
    pub async fn service_account_token(
        &self,
        namespace: &str,
        name: &str,
        audience: String,
    ) -> Result<Result<SecretString, Failure>, Error> {
        let Self::Cluster(client) = self else { return Ok(Err(refused_token(name, "only an API server gives one"))) };
        let accounts: Api<ServiceAccount> = Api::namespaced((*client).clone(), namespace);
        let spec = TokenRequestSpec {
            audiences: vec![audience],
            expiration_seconds: Some(SERVICE_ACCOUNT_TOKEN_LIFE),
            ..TokenRequestSpec::default()
        };
        let request = ServiceAccountTokenRequest { spec, ..ServiceAccountTokenRequest::default() };
        Ok(match accounts.create_token_request(name, &PostParams::default(), &request).await {
            Ok(ServiceAccountTokenRequest { status: Some(status), .. }) => Ok(status.token.into()),
            Ok(_) => Err(refused_token(name, "an answer without a token")),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(refused_token(name, "there is no such ServiceAccount")),
            Err(kube::Error::Api(status)) if (400..500).contains(&status.code) => {
                Err(refused_token(name, &format!("{} {}", status.code, status.reason)))
            }
            Err(error) => return Err(Error::read(format!("a token of ServiceAccount {name}"))(error)),
        })
    }
}

fn refused_token(account: &str, why: &str) -> Failure {
    Failure::local_polled(Reason::AssertionSourceNotReady, format!("no token of ServiceAccount {account} (serviceAccountRef): {why}"))
}
