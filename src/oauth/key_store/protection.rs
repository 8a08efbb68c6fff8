//! How a key store is protected: keys made of a password, and what is checked and decrypted with them.

use std::num::NonZeroU32;

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use der::asn1::{Choice, ObjectIdentifier, OctetStringRef};
use der::{DecodeValue, Sequence};
use des::TdesEde3;
use rc2::Rc2;
use ring::{digest, hmac, pbkdf2};
use secrecy::zeroize::Zeroizing;
use x509_cert::spki::AlgorithmIdentifierRef;

use super::{UNREADABLE, damaged};
use crate::oauth::certificate::{CertificateError, ROUNDS_MAX};

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const SHA1_TRIPLE_DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const SHA1_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");
const AES_128_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// What a key of RFC 7292 appendix B is for, by its number there (B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Encryption = 1,
    Vector = 2,
    Integrity = 3,
}

/// RFC 7292 §4.
#[derive(Sequence)]
pub(super) struct MacData<'a> {
    mac: DigestInfo<'a>,
    salt: &'a OctetStringRef,
    #[asn1(default = "one")]
    rounds: u64,
}

fn one() -> u64 {
    1
}

/// RFC 8017 §9.2.
#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a OctetStringRef,
}

/// RFC 8018 appendix A.4.
#[derive(Sequence)]
struct Pbes2Parameters<'a> {
    derivation: AlgorithmIdentifierRef<'a>,
    encryption: AlgorithmIdentifierRef<'a>,
}

/// RFC 8018 appendix A.2.
#[derive(Sequence)]
struct Pbkdf2Parameters<'a> {
    salt: &'a OctetStringRef,
    rounds: u64,
    key_length: Option<u16>,
    prf: Option<AlgorithmIdentifierRef<'a>>,
}

/// RFC 7292 appendix C.
#[derive(Sequence)]
struct PbeParameters<'a> {
    salt: &'a OctetStringRef,
    rounds: u64,
}

/// Opens the parts of one key store, and counts what that costs.
pub(super) struct Opener<'a> {
    password: &'a str,
    rounds_left: u64,
    verified: bool,
}

impl<'a> Opener<'a> {
    pub(super) fn new(password: &'a str) -> Self {
        Self { password, rounds_left: u64::from(ROUNDS_MAX), verified: false }
    }

    /// Whether the integrity check has shown that the password is right.
    pub(super) fn is_verified(&self) -> bool {
        self.verified
    }

    /// The integrity check by password (RFC 7292 §5.1).
    pub(super) fn verify(&mut self, mac: &MacData<'_>, content: &[u8]) -> Result<(), CertificateError> {
        let (digest, hmac) = match mac.mac.algorithm.oid {
            SHA1 => (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            SHA256 => (&digest::SHA256, hmac::HMAC_SHA256),
            SHA384 => (&digest::SHA384, hmac::HMAC_SHA384),
            SHA512 => (&digest::SHA512, hmac::HMAC_SHA512),
            _ => return Err(CertificateError::UnsupportedProtection),
        };
        let key = self.derive(digest, Purpose::Integrity, mac.salt.as_bytes(), mac.rounds, digest.output_len())?;
        hmac::verify(&hmac::Key::new(hmac, &key), content, mac.mac.digest.as_bytes()).map_err(|_| CertificateError::WrongPassword)?;
        self.verified = true;
        Ok(())
    }

    /// Decrypts what a password protects (RFC 8018 §6.2, RFC 7292 appendix C).
    pub(super) fn decrypt(&mut self, algorithm: AlgorithmIdentifierRef<'_>, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        match algorithm.oid {
            PBES2 => self.pbes2(&parameters(algorithm)?, data),
            SHA1_TRIPLE_DES => self.pbe::<cbc::Decryptor<TdesEde3>>(&parameters(algorithm)?, 24, data),
            SHA1_RC2_40 => self.pbe::<cbc::Decryptor<Rc2>>(&parameters(algorithm)?, 5, data),
            _ => Err(CertificateError::UnsupportedProtection),
        }
    }

