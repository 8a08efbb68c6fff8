//! What must hold after every step. docs/simulation.md says the same in words.

pub mod freshness;
pub mod held_back;
pub mod leadership;
pub mod lockout;
pub mod refresh_tokens;
pub mod restraint;
pub mod secrets;
pub mod status;

use super::State;

impl State {
    /// Judges all that time alone may have made untrue.
    pub fn judge_all(&mut self) {
        for index in 0..self.tracks.len() {
            self.judge_freshness(index);
            self.judge_status(index);
            self.judge_refresh_token(index);
        }
    }
}
