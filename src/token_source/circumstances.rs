//! What a failure is told with beside the answer itself: whom was asked, and what about the request may explain it.

use crate::api::condition::Reason;
use crate::oauth::rejection::Rejection;
use crate::oauth::request::TokenRequest;
use crate::oauth::vendor::Vendor;

use super::failure::reason;
use super::hint::{self, Hint};
use super::remedy::remedy;

/// The circumstances of a token request that its answer does not tell. Nothing in here is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// The endpoint's host, as messages name it.
    pub host: String,
    /// Whose server it is.
    pub vendor: Vendor,
    /// What about the request may explain a refusal, the surest first.
    pub hints: Vec<Hint>,
}

impl Circumstances {
    /// Those of a request. `accepted_before`: the server took the same credentials of the client before.
    pub fn of(request: &TokenRequest, accepted_before: bool) -> Self {
        let (host, vendor) = (request.endpoint.host(), Vendor::of(&request.endpoint));
        Self { host, vendor, hints: hint::hints(request, accepted_before) }
    }

    /// Those of a recorded answer, of which only the answer is known.
    pub fn unknown() -> Self {
        Self { host: "the server".to_owned(), vendor: Vendor::Other, hints: Vec::new() }
    }

    /// What to do about a refusal: the remedy, then our own hints, marked as such.
    pub fn remedy(&self, rejection: Rejection) -> String {
        let reason: Reason = reason(rejection);
        let remedy = remedy(reason, rejection.cause(), self.vendor);
        hint::told(&self.hints, rejection).fold(remedy, |told, hint| format!("{told} {hint}"))
    }
}
