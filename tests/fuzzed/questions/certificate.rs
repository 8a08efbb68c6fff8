//! Any PEM text is a client certificate with its key, or an error in our own words.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokensource::oauth::assertion::SigningKey;
use tokensource::oauth::certificate::ClientCertificate;

use super::parts::{Parts, utf8};

/// `certificates 0xff key`
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let (certificates, key) = (parts.text(), utf8(parts.rest()));
    let secret = SecretString::from(key);
    let signs = SigningKey::from_pem(&secret);
    assert!(!format!("{signs:?}").contains(key) || key.len() < 64, "the key is shown");
    match ClientCertificate::from_pem(certificates, &secret) {
        Ok(certificate) => {
            assert!(signs.is_ok(), "a certificate with a key that does not sign");
            is_whole(&certificate);
        }
        Err(error) => assert!(error.to_string().len() < 400),
    }
}

/// What was read can be read again, and is the same.
pub fn is_whole(certificate: &ClientCertificate) {
    let pem = certificate.to_pem();
    let again = ClientCertificate::from_pem(pem.expose_secret(), &pem).expect("our own PEM");
    assert!(again.to_pem().expose_secret() == pem.expose_secret());
    assert!(certificate.not_before() <= certificate.not_after() || certificate.check(Timestamp::UNIX_EPOCH).is_err());
    assert!(!format!("{certificate:?}").contains("PRIVATE KEY"));
}
