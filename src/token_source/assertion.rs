//! Makes the assertions that the operator signs itself.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::credentials::CredentialValues;
use super::failure::Failure;
use crate::api::assertion::{SignatureAlgorithm, SignedJwt};
use crate::api::condition::Reason;
use crate::oauth::assertion::{self, Algorithm, Claims, SigningKey};
use crate::oauth::endpoint::TokenEndpoint;

const LIFETIME: Duration = Duration::from_secs(60);

/// What makes each assertion another one.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// When it is issued.
    pub now: Timestamp,
    /// A fresh `jti`: servers refuse one that they have seen (RFC 7523 §3).
    pub jwt_id: &'a str,
}

/// Signs a JWT: `iss` is the client, `sub` too unless a claim says otherwise, `aud` the token endpoint.
pub fn sign(
    spec: &SignedJwt,
    field: &str,
    values: &CredentialValues,
    endpoint: &TokenEndpoint,
    moment: &Moment<'_>,
) -> Result<SecretString, Failure> {
    let invalid = |problem: String| Failure::local(Reason::InvalidSpec, format!("{field}.signedJWT: {problem}"));
    let pem = values.signing_key.as_ref().ok_or_else(|| invalid("no private key".to_owned()))?;
    let key = SigningKey::from_pem(pem)
        .map_err(|error| Failure::local(Reason::CredentialsIncomplete, format!("the private key in the credentials Secret: {error}")))?;
    let mut extra: Map<String, Value> =
        spec.claims.iter().flatten().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let subject = extra.remove("sub").and_then(|subject| subject.as_str().map(ToOwned::to_owned));
    let claims = Claims {
        issuer: &values.client_id,
        subject: subject.as_deref().unwrap_or(&values.client_id),
        audience: spec.audience.as_deref().unwrap_or(endpoint.url().as_str()),
        issued_at: moment.now,
        lifetime: spec.lifetime.map_or(LIFETIME, |span| span.0),
        jwt_id: moment.jwt_id,
        extra: &extra,
    };
    assertion::sign(&key, algorithm(spec.algorithm), spec.key_id.as_deref(), &claims).map_err(|error| invalid(error.to_string()))
}

fn algorithm(algorithm: SignatureAlgorithm) -> Algorithm {
    match algorithm {
        SignatureAlgorithm::RS256 => Algorithm::RS256,
        SignatureAlgorithm::RS384 => Algorithm::RS384,
        SignatureAlgorithm::RS512 => Algorithm::RS512,
        SignatureAlgorithm::PS256 => Algorithm::PS256,
        SignatureAlgorithm::PS384 => Algorithm::PS384,
        SignatureAlgorithm::PS512 => Algorithm::PS512,
        SignatureAlgorithm::ES256 => Algorithm::ES256,
        SignatureAlgorithm::ES384 => Algorithm::ES384,
        SignatureAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}
