//! The custom resource `TokenSource`: what people write, and what they read back.
//!
//! The doc comments of these types are what `kubectl explain` prints.

pub mod condition;
pub mod crd;
pub mod duration;
pub mod names;
pub mod request;
pub mod status;
pub mod v1alpha1;

pub use v1alpha1::TokenSource;
