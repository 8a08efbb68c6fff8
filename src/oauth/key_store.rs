//! PKCS#12 key stores (RFC 7292) in DER: the keys and certificates in them.
//!
//! ```text
//! file ─► [integrity check] ─► parts, each plain or encrypted ─► bags: certificate │ key │ encrypted key
//! ```
//!
//! Read here and not by a crate, since all of a file's rounds of key derivation count against one bound, those inside an
//! encrypted part too (docs/adr/0012).

use der::asn1::{AnyRef, ObjectIdentifier, OctetString, OctetStringRef};
use der::{Decode, Encode as _, ErrorKind, Sequence};
use secrecy::zeroize::Zeroizing;
use x509_cert::Certificate;
use x509_cert::spki::AlgorithmIdentifierRef;

use super::certificate::{CertificateError, INDEFINITE_LENGTHS};

mod protection;

use protection::{MacData, Opener};

/// What a key store holds, in its order.
#[derive(Default)]
pub(super) struct KeyStore {
    /// Private keys, as PKCS#8.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// Certificates.
    pub certificates: Vec<StoredCertificate>,
}

/// A certificate of a key store.
pub(super) struct StoredCertificate {
    /// As it stands there.
    pub der: Vec<u8>,
    /// What it says; none where it can't be read, which matters only if it is the client's.
    pub certificate: Option<Certificate>,
    /// Java keeps it as one that it trusts.
    pub trusted: bool,
}

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
/// Oracle's attribute of a certificate that Java trusts: it has no other use, so that its value says no more.
const TRUSTED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");

/// RFC 7292 §4.
#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    auth_safe: ContentInfo<'a>,
    mac_data: Option<MacData<'a>>,
}

/// RFC 5652 §3.
#[derive(Sequence)]
struct ContentInfo<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

/// RFC 5652 §8, without attributes, which nobody puts there.
#[derive(Sequence)]
struct EncryptedData<'a> {
    version: u8,
    content: EncryptedContent<'a>,
}

/// RFC 5652 §6.1.
#[derive(Sequence)]
struct EncryptedContent<'a> {
    content_type: ObjectIdentifier,
    algorithm: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    content: Option<OctetString>,
}

/// RFC 7292 §4.2.
#[derive(Sequence)]
struct SafeBag<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
    attributes: Option<AnyRef<'a>>,
}

/// RFC 7292 §4.2.3.
#[derive(Sequence)]
struct CertificateBag<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: &'a OctetStringRef,
}

/// RFC 5958 §3.
#[derive(Sequence)]
struct EncryptedKey<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    key: &'a OctetStringRef,
}

/// Opens a key store. Store and keys have the same password.
pub(super) fn open(file: &[u8], password: &str) -> Result<KeyStore, CertificateError> {
    let pfx = Pfx::from_der(file).map_err(damaged)?;
    if pfx.version != 3 || pfx.auth_safe.content_type != DATA {
        return Err(UNREADABLE);
    }
    let mut opener = Opener::new(password);
    let safe = octets(&pfx.auth_safe)?;
    if let Some(mac) = &pfx.mac_data {
        opener.verify(mac, safe)?;
    }
    let mut store = KeyStore::default();
    for part in Vec::<ContentInfo<'_>>::from_der(safe).map_err(damaged)? {
        match part.content_type {
            DATA => store.take(&Vec::<SafeBag<'_>>::from_der(octets(&part)?).map_err(damaged)?, &mut opener)?,
            ENCRYPTED_DATA => {
                let EncryptedContent { algorithm, content, .. } = part.content.decode_as::<EncryptedData<'_>>().map_err(damaged)?.content;
                let plain = opener.decrypt(algorithm, content.as_ref().map(OctetString::as_bytes).unwrap_or_default())?;
                store.take(&deciphered::<Vec<SafeBag<'_>>>(&plain, &opener)?, &mut opener)?;
            }
            _ => return Err(CertificateError::UnsupportedProtection),
        }
    }
    Ok(store)
}

impl KeyStore {
    /// Takes keys and certificates out of one part. Bags of other kinds are none of ours.
    fn take(&mut self, bags: &[SafeBag<'_>], opener: &mut Opener<'_>) -> Result<(), CertificateError> {
        for bag in bags {
            match bag.kind {
                KEY_BAG => self.keys.push(Zeroizing::new(bag.value.to_der().map_err(damaged)?)),
                SHROUDED_KEY_BAG => {
                    let encrypted = bag.value.decode_as::<EncryptedKey<'_>>().map_err(damaged)?;
                    let key = opener.decrypt(encrypted.algorithm, encrypted.key.as_bytes())?;
                    deciphered::<AnyRef<'_>>(&key, opener)?;
                    self.keys.push(key);
                }
                CERTIFICATE_BAG => self.certificates.push(certificate(bag)?),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What was decrypted. With a wrong password it ends like a text one time in 256, and is none.
fn deciphered<'a, T: Decode<'a, Error = der::Error>>(plain: &'a [u8], opener: &Opener<'_>) -> Result<T, CertificateError> {
    T::from_der(plain).map_err(|error| if opener.is_verified() { damaged(error) } else { CertificateError::WrongPassword })
}

fn certificate(bag: &SafeBag<'_>) -> Result<StoredCertificate, CertificateError> {
    let found = bag.value.decode_as::<CertificateBag<'_>>().map_err(damaged)?;
    if found.kind != X509_CERTIFICATE {
        return Err(UNREADABLE);
    }
    let mark = TRUSTED_KEY_USAGE.as_bytes();
    let trusted = bag.attributes.is_some_and(|attributes| attributes.value().windows(mark.len()).any(|octets| octets == mark));
    let der = found.value.as_bytes().to_vec();
    Ok(StoredCertificate { certificate: Certificate::from_der(&der).ok(), der, trusted })
}

fn octets<'a>(content: &ContentInfo<'a>) -> Result<&'a [u8], CertificateError> {
    content.content.decode_as::<&OctetStringRef>().map(OctetStringRef::as_bytes).map_err(damaged)
}

const UNREADABLE: CertificateError = CertificateError::Unreadable("the keystore");

/// An error of `der` has a position and a kind, and nothing of the file.
fn damaged(error: der::Error) -> CertificateError {
    if error.kind() == ErrorKind::IndefiniteLength { INDEFINITE_LENGTHS } else { UNREADABLE }
}
