//! The token that a server issued (RFC 6749 §5.1).

use jiff::Timestamp;
use secrecy::SecretString;

/// A usable bearer token and what the server said about it. `Debug` shows no secret: `secrecy` redacts them.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The access token, ready to stand behind `Authorization: Bearer `.
    pub access_token: SecretString,
    /// Always `Bearer`, however the server spelt it.
    pub token_type: String,
    /// How long the token lives.
    pub lifetime: Lifetime,
    /// The granted scopes; none when the server did not say, which means those that were asked for (RFC 6749 §5.1).
    pub scope: Option<Vec<String>>,
    /// The ID token (OpenID Connect Core §3.1.3.3).
    pub id_token: Option<SecretString>,
    /// The refresh token; none in a refresh answer means that the old one stays (RFC 6749 §6).
    pub refresh_token: Option<SecretString>,
    /// The kind of token that an exchange issued (RFC 8693 §2.2.1).
    pub issued_token_type: Option<String>,
}

/// How long an access token lives, by the best evidence in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `expires_in`: seconds from the arrival of the answer, at least one, at most a year.
    Seconds(u64),
    /// The token's own `exp` (RFC 7519 §4.1.4), by the server's clock.
    Until(Timestamp),
    /// The answer does not say.
    Unknown,
}
