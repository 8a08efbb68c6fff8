//! Random choices that a seed repeats, and names that nobody can guess.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use ring::rand::{SecureRandom as _, SystemRandom};

/// `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014): small, and good enough to choose faults by.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for one purpose: what another draws does not change what this one does.
    pub fn fork(&self, purpose: &str) -> Self {
        let mixed = purpose.bytes().fold(self.0, |state, byte| Self(state ^ u64::from(byte)).draw());
        Self(mixed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `from..=to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.draw() % (to - from + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, share: u64) -> bool {
        self.draw() % 100 < share
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = self.between(0, of.len() as u64 - 1);
        &of[usize::try_from(index).unwrap()]
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, usize::try_from(self.between(0, last as u64)).unwrap());
        }
    }
}

/// Another seed at each call, by the randomness that std's hash maps are keyed with.
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}

/// So many random bytes as hexadecimal digits.
pub fn hex(bytes: usize) -> String {
    let mut random = vec![0_u8; bytes];
    SystemRandom::new().fill(&mut random).unwrap();
    digits(&random)
}

/// Bytes as hexadecimal digits.
pub fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        _ = write!(text, "{byte:02x}");
    }
    text
}
