//! Renewal by the refresh token that is kept, and keeping the one that an answer brings.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::sleep;

use super::apply;
use super::context::Context;
use super::dereference::known_secret;
use super::error::Error;
use super::exchange::NotSent;
use super::gather::ReadyRequest;
use crate::oauth::rejection::{Refusal, Rejection};
use crate::oauth::response::Answer;
use crate::token_source::digest::RequestDigest;
use crate::token_source::observed::Observed;
use crate::token_source::refresh::{self, by_refresh_token};
use crate::token_source::target::Target;

/// The pauses between the tries to keep a rotated refresh token.
const KEEP_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Request and answer: by the refresh token that is kept, else, or at once if that is refused, by the grant itself.
pub async fn exchange(observed: &Observed<'_>, context: &Context, ready: &mut ReadyRequest) -> Result<Answer, NotSent> {
    let (exchange, spec) = (&context.shared.exchange, &observed.source.spec);
    if let Some(refresh_token) = ready.refresh_token.take() {
        let answer = exchange.send(spec, ready, &by_refresh_token(&ready.request, refresh_token)).await?;
        match &answer {
            Answer::Refused(Refusal { rejection: Rejection::RefreshTokenInvalid, .. }) => {
                tracing::debug!("the refresh token was refused; the grant is used");
                keep_refresh_token(observed, context, &ready.kept_for(observed.source), None).await.map_err(NotSent::Error)?;
            }
            Answer::Refused(_) | Answer::Issued(_) => return Ok(answer),
        }
    }
    exchange.append_code(ready, observed.last_attempt_time())?;
    exchange.send(spec, ready, &ready.request).await
}

/// Keeps what a server that rotates has given instead of the old one: tried a few times, since nobody else has it.
pub async fn keep_rotated(observed: &Observed<'_>, context: &Context, digest: &RequestDigest, token: &SecretString) -> Result<(), Error> {
    for pause in KEEP_PAUSES {
        match keep_refresh_token(observed, context, digest, Some(token)).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(%error, "the refresh token could not be kept"),
        }
        sleep(pause).await;
    }
    keep_refresh_token(observed, context, digest, Some(token)).await
}

/// Keeps a refresh token, or marks the one that is kept as spent. Done before the token itself is written: a server that
/// rotates has given up the old one.
async fn keep_refresh_token(
    observed: &Observed<'_>,
    context: &Context,
    digest: &RequestDigest,
    token: Option<&SecretString>,
) -> Result<(), Error> {
    let source = observed.source;
    let name = refresh::secret_name(source);
    let judged = Target::read_beside(known_secret(context, source, &name).as_ref(), source);
    let secret = refresh::render(source, digest, token);
    if let Err(failure) = apply::secret(context, source, Target::read_beside, &judged, secret).await? {
        tracing::warn!(secret = name, "the refresh token could not be kept: {}", failure.message);
    }
    Ok(())
}
