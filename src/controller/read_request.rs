//! Reads what a due request needs from the API server, and what an earlier answer left for it.

use secrecy::SecretString;

use super::context::Context;
use super::dereference::known_secret;
use super::error::Error;
use super::gather::{Gatherer, Halt, ReadyRequest, take_text};
use super::objects::Objects;
use crate::token_source::observed::Observed;
use crate::token_source::refresh;

/// Reads what the request needs. What version was read is remembered, not what it holds.
pub async fn read_request(observed: &Observed<'_>, context: &Context) -> Result<ReadyRequest, Halt> {
    let (source, shared) = (observed.source, &context.shared);
    let target_of = |name: &str| context.source(source.namespace(), name).map(|other| other.target_name().to_owned());
    let gatherer = Gatherer {
        source,
        objects: Objects::Cluster(&shared.client),
        target_of: &target_of,
        audiences: &shared.audiences,
        key: &shared.key,
        hosts: &shared.hosts,
        allow_http: observed.policy.allow_http,
    };
    let mut ready = gatherer.gather(observed.prepared.clone()?).await?;
    if let Some(version) = &ready.credentials_version {
        context.read_credentials.keep(observed.seed(), version, ready.digest.clone());
    }
    ready.refresh_token = refresh_token(observed, context, &ready).await?;
    Ok(ready)
}

/// The refresh token that an earlier answer to the same request brought. Read only where its Secret's metadata says so.
async fn refresh_token(observed: &Observed<'_>, context: &Context, ready: &ReadyRequest) -> Result<Option<SecretString>, Error> {
    let source = observed.source;
    let name = refresh::secret_name(source);
    let kept =
        known_secret(context, source, &name).is_some_and(|secret| refresh::is_kept(&secret, source, &ready.digest, &ready.grant_digest));
    if !kept || !refresh::is_used(source) {
        return Ok(None);
    }
    let data = Objects::Cluster(&context.shared.client).secret(source.namespace(), &name).await?.and_then(|secret| secret.data);
    let token = data.and_then(|mut data| take_text(&mut data, refresh::DATA_KEY));
    Ok(token.filter(|token| !token.is_empty()).map(Into::into))
}
