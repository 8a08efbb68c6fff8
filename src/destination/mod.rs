//! Turns an exported SAP BTP destination into a `TokenSource` and its credentials Secret.
//!
//! ```text
//! bytes ─► parse (JSON │ properties) ─► Destination ─► convert ─► Secret, TokenSource, Report
//! ```
//!
//! Text in, values out: no I/O. Manifests are JSON values by the names of the API's contract. What a property means
//! stands in SAP's pages on the OAuth authentication types of HTTP destinations (SAP-docs/btp-connectivity).

pub mod authentication;
pub mod convert;
pub mod error;
pub mod parse;
pub mod report;

mod client;
mod draft;
mod leftovers;
mod names;
mod properties;
mod request;

pub use convert::{Manifests, Options, convert};
pub use error::ImportError;
pub use parse::{Destination, parse, select};
