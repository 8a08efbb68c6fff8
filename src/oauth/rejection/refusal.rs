//! A refusal with the evidence that may be shown.

use std::fmt;

use jiff::Timestamp;

use super::{ClientCause, Rejection};
use crate::oauth::client::ClientAuthentication;
use crate::oauth::request::TokenRequest;

/// Why no token was issued, with what may be told about it.
///
/// Nothing here can hold a body, a credential or a token: `error` and `description` passed the hygiene of
/// `response::clean`, `note` is one of our own sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The verdict over all evidence.
    pub rejection: Rejection,
    /// The HTTP status; none when no answer came.
    pub http_status: Option<u16>,
    /// The server's `error` code: `[A-Za-z0-9_.-]`, 64 characters at most.
    pub error: Option<String>,
    /// The server's description without control characters, ids, dates, token-like runs and sent credentials; 200 characters at most.
    pub description: Option<String>,
    /// When the server wants to be asked again.
    pub retry_after: Option<RetryAfter>,
    /// What we saw, in our own words, where the server said nothing that could be shown ("a page, not JSON").
    pub note: Option<&'static str>,
}

/// `Retry-After` in both its forms (RFC 9110 §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Seconds from the arrival of the answer.
    Seconds(u64),
    /// A point in time by the server's clock.
    At(Timestamp),
}

impl Refusal {
    /// A refusal of which nothing is known but its reason.
    pub const fn new(rejection: Rejection) -> Self {
        Self { rejection, http_status: None, error: None, description: None, retry_after: None, note: None }
    }

    /// The refusal in view of the request. A secret that was not sent can't be the wrong one, whatever a server says of every
    /// client that it does not accept (Keycloak: "Invalid client or Invalid client credentials"; UAA: "Bad credentials").
    #[must_use]
    pub fn of_request(mut self, request: &TokenRequest) -> Self {
        if request.basic_user.is_none() && self.rejection == Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret) {
            self.rejection = Rejection::ClientAuthenticationFailed(match request.client.authentication {
                ClientAuthentication::Body { .. } | ClientAuthentication::Basic { .. } => ClientCause::WrongSecret,
                ClientAuthentication::MutualTls => ClientCause::BadCertificate,
                ClientAuthentication::Assertion { .. } => ClientCause::BadClientAssertion,
                ClientAuthentication::None => ClientCause::MissingCredentials,
            });
        }
        self
    }
}

/// What the server said, in the order status, code, description; our own note where it said nothing.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rejection.as_str())?;
        if let Some(cause) = self.rejection.cause() {
            write!(f, " ({cause})")?;
        }
        if let Some(status) = self.http_status {
            write!(f, ": HTTP {status}")?;
        }
        if let Some(error) = &self.error {
            write!(f, " {error}")?;
        }
        if let Some(description) = &self.description {
            write!(f, ": {description}")?;
        } else if let Some(note) = self.note {
            write!(f, ": {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::BasicEncoding::Raw;
    use crate::oauth::client::{AssertionType, BasicUser, Client};
    use crate::oauth::endpoint::{TokenEndpoint, UrlType};
    use crate::oauth::grant::Grant;
    use crate::oauth::request::ExtraParts;

    fn request(authentication: ClientAuthentication) -> TokenRequest {
        TokenRequest {
            endpoint: TokenEndpoint::parse("https://as.example/token", UrlType::Dedicated, false).unwrap(),
            client: Client { id: "c".to_owned(), authentication },
            basic_user: None,
            grant: Grant::ClientCredentials,
            scopes: Vec::new(),
            parameters: Vec::new(),
            extra: ExtraParts::default(),
        }
    }

    #[test]
    fn only_a_secret_that_was_sent_can_be_the_wrong_one() {
        let assertion = || ClientAuthentication::Assertion { assertion_type: AssertionType::JwtBearer, assertion: "a".into() };
        let basic_user = Some(BasicUser { name: "u".to_owned(), password: "p".into(), encoding: Raw });
        for (said, request, expected) in [
            (ClientCause::WrongSecret, request(ClientAuthentication::Body { secret: "s".into() }), ClientCause::WrongSecret),
            (ClientCause::WrongSecret, request(ClientAuthentication::MutualTls), ClientCause::BadCertificate),
            (ClientCause::WrongSecret, request(assertion()), ClientCause::BadClientAssertion),
            (ClientCause::WrongSecret, request(ClientAuthentication::None), ClientCause::MissingCredentials),
            (ClientCause::WrongSecret, TokenRequest { basic_user, ..request(ClientAuthentication::None) }, ClientCause::WrongSecret),
            (ClientCause::UnknownClient, request(ClientAuthentication::MutualTls), ClientCause::UnknownClient),
        ] {
            let refusal = Refusal::new(Rejection::ClientAuthenticationFailed(said));
            assert_eq!(refusal.of_request(&request).rejection.cause(), Some(expected), "{said}");
        }
    }
}
