//! The key of all digests: 32 random bytes in a Secret of the operator's own namespace, made at the first start.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use ring::rand::{SecureRandom as _, SystemRandom};
use thiserror::Error;

use super::apply::{create_secret, own_secret};
use super::error::Error as ApiError;
use crate::token_source::digest::DigestKey;

/// The Secret's name.
const NAME: &str = "tokensource-digest-key";
const DATA_KEY: &str = "key";
const LENGTH: usize = 32;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The API server would not let us.
    #[error("the operator needs to get and create Secret {NAME} in its own namespace {namespace}")]
    Api {
        /// The operator's namespace.
        namespace: String,
        /// What failed.
        #[source]
        source: ApiError,
    },
    /// The Secret is there and holds something else.
    #[error(
        "Secret {NAME} in namespace {namespace} has no key {DATA_KEY} of {LENGTH} bytes: delete it, a new one is made at the next start"
    )]
    Unusable {
        /// The operator's namespace.
        namespace: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

/// Reads the key, or makes one.
pub async fn load_or_create(client: &Client) -> Result<DigestKey, KeyError> {
    let namespace = client.default_namespace().to_owned();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
    let failed = |source| KeyError::Api { namespace: namespace.clone(), source };
    let read = || async { secrets.get_opt(NAME).await.map_err(|error| failed(ApiError::read(format!("Secret {NAME}"))(error))) };
    if let Some(secret) = read().await? {
        return key_in(&secret).ok_or(KeyError::Unusable { namespace: namespace.clone() });
    }
    let secret = new_secret()?;
    if create_secret(&secrets, &secret).await.map_err(failed)? {
        tracing::info!(namespace, secret = NAME, "made the key of the request digests");
    }
    // Another replica may have been faster: what the API server has is the key.
    let stored = read().await?.unwrap_or_default();
    key_in(&stored).ok_or(KeyError::Unusable { namespace: namespace.clone() })
}

fn key_in(secret: &Secret) -> Option<DigestKey> {
    let ByteString(bytes) = secret.data.as_ref()?.get(DATA_KEY)?;
    (bytes.len() == LENGTH).then(|| DigestKey::new(bytes))
}

fn new_secret() -> Result<Secret, KeyError> {
    let mut bytes = vec![0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(own_secret(NAME, DATA_KEY, &bytes))
}
