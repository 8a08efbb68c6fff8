//! What must never be, and what is measured beside the judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    TokenWhereThereCouldBeOne,
    TokenOfItsOwnSource,
    ForeignSecretUntouched,
    RefusedCredentialsSentTwiceAtMost,
    NoSecretInAnyOutput,
    StatusIsTrue,
    RotationIsNotLost,
    OneLeaderWrites,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TokenWhereThereCouldBeOne => "no Secret without a valid token that could have had one",
            Self::TokenOfItsOwnSource => "a Secret holds tokens of its own source only",
            Self::ForeignSecretUntouched => "no foreign Secret is changed",
            Self::RefusedCredentialsSentTwiceAtMost => "no refused credentials are sent more than twice in 60 minutes",
            Self::NoSecretInAnyOutput => "no secret in any output",
            Self::StatusIsTrue => "the status is true within 30 s",
            Self::RotationIsNotLost => "a rotated refresh token is lost only where that can't be helped",
            Self::OneLeaderWrites => "only who holds the Lease writes",
        })
    }
}

/// An invariant that does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub concerns: String,
    pub facts: String,
}

/// What is measured beside the judgement.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub checks: BTreeMap<Invariant, u64>,
    /// Of the checks for a token: those excused by a fault.
    pub excused: u64,
    /// Sources whose credentials are held back because two requests with them were lost in crashes: docs/reliability.md, What
    /// can't be had.
    pub held_back: BTreeSet<String>,
    pub longest_gap: Duration,
    pub latest_renewal: Duration,
    pub worst_status: Duration,
    /// Whose, and what was not true.
    pub worst_status_of: String,
    pub most_refusals: usize,
    pub rotations_lost: u32,
}
