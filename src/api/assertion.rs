//! Assertion sources: where an assertion comes from.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Span;
use super::request::KeyReference;

/// Where an assertion comes from: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.secretKeyRef), has(self.tokenSourceRef), has(self.serviceAccountRef), has(self.signedJWT)].filter(set, set).size() == 1").message("an assertion needs exactly one of secretKeyRef, tokenSourceRef, serviceAccountRef and signedJWT"))]
pub struct AssertionSource {
    /// A key of a Secret of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<KeyReference>,
    /// The token of another TokenSource of this namespace, read again whenever it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_source_ref: Option<TokenSourceReference>,
    /// A short-lived token of a ServiceAccount of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountReference>,
    /// A JWT that the operator signs with the private key in the credentials Secret; iss and sub are the client id.
    #[serde(rename = "signedJWT", skip_serializing_if = "Option::is_none")]
    pub signed_jwt: Option<SignedJwt>,
}

/// A client assertion: where it comes from, and its type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientAssertion {
    /// JWTBearer (RFC 7523 section 2.2) or SAML2Bearer (RFC 7522 section 2.2).
    #[serde(rename = "type", default)]
    pub assertion_type: AssertionType,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: AssertionSource,
}

/// The type of a client assertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum AssertionType {
    /// urn:ietf:params:oauth:client-assertion-type:jwt-bearer.
    #[default]
    #[serde(rename = "JWTBearer")]
    JwtBearer,
    /// urn:ietf:params:oauth:client-assertion-type:saml2-bearer.
    #[serde(rename = "SAML2Bearer")]
    Saml2Bearer,
}

/// A TokenSource of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
pub struct TokenSourceReference {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A ServiceAccount of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
pub struct ServiceAccountReference {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The audience of its token. Only what the operator's administrator allows (--trusted-assertion-audience). Default: the token endpoint's origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub audience: Option<String>,
}

/// A JWT that the operator signs for each request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedJwt {
    /// The signature algorithm (RFC 7518 section 3.1, RFC 8037).
    #[serde(default)]
    pub algorithm: SignatureAlgorithm,
    /// The key's id, sent as kid.
    #[serde(rename = "keyID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub key_id: Option<String>,
    /// The audience, one string. Default: the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub audience: Option<String>,
    /// How long it is valid. Default: 1m.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s') && duration(self) <= duration('1h')").message("signedJWT.lifetime must be 10s to 1h"))]
    pub lifetime: Option<Span>,
    /// Further claims, text each. None may replace iss, sub, aud, iat, nbf, exp or jti, but for sub in a grant's assertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new("self.all(key, !(key in ['iss', 'aud', 'iat', 'nbf', 'exp', 'jti']))").message("signedJWT.claims must not set iss, aud, iat, nbf, exp or jti"))]
    pub claims: Option<BTreeMap<String, String>>,
}

/// A signature algorithm, by its JOSE name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[default]
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}
