//! A refusal with the evidence that may be shown.

use std::fmt;

use jiff::Timestamp;

use super::Rejection;

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
