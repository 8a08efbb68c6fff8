//! One-time codes: each is sent once (RFC 6238 §5.2), whoever needs it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::api::condition::Reason;
use crate::oauth::totp::Secret;
use crate::token_source::digest::Digest;
use crate::token_source::failure::Failure;

/// The last time step whose code was sent, by credentials.
#[derive(Default)]
pub struct Codes(Mutex<HashMap<Digest, u64>>);

/// The code of this time step was sent already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// When the next one begins.
    pub until: Timestamp,
}

impl Codes {
    /// The code of now, if it was not sent yet. `last_attempt` is when the source's last request went out, also before a
    /// restart.
    pub fn fresh(
        &self,
        secret: &SecretString,
        credentials: &Digest,
        last_attempt: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Result<SecretString, Spent>, Failure> {
        let secret = Secret::parse(secret)
            .map_err(|error| Failure::local(Reason::CredentialsIncomplete, format!("the totpSecret in the credentials Secret: {error}")))?;
        let code = secret.code(now);
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sent.get(credentials).copied().max(last_attempt.map(|time| secret.code(time).step));
        if before.is_some_and(|step| step >= code.step) {
            return Ok(Err(Spent { until: secret.step_ends(before.unwrap_or(code.step)) }));
        }
        sent.insert(credentials.clone(), code.step);
        Ok(Ok(code.text))
    }
}
