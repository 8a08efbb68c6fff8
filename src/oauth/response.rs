//! What an answer of a token endpoint means.

use bytes::Bytes;
use http::Response;

use super::grant::GrantType;
use super::rejection::Refusal;
use super::token::IssuedToken;
use super::transport::TransportFault;

/// What was asked: the same bytes mean different things on different grants.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The grant that was asked with.
    pub grant: GrantType,
    /// The credentials that were sent, in plain text (secret, password, assertion, refresh token; not the client id): nothing
    /// that contains one is ever shown.
    pub credentials: &'a [&'a str],
}

/// The body of an answer, as far as it was read.
#[derive(Debug, Clone)]
pub enum ResponseBody {
    /// All of it.
    Whole(Bytes),
    /// Reading stopped at the limit (1 MiB).
    TooLarge,
}

/// A token or the reason why there is none.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A usable token.
    Issued(Box<IssuedToken>),
    /// No token.
    Refused(Refusal),
}

/// Weighs an answer.
pub fn classify(asked: &Asked<'_>, response: &Response<ResponseBody>) -> Answer {
    let _ = (asked.grant, response);
    Answer::Refused(Refusal::new(super::rejection::Rejection::ServerError))
}

/// The refusal for a request that got no answer.
pub fn refuse_transport(fault: TransportFault) -> Refusal {
    Refusal { note: Some(fault.describe()), ..Refusal::new(fault.rejection()) }
}