    fn pbes2(&mut self, parameters: &Pbes2Parameters<'_>, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        let Pbes2Parameters { derivation, encryption } = parameters;
        if derivation.oid != PBKDF2 {
            return Err(CertificateError::UnsupportedProtection);
        }
        let derivation = self::parameters(*derivation)?;
        let vector = || self::parameters::<&OctetStringRef>(*encryption).map(OctetStringRef::as_bytes);
        match encryption.oid {
            AES_128_CBC => plain::<cbc::Decryptor<Aes128>>(&self.pbkdf2(&derivation, 16)?, vector()?, data),
            AES_192_CBC => plain::<cbc::Decryptor<Aes192>>(&self.pbkdf2(&derivation, 24)?, vector()?, data),
            AES_256_CBC => plain::<cbc::Decryptor<Aes256>>(&self.pbkdf2(&derivation, 32)?, vector()?, data),
            _ => Err(CertificateError::UnsupportedProtection),
        }
    }

    fn pbkdf2(&mut self, parameters: &Pbkdf2Parameters<'_>, length: usize) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        let (algorithm, digest) = match parameters.prf.map_or(HMAC_SHA1, |prf| prf.oid) {
            HMAC_SHA1 => (pbkdf2::PBKDF2_HMAC_SHA1, &digest::SHA1_FOR_LEGACY_USE_ONLY),
            HMAC_SHA256 => (pbkdf2::PBKDF2_HMAC_SHA256, &digest::SHA256),
            HMAC_SHA384 => (pbkdf2::PBKDF2_HMAC_SHA384, &digest::SHA384),
            HMAC_SHA512 => (pbkdf2::PBKDF2_HMAC_SHA512, &digest::SHA512),
            _ => return Err(CertificateError::UnsupportedProtection),
        };
        if parameters.key_length.is_some_and(|known| usize::from(known) != length) {
            return Err(UNREADABLE);
        }
        let rounds = self.spend(parameters.rounds, length.div_ceil(digest.output_len()))?;
        let mut key = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(algorithm, rounds, parameters.salt.as_bytes(), self.password.as_bytes(), &mut key);
        Ok(key)
    }

    fn pbe<C: KeyIvInit + BlockModeDecrypt>(
        &mut self,
        parameters: &PbeParameters<'_>,
        length: usize,
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        let PbeParameters { salt, rounds } = parameters;
        let mut derived = |purpose, length| self.derive(&digest::SHA1_FOR_LEGACY_USE_ONLY, purpose, salt.as_bytes(), *rounds, length);
        let (key, vector) = (derived(Purpose::Encryption, length)?, derived(Purpose::Vector, 8)?);
        plain::<C>(&key, &vector, data)
    }

    /// A key of RFC 7292 appendix B.2; the comments name its letters.
    fn derive(
        &mut self,
        digest: &'static digest::Algorithm,
        purpose: Purpose,
        salt: &[u8],
        rounds: u64,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        let (output, block) = (digest.output_len(), digest.block_len()); // u, v
        let rounds = self.spend(rounds, length.div_ceil(output))?;
        // UTF-16 in big-endian octets, and a zero at the end (B.1).
        let password = Zeroizing::new(self.password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect::<Vec<_>>());
        let filled = |length: usize| block * length.div_ceil(block);
        let diversifier = vec![purpose as u8; block]; // D
        let mut input = Zeroizing::new(Vec::with_capacity(filled(salt.len()) + filled(password.len()))); // I
        input.extend(salt.iter().cycle().take(filled(salt.len())));
        input.extend(password.iter().cycle().take(filled(password.len())));
        let mut key = Zeroizing::new(Vec::with_capacity(length + output));
        while key.len() < length {
            let mut context = digest::Context::new(digest);
            context.update(&diversifier);
            context.update(&input);
            let mut hash = context.finish(); // A
            for _ in 1..rounds.get() {
                hash = digest::digest(digest, hash.as_ref());
            }
            key.extend_from_slice(hash.as_ref());
            let repeated: Zeroizing<Vec<u8>> = Zeroizing::new(hash.as_ref().iter().copied().cycle().take(block).collect()); // B
            for piece in input.chunks_mut(block) {
                add_and_one(piece, &repeated);
            }
        }
        key.truncate(length);
        Ok(key)
    }

    /// The rounds, if there are so many left for the whole file; each is one hash or HMAC of one block of a key.
    fn spend(&mut self, rounds: u64, blocks: usize) -> Result<NonZeroU32, CertificateError> {
        let cost = rounds.checked_mul(blocks as u64);
        let left = cost.and_then(|cost| self.rounds_left.checked_sub(cost)).ok_or(CertificateError::TooManyRounds)?;
        self.rounds_left = left;
        u32::try_from(rounds).ok().and_then(NonZeroU32::new).ok_or(UNREADABLE)
    }
}

