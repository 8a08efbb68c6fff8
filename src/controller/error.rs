//! What can go wrong between the operator and the API server. A refusal by an authorization server is no error:
//! it is an outcome.

use thiserror::Error;

use super::key::KeyError;
use crate::token_source::leadership::Lost;

/// A failed exchange with the API server; the reconcile is tried again.
#[derive(Debug, Error)]
pub enum Error {
    /// Reading an object failed.
    #[error("reading {what} failed")]
    Read {
        /// Kind and name of the object.
        what: String,
        /// What the API server or the way to it said.
        #[source]
        source: Box<kube::Error>,
    },
    /// Writing an object failed.
    #[error("writing {what} failed")]
    Write {
        /// Kind and name of the object.
        what: String,
        /// What the API server or the way to it said.
        #[source]
        source: Box<kube::Error>,
    },
    /// The API server took too long.
    #[error("no answer about {what}")]
    NoAnswer {
        /// Kind and name of the object.
        what: String,
    },
    /// Another process may act by now. Tried again by nobody: this one ends.
    #[error("this operator does not lead any more")]
    NotLeading,
}

/// Why the operator can't start, or go on.
#[derive(Debug, Error)]
pub enum RunError {
    /// There is no key of the digests.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The lock-out ledger can't be kept.
    #[error("the operator needs to get, create and patch Secret tokensource-ledger in its own namespace {namespace}")]
    Ledger {
        /// The operator's namespace.
        namespace: String,
        /// What failed.
        #[source]
        source: Error,
    },
    /// The Lease can't be had.
    #[error("the operator needs to get, create and update Leases in its own namespace {namespace}")]
    Lease {
        /// The operator's namespace.
        namespace: String,
        /// What failed.
        #[source]
        source: Error,
    },
    /// What was under way is given up at once: a process that starts anew stands by.
    #[error("the Lease is lost: {0}")]
    Lost(Lost),
}

impl Error {
    /// Reading `what` failed.
    pub fn read(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        |source| Self::Read { what, source: Box::new(source) }
    }

    /// Writing `what` failed.
    pub fn write(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        |source| Self::Write { what, source: Box::new(source) }
    }

    /// Whether the API server forbids it.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => {
                matches!(source.as_ref(), kube::Error::Api(status) if status.code == 401 || status.code == 403)
            }
            Self::NoAnswer { .. } | Self::NotLeading => false,
        }
    }
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
