//! What happened, step by step: as a hash always, as lines where somebody reads them.

use std::time::Duration;

/// The steps of a run.
#[derive(Debug)]
pub struct Trace {
    /// How many there were.
    pub steps: u64,
    /// FNV-1a over all of them.
    pub hash: u64,
    is_told: bool,
}

impl Trace {
    /// A trace; one that is told prints each step.
    pub fn new(is_told: bool) -> Self {
        Self { steps: 0, hash: 0xcbf2_9ce4_8422_2325, is_told }
    }

    /// A step.
    pub fn step(&mut self, at: Duration, line: &str) {
        self.steps += 1;
        let millis = u64::try_from(at.as_millis()).unwrap();
        for byte in millis.to_le_bytes().into_iter().chain(line.bytes()) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.is_told {
            let seconds = millis / 1000;
            println!("{:02}:{:02}:{:02}.{:03}  {line}", seconds / 3600, seconds / 60 % 60, seconds % 60, millis % 1000);
        }
    }
}
