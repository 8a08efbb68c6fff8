//! No two act at the same time: what only a leader may send is handed to the network only while the Lease names its sender.

use std::sync::Arc;

use super::super::State;
use crate::process::Process;

impl State {
    /// A process hands something to the network.
    pub fn judge_leadership(&mut self, process: &Arc<Process>, is_an_act: bool, what: &str) {
        if !is_an_act || self.election.is_none() {
            return;
        }
        self.saw("act of a leader");
        if self.lease_holder != Some(process.number) {
            let holder = self.lease_holder;
            self.violated("leadership", format!("process {} sends while the Lease is held by {holder:?}: {what}", process.number));
        }
    }
}
