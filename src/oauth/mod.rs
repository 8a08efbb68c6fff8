//! OAuth 2.0 token requests and answers, as data.
//!
//! Knows the RFCs and `http` types; nothing of Kubernetes, no I/O, no clock. A [`request::TokenRequest`] becomes
//! an `http::Request`; an `http::Response` becomes an [`token::IssuedToken`] or a [`rejection::Refusal`] with its
//! reason, by an order of evidence that holds for some fifty servers.

pub mod assertion;
pub mod certificate;
pub mod client;
pub mod endpoint;
pub mod grant;
mod key_store;
pub mod rejection;
pub mod request;
pub mod response;
pub mod shown;
pub mod token;
pub mod totp;
pub mod transport;
pub mod vendor;
