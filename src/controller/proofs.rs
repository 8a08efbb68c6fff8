//! What is known of clients, by a token or by a probe: whom an unclear refusal is about is asked once for all sources.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::api::status::{ClientProof, ProbeResult};
use crate::token_source::digest::Digest;

/// What is known, by the digest of the client's credentials.
#[derive(Default)]
pub struct Proofs(Mutex<HashMap<Digest, ProbeResult>>);

impl Proofs {
    /// What is known of a client.
    pub fn of(&self, client: &Digest) -> Option<ProbeResult> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(client).copied()
    }

    /// Keeps what is known now, as a status keeps it.
    pub fn keep(&self, client: &Digest, result: ProbeResult) -> ClientProof {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client.clone(), result);
        ClientProof { credentials: client.to_string(), result }
    }

    /// Takes in what a status has kept.
    pub fn restore(&self, proof: &ClientProof) {
        if let Some(client) = Digest::parse(&proof.credentials) {
            self.keep(&client, proof.result);
        }
    }
}