fn parameters<'a, T>(algorithm: AlgorithmIdentifierRef<'a>) -> Result<T, CertificateError>
where
    T: Choice<'a> + DecodeValue<'a, Error = der::Error>,
{
    algorithm.parameters.ok_or(UNREADABLE)?.decode_as().map_err(damaged)
}

/// Without its padding, by which a wrong key shows.
fn plain<C: KeyIvInit + BlockModeDecrypt>(key: &[u8], vector: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let cipher = C::new_from_slices(key, vector).map_err(|_| UNREADABLE)?;
    let mut text = Zeroizing::new(data.to_vec());
    let length = cipher.decrypt_padded::<Pkcs7>(&mut text).map_err(|_| CertificateError::WrongPassword)?.len();
    text.truncate(length);
    Ok(text)
}

/// `block + number + 1`, as numbers with their highest octet first; what is carried beyond them is lost.
fn add_and_one(block: &mut [u8], number: &[u8]) {
    let mut carry = 1_u16;
    for (octet, other) in block.iter_mut().zip(number).rev() {
        let [high, low] = (u16::from(*octet) + u16::from(*other) + carry).to_be_bytes();
        *octet = low;
        carry = u16::from(high);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_counted_over_all_parts_of_a_file() {
        let mut opener = Opener::new("changeit");
        for (rounds, blocks, expected) in [
            (u64::from(ROUNDS_MAX) + 1, 1, Err(CertificateError::TooManyRounds)),
            (u64::MAX, 2, Err(CertificateError::TooManyRounds)),
            (u64::from(ROUNDS_MAX) / 2, 2, Ok(NonZeroU32::new(ROUNDS_MAX / 2).unwrap())),
            (1, 1, Err(CertificateError::TooManyRounds)),
            (0, 1, Err(UNREADABLE)),
        ] {
            assert_eq!(opener.spend(rounds, blocks), expected, "{rounds} rounds for {blocks} blocks");
        }
    }

    #[test]
    fn a_key_of_appendix_b_of_rfc_7292_is_as_others_make_it() {
        // Verified with openssl's PKCS12_key_gen_utf8 by the authors of the crate pkcs12.
        let salt = [1, 2, 3, 4, 5, 6, 7, 8];
        for (purpose, rounds, length, expected) in [
            (Purpose::Encryption, 100, 32, "fae4d4957a3cc781e1180b9d4fb79c1e0c8579b746a3177e5b0768a3118bf863"),
            (Purpose::Vector, 100, 12, "e5ff813bc6547de5155b14d2"),
            (Purpose::Integrity, 1000, 32, "3f9113f05c30a996c4a516409bdac9d065f44296ccd52bb75de3fcfdbe2bf130"),
            (
                Purpose::Encryption,
                1000,
                100,
                "2b95a0569b63f641fae1efca32e84db3699ab74540628ba66283b58cf5400527d8d0ebe2ccbf768c51c4d8fbd1bb156be06c1c59cbb69e44052ffc37376fdb47b2de7f9e543de9d096d8e5474b220410ff1c5d8bb7e5bc0f61baeaa12fd0da1d7a970172",
            ),
        ] {
            let key = Opener::new("ge@äheim").derive(&digest::SHA256, purpose, &salt, rounds, length).unwrap();
            let hexadecimal = key.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
            assert_eq!(hexadecimal, expected);
        }
    }
}
