//! What happened, step by step: as a hash always, as lines where somebody reads them.

use std::time::Duration;

/// The steps of a run.
#[derive(Debug)]
pub struct Trace {
    /// How many there were.
    pub steps: u64,
    /// FNV-1a over all of them, where they are read.
    pub hash: u64,
    reader: Reader,
}

/// Who reads a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Nobody: steps are counted.
    Nobody,
    /// Who compares two runs.
    Comparison,
    /// People.
    People,
}

impl Trace {
    /// A trace; one for people prints each step.
    pub fn new(reader: Reader) -> Self {
        Self { steps: 0, hash: 0xcbf2_9ce4_8422_2325, reader }
    }

    /// A step.
    pub fn step(&mut self, at: Duration, line: impl FnOnce() -> String) {
        self.steps += 1;
        if self.reader == Reader::Nobody {
            return;
        }
        let (line, millis) = (line(), u64::try_from(at.as_millis()).unwrap());
        for byte in millis.to_le_bytes().into_iter().chain(line.bytes()) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.reader == Reader::People {
            let seconds = millis / 1000;
            println!("{:02}:{:02}:{:02}.{:03}  {line}", seconds / 3600, seconds / 60 % 60, seconds % 60, millis % 1000);
        }
    }
}
