//! Follows a source's references to metadata, which comes from the watches and costs no request.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::runtime::reflector::ObjectRef;

use super::context::Context;
use super::error::Error;
use crate::api::TokenSource;
use crate::api::condition::Reason;
use crate::clock;
use crate::token_source::credentials;
use crate::token_source::digest::Digest;
use crate::token_source::failure::Failure;
use crate::token_source::observed::{Credentials, Observed};
use crate::token_source::references::{Reference, cycle, no_secret, no_token_of, of_request, source_names};
use crate::token_source::request::prepare;
use crate::token_source::secret_facts::SecretFacts;
use crate::token_source::target::{Held, Target};

/// What the watches know of a source's world. Costs no request, but where a credentials Secret seems to be missing
/// and nobody was told yet: applied together with its source, it can be there before its watch says so.
pub async fn observe<'a>(source: &'a TokenSource, context: &Context) -> Result<Observed<'a>, Error> {
    let shared = &context.shared;
    let target = known_secret(context, source, source.target_name());
    let mut observed = Observed {
        source,
        prepared: prepare(&source.spec, shared.policy.allow_http),
        spec_digest: shared.key.spec(&source.spec),
        credentials: Credentials::NotReferenced { digest: None },
        target: Target::read(target.as_ref(), source),
        policy: shared.policy,
    };
    observed.credentials = credentials(&observed, context).await?;
    Ok(observed)
}

/// The Secrets that the request is made of, by their versions.
async fn credentials(observed: &Observed<'_>, context: &Context) -> Result<Credentials, Error> {
    let source = observed.source;
    if let Some(failure) = circle(context, source) {
        return Ok(Credentials::Missing(failure));
    }
    let mut versions = Vec::new();
    for reference in of_request(&source.spec) {
        match referenced(context, source, &reference).await? {
            Ok(secret) => versions.push(secret.identity()),
            Err(failure) => return Ok(Credentials::Missing(failure)),
        }
    }
    if versions.is_empty() {
        return Ok(Credentials::NotReferenced { digest: digest_without_secret(observed, context) });
    }
    let version = versions.join(";");
    let digest = context.read_credentials.recall(observed.seed(), &version, &observed.spec_digest);
    Ok(Credentials::Present { digest: digest.or_else(|| digest_of_held(observed, &version)), version })
}

fn circle(context: &Context, source: &TokenSource) -> Option<Failure> {
    let namespace = source.namespace();
    let names_of = |name: &str| context.source(namespace, name).map(|other| source_names(&other.spec)).unwrap_or_default();
    cycle(source.metadata.name.as_deref().unwrap_or_default(), source_names(&source.spec), names_of)
}

async fn referenced(context: &Context, source: &TokenSource, reference: &Reference) -> Result<Result<SecretFacts, Failure>, Error> {
    match reference {
        Reference::Secret { name, field } => {
            if let Some(secret) = known_secret(context, source, name) {
                return Ok(Ok(secret));
            }
            Ok(find_secret(context, source, name).await?.ok_or_else(|| no_secret(name, field)))
        }
        Reference::TokenOf { source: name } => {
            let namespace = source.namespace();
            let secret = context.source(namespace, name).and_then(|other| {
                let secret = known_secret(context, source, other.target_name())?;
                let held = Target::read(Some(&secret), &other).held().cloned()?;
                (held.intact && held.expires_at? > clock::now()).then_some(secret)
            });
            Ok(secret.ok_or_else(|| no_token_of(name)))
        }
    }
}

/// Asks the API server for a credentials Secret that the watch does not know, unless it did before.
async fn find_secret(context: &Context, source: &TokenSource, name: &str) -> Result<Option<SecretFacts>, Error> {
    let told = source.status.as_ref().and_then(|status| status.last_failure.as_ref());
    if told.is_some_and(|failure| failure.reason == Reason::CredentialsNotFound.to_string()) {
        return Ok(None);
    }
    let secrets: Api<Secret> = Api::namespaced(context.shared.client.clone(), source.namespace());
    let found = secrets.get_metadata_opt(name).await.map_err(Error::read(format!("Secret {name}")))?;
    Ok(found.map(|secret| SecretFacts::of(&secret.metadata)))
}

/// Where no Secret is referred to, the spec alone tells the credentials.
fn digest_without_secret(observed: &Observed<'_>, context: &Context) -> Option<Digest> {
    let source = &observed.source;
    let spec = &source.spec;
    let values = credentials::find(spec, None).ok()?;
    let endpoint = observed.prepared.as_ref().ok()?.endpoint(spec, &values, observed.policy.allow_http).ok()?;
    Some(context.shared.key.credentials(&endpoint, &values.client_id, values.proof(spec, source.namespace()).whole()))
}

/// The digest that the target Secret remembers for the versions of the credentials.
fn digest_of_held(observed: &Observed<'_>, version: &str) -> Option<Digest> {
    let Held { digest, credentials_version, .. } = observed.target.held()?;
    let digest = digest.as_ref().filter(|digest| digest.spec == observed.spec_digest)?;
    (credentials_version.as_deref() == Some(version)).then(|| digest.credentials.clone())
}

/// What is known of a Secret: by our own last write of it where the watch is behind.
pub fn known_secret(context: &Context, source: &TokenSource, name: &str) -> Option<SecretFacts> {
    let reference = ObjectRef::new(name).within(source.namespace());
    let written = context.recent_secrets.newest(&reference).map(|secret| secret.0);
    written.or_else(|| context.secrets.get(&reference).map(|secret| secret.0.clone()))
}
