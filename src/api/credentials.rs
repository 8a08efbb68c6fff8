//! `spec.credentials`: where the credentials are.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where the credentials are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The Secret, in the TokenSource's own namespace.
    pub secret_ref: SecretReference,

    /// Which key of the Secret holds what. Unset: found by the usual names, such as client_id, clientId or clientid.
    #[serde(default)]
    pub keys: CredentialKeys,
}

/// A Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
pub struct SecretReference {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Which key of the credentials Secret holds what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialKeys {
    /// The key of the client id. Unset: client_id, clientId, clientid, clientID or client-id.
    #[serde(rename = "clientID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub client_id: Option<String>,
    /// The key of the client secret. Unset: client_secret, clientSecret, clientsecret or client-secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub client_secret: Option<String>,
    /// The key of the user name (Password grant). Unset: username, userName, user or user_name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub username: Option<String>,
    /// The key of the user's password (Password grant). Unset: password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub password: Option<String>,
    /// The key of the secret of one-time codes, Base32 or otpauth URI (RFC 6238): the code is appended to the password. Unset: totpSecret or totp_secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub totp_secret: Option<String>,
    /// The key of the client certificate with its chain, PEM (MutualTLS). Unset: tls.crt or certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub certificate: Option<String>,
    /// The key of the private key, PEM (MutualTLS, signedJWT). Unset: tls.key, key, privateKey or private_key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub private_key: Option<String>,
    /// The key of a PKCS#12 key store with certificate and private key (MutualTLS), instead of both. Unset: keystore, keystore.p12 or keystore.pfx.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub keystore: Option<String>,
    /// The key of the key store's password. Unset: keystorePassword or keystore_password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub keystore_password: Option<String>,
    /// The key of the first refresh token (RefreshToken grant). Unset: refresh_token or refreshToken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub refresh_token: Option<String>,
    /// The key of the token service's own Basic user, beside the client in the body or instead of it in the header. Unset: basicUsername.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub basic_username: Option<String>,
    /// The key of that user's password. Unset: basicPassword.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub basic_password: Option<String>,
    /// The key of the token URL, where spec.tokenURL is not set. Unset: token_url, tokenURL or token_endpoint, else derived from a service binding's url or certurl.
    #[serde(rename = "tokenURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub token_url: Option<String>,
}
