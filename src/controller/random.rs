//! Random identifiers.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::rand::{SecureRandom as _, SystemRandom};

/// 128 random bits as text. Where the system gives none the text repeats, which a server that counts `jti` refuses.
pub fn id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes())
}

/// A trace id in the form of W3C Trace Context: 128 random bits as hexadecimal digits.
pub fn trace_id() -> String {
    format!("{:032x}", u128::from_be_bytes(bytes()))
}

fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        tracing::error!("the system gave no random bytes");
    }
    bytes
}
