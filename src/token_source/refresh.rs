//! Refresh tokens (RFC 6749 §6): kept in a Secret of their own, never in the workload's, and used instead of the grant
//! while they are accepted.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::digest::{Digest, RequestDigest};
use super::secret_facts::SecretFacts;
use super::target::Target;
use crate::api::TokenSource;
use crate::api::grant::{GrantRefresh, GrantType};
use crate::api::names::{MANAGED_BY, MANAGED_BY_LABEL, REQUEST_DIGEST, SOURCE};
use crate::oauth::grant::Grant;
use crate::oauth::request::TokenRequest;

/// The key of the refresh token in its Secret.
pub const DATA_KEY: &str = "refresh_token";

/// The name of the Secret that keeps a source's refresh token.
pub fn secret_name(source: &TokenSource) -> String {
    format!("{}-refresh-token", source.metadata.name.as_deref().unwrap_or_default())
}

/// Whether a refresh token that an answer brings is kept and used. The client's own grant has none to speak of
/// (RFC 6749 §4.4.3).
pub fn is_used(source: &TokenSource) -> bool {
    let grant = &source.spec.grant;
    match grant.grant_type {
        GrantType::RefreshToken => true,
        GrantType::ClientCredentials => false,
        GrantType::Password | GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange => {
            grant.refresh == GrantRefresh::Auto
        }
    }
}

/// What a refresh token is kept for. Where it is all there is, it follows from the one that people gave, at that endpoint, to that
/// client: it stays good when the client's secret is rotated (RFC 6749 §6 binds it to the client, not to its secret).
pub fn kept_for(source: &TokenSource, digest: &RequestDigest, grant: &Digest) -> RequestDigest {
    match source.spec.grant.grant_type {
        GrantType::RefreshToken => RequestDigest { credentials: grant.clone(), ..digest.clone() },
        GrantType::ClientCredentials | GrantType::Password | GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange => {
            digest.clone()
        }
    }
}

/// Whether this Secret is ours and keeps a refresh token that was issued for the same request.
pub fn is_kept(secret: &SecretFacts, source: &TokenSource, digest: &RequestDigest, grant: &Digest) -> bool {
    let target = Target::read_beside(Some(secret), source);
    let kept = target.held().and_then(|held| held.digest.as_ref());
    match source.spec.grant.grant_type {
        // The rotated token is all there is: no other change of the spec gives it up. Earlier versions kept it for all credentials.
        GrantType::RefreshToken => kept.is_some_and(|kept| kept.credentials == *grant || kept.credentials == digest.credentials),
        GrantType::ClientCredentials | GrantType::Password | GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange => {
            kept == Some(digest)
        }
    }
}

/// The Secret that keeps a refresh token; without one, that it is spent.
pub fn render(source: &TokenSource, digest: &RequestDigest, refresh_token: Option<&SecretString>) -> Secret {
    let mut annotations = BTreeMap::from([(SOURCE.to_owned(), source.metadata.name.clone().unwrap_or_default())]);
    annotations.extend(refresh_token.map(|_| (REQUEST_DIGEST.to_owned(), digest.to_string())));
    Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(source)),
            namespace: source.metadata.namespace.clone(),
            labels: Some(BTreeMap::from([(MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned())])),
            annotations: Some(annotations),
            owner_references: source.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        data: refresh_token.map(|token| BTreeMap::from([(DATA_KEY.to_owned(), ByteString(token.expose_secret().as_bytes().to_vec()))])),
        ..Secret::default()
    }
}

/// The same request by refresh token. The scopes stay those that were granted (RFC 6749 §6).
pub fn by_refresh_token(request: &TokenRequest, refresh_token: SecretString) -> TokenRequest {
    TokenRequest { grant: Grant::RefreshToken { refresh_token }, scopes: Vec::new(), ..request.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scene::{Scene, digest};
    use super::*;

    fn request(credentials: char) -> RequestDigest {
        RequestDigest { spec: digest('5'), credentials: digest(credentials) }
    }

    #[test]
    fn a_refresh_token_that_is_all_there_is_outlives_the_clients_secret() {
        let token = SecretString::from("t");
        for (sentence, grant, is_kept_for) in
            [("it is all there is", "RefreshToken", true), ("a user can be asked for another", "Password", false)]
        {
            let source = Scene::new().spec(&json!({"grant": {"type": grant}})).source;
            let facts = |digest: &RequestDigest| SecretFacts::of(&render(&source, digest, Some(&token)).metadata);
            let kept = facts(&kept_for(&source, &request('a'), &digest('9')));
            assert_eq!(is_kept(&kept, &source, &request('b'), &digest('9')), is_kept_for, "{sentence}");
            assert!(is_kept(&kept, &source, &request('a'), &digest('9')), "{sentence}: nothing has changed");
            assert!(!is_kept(&kept, &source, &request('b'), &digest('8')), "{sentence}: people have given another one");
            assert!(is_kept(&facts(&request('a')), &source, &request('a'), &digest('9')), "{sentence}: kept by an earlier version");
        }
    }
}
