//! All that is secret in a run begins with the same random mark, so that a search for the mark finds every leak, also
//! one of a part or in another encoding.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::random::hex;

/// 12 random letters and digits: no output holds them by chance, and no encoding of forms changes them.
#[derive(Clone, Debug)]
pub struct Mark(String);

impl Mark {
    pub fn new() -> Self {
        Self(hex(6))
    }

    /// A new secret: a client secret, a password, a token.
    pub fn secret(&self) -> String {
        format!("{}{}", self.0, hex(16))
    }

    /// How the mark looks: as it is, and in base64 at each of the three places where it can begin.
    pub fn forms(&self) -> Vec<String> {
        let in_base64 = (0..3).map(|before| {
            let encoded = BASE64_STANDARD.encode(format!("{}{}", "x".repeat(before), self.0));
            // What the neighbours have a share in is left out.
            let (from, to) = ((before * 4).div_ceil(3), (before + self.0.len()) * 4 / 3);
            encoded[from..to].to_owned()
        });
        [self.0.clone()].into_iter().chain(in_base64).collect()
    }

    pub fn is_in(&self, text: &str) -> bool {
        self.forms().iter().any(|form| text.contains(form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_base64() {
        let mark = Mark::new();
        for before in 0..7 {
            let text = BASE64_STANDARD.encode(format!("{}{}{}", "c:é&=-"[..].chars().take(before).collect::<String>(), mark.secret(), "!"));
            assert!(mark.is_in(&text), "{before} characters before it");
        }
        assert!(!mark.is_in(&BASE64_STANDARD.encode(Mark::new().secret())));
    }
}
