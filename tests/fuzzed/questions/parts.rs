//! An input as a row of numbers and parts: made so that what changes one part leaves the others where they are.

/// Ends a part. It never stands in UTF-8, so every text can be a part.
const END: u8 = 0xff;

/// What is left of an input.
pub struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    pub fn of(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next byte; zero where there is none.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// One of these.
    pub fn one_of<T: Copy, const N: usize>(&mut self, all: [T; N]) -> T {
        all[usize::from(self.byte()) % N]
    }

    /// The bytes up to the next [`END`]; none where nothing is left.
    pub fn part(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == END);
        let part = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = end.map_or(&[], |end| &self.0[end + 1..]);
        Some(part)
    }

    /// The next part, as far as it is UTF-8.
    pub fn text(&mut self) -> &'a str {
        utf8(self.part().unwrap_or_default())
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The text at the beginning of these bytes.
pub fn utf8(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default()
}

/// A secret worth looking for in a message: long enough, and with a digit, which no message of ours has without a reason.
pub fn is_telling(secret: &str) -> bool {
    secret.trim().len() >= 8 && secret.bytes().any(|byte| byte.is_ascii_digit())
}
