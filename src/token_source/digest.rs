//! Keyed hashes: what a token was asked with, without a secret that could be guessed from it.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

use crate::api::v1alpha1::TokenSourceSpec;
use crate::oauth::endpoint::TokenEndpoint;

/// A keyed hash, told as 32 hexadecimal digits. Equal digests: equal input, under the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; BYTES]);

const BYTES: usize = 16;

impl Digest {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What a token was asked with: the request's spec and the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestDigest {
    /// Of all in the spec that a token request or the Secret's shape depends on.
    pub spec: Digest,
    /// Of endpoint, client, user and secrets.
    pub credentials: Digest,
}

impl fmt::Display for RequestDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.spec, self.credentials)
    }
}

impl FromStr for RequestDigest {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (spec, credentials) = text.split_once('.').ok_or(())?;
        Ok(Self { spec: Digest::parse(spec).ok_or(())?, credentials: Digest::parse(credentials).ok_or(())? })
    }
}

/// The key that makes the hashes useless to those who can read a status but not the operator's own Secret.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// A key of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The digest of all in the spec that a token request or the Secret's shape depends on. Changes of `refresh`,
    /// `suspend` and the time-outs leave it as it is.
    pub fn spec(&self, spec: &TokenSourceSpec) -> Digest {
        let request = &spec.request;
        let parts = serde_json::json!({
            "url": [&spec.token_url, &spec.tenant],
            "urlType": spec.token_url_type,
            "grant": spec.grant,
            "credentials": spec.credentials,
            "client": [&spec.client_id],
            "authentication": spec.client_authentication,
            "scopes": spec.scopes,
            "tokenFormat": spec.token_format,
            "periods": [spec.refresh_expiry_seconds, spec.max_exchange_period_hours],
            "extra": [&request.headers, &request.query, &request.body],
            "proxy": request.proxy_url,
            "tls": spec.tls,
            "secret": spec.secret,
        });
        self.over([parts.to_string().as_bytes()])
    }

    /// The digest of credentials: endpoint, client, and all that proves client and user. What the lock-out ledger counts
    /// by. `proof` is what stays the same from one attempt to the next: secrets and keys, not what is made of them.
    pub fn credentials<'a>(
        &self,
        endpoint: &'a TokenEndpoint,
        client_id: &'a str,
        proof: impl IntoIterator<Item = &'a SecretString>,
    ) -> Digest {
        let proof = proof.into_iter().map(SecretString::expose_secret);
        self.over([endpoint.url().as_str(), client_id].into_iter().chain(proof).map(str::as_bytes))
    }

    /// Hashes the parts, each behind its length, so that no two lists of parts give the same bytes.
    fn over<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut digest = Digest([0; BYTES]);
        // Half of the 256 bits.
        digest.0.iter_mut().zip(tag.as_ref()).for_each(|(byte, of_tag)| *byte = *of_tag);
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_so_are_keys() {
        let key = DigestKey::new(b"one");
        assert_ne!(key.over([b"ab".as_slice(), b"c"]), key.over([b"a".as_slice(), b"bc"]));
        assert_ne!(key.over([b"ab".as_slice()]), DigestKey::new(b"two").over([b"ab".as_slice()]));
        assert_eq!(key.over([b"ab".as_slice()]), key.over([b"ab".as_slice()]));
    }

    #[test]
    fn a_request_digest_reads_back_as_it_was_written() {
        let key = DigestKey::new(b"one");
        let digest = RequestDigest { spec: key.over([b"a".as_slice()]), credentials: key.over([b"b".as_slice()]) };
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let known = "00ff0000000000000000000000000a1b";
        assert_eq!(Digest::parse(known).map(|digest| digest.to_string()).as_deref(), Some(known));
        for broken in ["", "ab.cd", "no-dot", &"z".repeat(65)] {
            assert_eq!(broken.parse::<RequestDigest>(), Err(()), "{broken}");
        }
    }
}
