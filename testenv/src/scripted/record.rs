//! What came in.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

/// A request to the scripted endpoint.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// When it had arrived as a whole.
    pub at: Instant,
    /// `POST`, one hopes.
    pub method: String,
    /// With the `?` if there is a query.
    pub path_and_query: String,
    /// In order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's form fields, decoded, in order.
    pub form: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    pub(super) fn new(parts: &Parts, body: Vec<u8>) -> Self {
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Self {
            at: Instant::now(),
            method: parts.method.to_string(),
            path_and_query: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: headers.collect(),
            form: form_urlencoded::parse(&body).into_owned().collect(),
            body,
        }
    }

    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first form field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// True if it authenticates this client, in the body or with Basic. The values of Basic may be form-encoded (RFC 6749
    /// §2.3.1) or as they are (what many servers expect).
    pub(super) fn is_from_client(&self, id: &str, secret: &str) -> bool {
        let in_body = self.field("client_id") == Some(id) && self.field("client_secret") == Some(secret);
        in_body || self.basic().is_some_and(|(user, password)| is(&user, id) && is(&password, secret))
    }

    fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header(AUTHORIZATION.as_str())?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        decoded.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    }
}

fn is(received: &str, expected: &str) -> bool {
    received == expected || form_urlencoded::byte_serialize(expected.as_bytes()).collect::<String>() == received
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
