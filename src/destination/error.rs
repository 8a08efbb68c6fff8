//! Why a destination can't be converted: by property, with what to do. Values are never shown.

use thiserror::Error;

use super::authentication::Authentication;
use super::report::printable;
use crate::oauth::endpoint::EndpointError;

/// Why a destination can't be converted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    /// No JSON.
    #[error("the file is no JSON: line {line}, column {column} (one that does not begin with {{ or [ is read as properties)")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// No properties file.
    #[error("line {line}: \\u is not followed by four hexadecimal digits: write a backslash as \\\\")]
    BadEscape {
        /// Counted from 1.
        line: usize,
    },
    /// Nothing in it.
    #[error("the file holds no destination: export one from the cockpit, or the answer of the Destination service")]
    Empty,
    /// An object or array where a text is expected.
    #[error("{}: is an object or a list: a destination's properties are texts", printable(property))]
    NotFlat {
        /// Which property.
        property: String,
    },
    /// The same property twice.
    #[error("{}: is there twice: keep one", printable(property))]
    Duplicate {
        /// Which property.
        property: String,
    },
    /// More than one destination.
    #[error("the file holds {} destinations: choose one with --select NAME out of {}", names.len(), listed(names))]
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// No destination of that name.
    #[error("no destination is named {}: there is {}", printable(name), listed(names))]
    NotFound {
        /// What was looked for.
        name: String,
        /// What there is.
        names: Vec<String>,
    },
    /// A property that is needed.
    #[error("{property}: is missing: {fix}")]
    Missing {
        /// Which property.
        property: &'static str,
        /// What to add.
        fix: &'static str,
    },
    /// A value that a property can't have.
    #[error("{property}: {problem}")]
    Invalid {
        /// Which property.
        property: &'static str,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// A destination that needs no token.
    #[error(
        "Authentication: {authentication} needs no token, so there is nothing to keep fresh: put the credentials into a Secret yourself"
    )]
    NoTokenNeeded {
        /// Which kind.
        authentication: &'static str,
    },
    /// A destination that needs a person.
    #[error("Authentication: OAuth2AuthorizationCode needs a person at a browser: use OAuth2ClientCredentials or OAuth2RefreshToken")]
    NeedsAPerson,
    /// A kind of authentication that nobody here knows.
    #[error("Authentication: {} is unknown: use one of {}", printable(authentication), Authentication::listed())]
    UnknownAuthentication {
        /// What stands there.
        authentication: String,
    },
    /// A shared token URL, and no tenant.
    #[error("tokenServiceURLType: is Common, so the token is asked for one tenant: name its subdomain with --tenant")]
    NeedsTenant,
    /// A token URL that no request can go to.
    #[error("tokenServiceURL: {0}")]
    TokenUrl(EndpointError),
    /// A name that Kubernetes refuses.
    #[error("--{flag}: is no Kubernetes name: lower-case letters, digits and inner hyphens, {max} characters at most")]
    BadName {
        /// Which flag.
        flag: &'static str,
        /// The longest name.
        max: usize,
    },
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| printable(name)).collect();
    if names.len() > SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}
