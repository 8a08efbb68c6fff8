//! The custom resource `TokenSource`: what people write, and what they read back.
//!
//! The doc comments of these types are what `kubectl explain` prints.

#![expect(clippy::doc_markdown, reason = "`kubectl explain` prints these comments as they are, backticks included")]
#![expect(clippy::duplicated_attributes, reason = "each print column repeats `type_` and `priority`")]

pub mod assertion;
pub mod client;
pub mod condition;
pub mod crd;
pub mod credentials;
pub mod diagnosis;
pub mod duration;
pub mod grant;
pub mod names;
pub mod reference;
pub mod request;
pub mod schema;
pub mod secret;
pub mod status;
pub mod v1alpha1;

pub use v1alpha1::TokenSource;
