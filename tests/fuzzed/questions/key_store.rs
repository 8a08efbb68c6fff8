//! Any bytes are a PKCS#12 key store that opens, or an error in our own words; and that soon, whatever rounds they ask for.

use secrecy::SecretString;
use tokensource::oauth::certificate::ClientCertificate;

use super::certificate::is_whole;
use super::parts::Parts;

/// `password 0xff key store`
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let password = parts.text();
    match ClientCertificate::from_pkcs12(parts.rest(), &SecretString::from(password)) {
        Ok(certificate) => is_whole(&certificate),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 400 && (password.len() < 16 || !message.contains(password)));
        }
    }
}
