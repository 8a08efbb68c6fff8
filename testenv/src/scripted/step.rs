//! What a script is made of.

use std::time::Duration;

use serde_json::Value;

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Step {
    /// 200 with a fresh random `access_token`, `token_type` `Bearer`.
    Token {
        /// Life in seconds.
        expires_in: u64,
    },
    /// A JSON body.
    Json {
        /// HTTP status.
        status: u16,
        /// The body.
        body: Value,
    },
    /// Anything. A header that is not valid is left out.
    Raw {
        /// HTTP status.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// 429, with this `Retry-After` (seconds or a date, or what is neither).
    RateLimited {
        /// The header's value; none leaves it out.
        retry_after: Option<String>,
    },
    /// This status with an empty body.
    Status(u16),
    /// This status with an HTML page, as proxies and login pages send.
    Html(u16),
    /// 200, `application/json`, and bytes that are neither JSON nor UTF-8.
    Garbage,
    /// 200 with the beginning of a token answer of so many bytes, streamed without `Content-Length`.
    Huge(u64),
    /// Waits before it answers.
    Slow(Duration, Box<Step>),
    /// Sends the headers at once, and a token answer in small pieces over this time.
    SlowBody(Duration),
    /// Breaks the connection with RST instead of an answer.
    Reset,
    /// 307 to this URL: a client that follows sends its credentials there.
    Redirect(String),
    /// 401 `invalid_client`, unless Basic or body credentials are these.
    RequireClient {
        /// `client_id`.
        id: String,
        /// `client_secret`.
        secret: String,
        /// The answer to the right ones.
        then: Box<Step>,
    },
}
