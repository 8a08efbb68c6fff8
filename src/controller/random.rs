//! Random identifiers.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::rand::{SecureRandom as _, SystemRandom};

/// 128 random bits as text. Where the system gives none the text repeats, which a server that counts `jti` refuses.
pub fn id() -> String {
    let mut bytes = [0; 16];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        tracing::error!("the system gave no random bytes");
    }
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
