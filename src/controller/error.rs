//! What can go wrong between the operator and the API server. A refusal by an authorization server is no error:
//! it is an outcome.

use thiserror::Error;

use super::key::KeyError;

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
}

/// Why the operator can't start.
#[derive(Debug, Error)]
pub enum StartError {
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
}
