//! What a source refers to, and what follows where it is not there.

use super::failure::Failure;
use crate::api::TokenSource;
use crate::api::assertion::AssertionSource;
use crate::api::condition::Reason;
use crate::api::v1alpha1::TokenSourceSpec;

/// A Secret that a request is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A Secret by its name, and the field that names it.
    Secret {
        /// The name.
        name: String,
        /// The field.
        field: &'static str,
    },
    /// The target Secret of another source.
    TokenOf {
        /// The other source's name.
        source: String,
    },
}

/// The Secrets that a request is made of: credentials and assertions.
pub fn of_request(spec: &TokenSourceSpec) -> Vec<Reference> {
    let credentials = spec
        .credentials
        .as_ref()
        .map(|credentials| Reference::Secret { name: credentials.secret_ref.name.clone(), field: "spec.credentials.secretRef.name" });
    let client = spec.client_authentication.assertion.as_ref().map(|assertion| &assertion.source);
    let client = client.and_then(|source| of_assertion(source, "spec.clientAuthentication.assertion.secretKeyRef.name"));
    let grant = spec.grant.assertion.as_deref().and_then(|source| of_assertion(source, "spec.grant.assertion.secretKeyRef.name"));
    credentials.into_iter().chain(client).chain(grant).collect()
}

fn of_assertion(source: &AssertionSource, field: &'static str) -> Option<Reference> {
    match (&source.secret_key_ref, &source.token_source_ref) {
        (Some(key), _) => Some(Reference::Secret { name: key.name.clone(), field }),
        (None, Some(other)) => Some(Reference::TokenOf { source: other.name.clone() }),
        (None, None) => None,
    }
}

/// The names of the Secrets whose events concern a source: target, credentials, assertions, CA bundle.
pub fn secret_names(source: &TokenSource) -> Vec<String> {
    let bundle = source.spec.tls.ca_bundle.as_ref().and_then(|bundle| bundle.secret_ref.as_ref()).map(|secret| secret.name.clone());
    let named = of_request(&source.spec).into_iter().filter_map(|reference| match reference {
        Reference::Secret { name, .. } => Some(name),
        Reference::TokenOf { .. } => None,
    });
    named.chain(bundle).chain([source.target_name().to_owned()]).collect()
}

/// The names of the sources whose tokens a source asks with.
pub fn source_names(spec: &TokenSourceSpec) -> Vec<String> {
    let of_source = |reference| match reference {
        Reference::TokenOf { source } => Some(source),
        Reference::Secret { .. } => None,
    };
    of_request(spec).into_iter().filter_map(of_source).collect()
}

/// Follows `tokenSourceRef` from a source on, and finds the way back to it if there is one. `names_of` gives the names
/// that another source refers to.
pub fn cycle(start: &str, first: Vec<String>, names_of: impl Fn(&str) -> Vec<String>) -> Option<Failure> {
    let mut ways: Vec<Vec<String>> = first.into_iter().map(|name| vec![start.to_owned(), name]).collect();
    let mut seen: Vec<String> = Vec::new();
    while let Some(way) = ways.pop() {
        let Some(last) = way.last().cloned() else { continue };
        if last == start {
            let way = way.join(" → ");
            return Some(Failure::local(Reason::InvalidSpec, format!("tokenSourceRef goes round in a circle: {way}")));
        }
        if !seen.contains(&last) {
            ways.extend(names_of(&last).into_iter().map(|name| way.iter().cloned().chain([name]).collect()));
            seen.push(last);
        }
    }
    None
}

/// There is no such Secret.
pub fn no_secret(name: &str, field: &str) -> Failure {
    Failure::local(Reason::CredentialsNotFound, format!("there is no Secret {name} ({field})"))
}

/// The other source has no valid token.
pub fn no_token_of(source: &str) -> Failure {
    Failure::local(
        Reason::AssertionSourceNotReady,
        format!("TokenSource {source} (tokenSourceRef) has no valid token yet, or its Secret has no key access_token"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(links: &[(&str, &str)]) -> Option<String> {
        let names_of = |name: &str| links.iter().filter(|(from, _)| *from == name).map(|(_, to)| (*to).to_owned()).collect::<Vec<_>>();
        cycle("a", names_of("a"), names_of).map(|failure| failure.message)
    }

    #[test]
    fn a_circle_is_told_by_its_way_and_a_chain_is_none() {
        assert_eq!(found(&[("a", "b"), ("b", "c")]), None);
        assert_eq!(found(&[("a", "a")]).as_deref(), Some("tokenSourceRef goes round in a circle: a → a"));
        assert_eq!(found(&[("a", "b"), ("b", "c"), ("c", "a")]).as_deref(), Some("tokenSourceRef goes round in a circle: a → b → c → a"));
        assert_eq!(found(&[("a", "b"), ("b", "c"), ("c", "b")]), None, "a circle of others is theirs");
    }
}
