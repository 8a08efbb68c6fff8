//! What became of a plan, and what is to be told of it.

use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use super::secret::Issue;
use crate::api::condition::Reason;
use crate::api::status::{ClientProof, LastAttempt, TokenSourceStatus};

/// What became of a plan.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Nothing was done: token requests are suspended.
    Suspended,
    /// Nothing was done: the token is fresh until then.
    Kept(Timestamp),
    /// Nothing was done: a wait is not over.
    Held(Option<Timestamp>),
    /// Nothing was done yet: it is called when its turn at the token endpoint has come.
    Queued {
        /// What is to be told of the wait, if it is a long one.
        told: Option<Failure>,
        /// When to look at the wait again.
        again: Duration,
    },
    /// Nothing could be done; no request was made.
    Stalled(Failure),
    /// The credentials were not sent, because they were refused too often.
    Withheld {
        /// What the ledger says.
        failure: Failure,
        /// When they may be sent again.
        until: Timestamp,
        /// What was held back.
        attempt: Attempt,
    },
    /// A token was written to the Secret.
    Issued {
        /// The token.
        issue: Box<Issue>,
        /// The request.
        attempt: Attempt,
    },
    /// The request was refused or failed.
    Refused {
        /// How.
        failure: Failure,
        /// The request.
        attempt: Attempt,
    },
}

/// A token request that was made.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When, and with what.
    pub last: LastAttempt,
    /// What the attempt told of the client, if anything.
    pub client_proof: Option<ClientProof>,
}

/// What to write, say and when to look again.
#[derive(Debug, Clone)]
pub struct Report {
    /// The status; written only if it differs from the one before.
    pub status: TokenSourceStatus,
    /// The Event of a transition.
    pub event: Option<Note>,
    /// When to look again by oneself.
    pub requeue: Option<Timestamp>,
}

/// An Event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The reason.
    pub reason: Reason,
    /// The text.
    pub message: String,
    /// Normal, or a warning.
    pub is_warning: bool,
}
