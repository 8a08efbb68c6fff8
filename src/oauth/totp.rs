//! Time-based one-time codes (RFC 6238), for servers that want one beside the password.

use std::fmt;

use jiff::Timestamp;
use ring::hmac;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use url::form_urlencoded;

/// The shared secret of an authenticator, with what its codes are made by. `Debug` shows nothing of the secret.
pub struct Secret {
    key: hmac::Key,
    digits: u32,
    period: u32,
}

/// A one-time code. Servers take each one once (RFC 6238 §5.2), so whoever sends it remembers its `step`.
#[derive(Debug, Clone)]
pub struct Code {
    /// The digits, with leading zeros.
    pub text: SecretString,
    /// The number of the time step it belongs to (RFC 6238 §4.2: T).
    pub step: u64,
}

/// Why a one-time code secret can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Nothing in it.
    #[error("is empty: it must hold the Base32 secret that the server showed when two-factor authentication was set up")]
    Empty,
    /// Not Base32 (RFC 4648 §6).
    #[error("is not Base32: only the letters A to Z and the digits 2 to 7 may be in it (a 0 is mostly an O, a 1 an I, an 8 a B)")]
    NotBase32,
    /// A number of characters that no Base32 text has.
    #[error("has a number of characters that no Base32 text has: copy the whole secret again")]
    CutOff,
    /// `otpauth://hotp/…`: codes by counter, which an operator can't keep in step with.
    #[error("is an otpauth URI of another type than totp: only time-based codes can be made")]
    NotTimeBased,
    /// An `otpauth` URI without a `secret`.
    #[error("is an otpauth URI without a secret parameter: copy the whole URI")]
    NoSecretParameter,
    /// `digits` beyond RFC 4226 §5.3.
    #[error("is an otpauth URI with a digits parameter that is not 6, 7 or 8")]
    Digits,
    /// `period` out of range.
    #[error("is an otpauth URI with a period parameter that is not a number of seconds from 1 to 3600")]
    Period,
    /// `algorithm` that RFC 6238 §1.2 does not know.
    #[error("is an otpauth URI with an algorithm parameter that is not SHA1, SHA256 or SHA512")]
    Algorithm,
}

const DIGITS: u32 = 6;
const PERIOD: u32 = 30;
/// The defaults of RFC 4226 §5.3, RFC 6238 §4.1 and §1.2: SHA-1 is safe in an HMAC, and what authenticators use.
const HASH: hmac::Algorithm = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;

impl Secret {
    /// Reads a secret as servers show it: Base32 (RFC 4648 §6) in any letter case, with or without blanks, hyphens
    /// and padding; or a whole `otpauth://totp/…` URI, as the QR code holds it.
    pub fn parse(text: &SecretString) -> Result<Self, SecretError> {
        let text = text.expose_secret().trim();
        match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("otpauth") => Self::parse_uri(rest),
            Some(_) | None => Self::new(text, DIGITS, PERIOD, HASH),
        }
    }

    /// The key URI format: `TYPE/LABEL?secret=…&digits=…&period=…&algorithm=…`, what follows `otpauth://`
    /// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
    fn parse_uri(rest: &str) -> Result<Self, SecretError> {
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !path.split('/').next().unwrap_or_default().eq_ignore_ascii_case("totp") {
            return Err(SecretError::NotTimeBased);
        }
        let (mut secret, mut digits, mut period, mut hash) = (None, DIGITS, PERIOD, HASH);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "secret" => secret = Some(Zeroizing::new(value.into_owned())),
                "digits" => digits = in_range(&value, 6, 8).ok_or(SecretError::Digits)?,
                "period" => period = in_range(&value, 1, 3600).ok_or(SecretError::Period)?,
                "algorithm" => hash = hash_of(&value)?,
                _ => {}
            }
        }
        let secret = secret.ok_or(SecretError::NoSecretParameter)?;
        Self::new(&secret, digits, period, hash)
    }

    fn new(base32: &str, digits: u32, period: u32, hash: hmac::Algorithm) -> Result<Self, SecretError> {
        let octets = decode_base32(base32)?;
        if octets.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self { key: hmac::Key::new(hash, &octets), digits, period })
    }

    /// The code of this moment (RFC 6238 §4.2).
    pub fn code(&self, now: Timestamp) -> Code {
        // A clock before 1970 has other troubles than its codes.
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let step = seconds / u64::from(self.period);
        let code = truncate(hmac::sign(&self.key, &step.to_be_bytes()).as_ref()) % 10_u32.pow(self.digits);
        let width = self.digits as usize;
        Code { text: SecretString::from(format!("{code:0width$}")), step }
    }

    /// When this step's code ends and the next one's begins. Who has sent a code waits until then for another.
    pub fn step_ends(&self, step: u64) -> Timestamp {
        let seconds = step.saturating_add(1).saturating_mul(u64::from(self.period));
        i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("digits", &self.digits).field("period", &self.period).finish_non_exhaustive()
    }
}

/// Dynamic truncation (RFC 4226 §5.3): 31 bits from where the last octet's low four bits point.
fn truncate(digest: &[u8]) -> u32 {
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
    digest.iter().skip(offset).take(4).fold(0, |bits: u32, octet| (bits << 8) | u32::from(*octet)) & 0x7fff_ffff
}

/// RFC 4648 §6, but for letter case, blanks, hyphens and missing padding. Leftover bits are dropped, as §3.5 allows.
fn decode_base32(text: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let ignored = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'-';
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut count, mut characters) = (0_u16, 0_u8, 0_usize);
    for byte in text.trim_end_matches(|c: char| c == '=' || c == '-' || c.is_ascii_whitespace()).bytes().filter(ignored) {
        let value = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return Err(SecretError::NotBase32),
        };
        bits = (bits << 5) | u16::from(value);
        count += 5;
        characters += 1;
        if count >= 8 {
            count -= 8;
            let [_, octet] = (bits >> count).to_be_bytes();
            octets.push(octet);
        }
    }
    // 1, 3 or 6 characters of a group of 8 end in the middle of an octet.
    if matches!(characters % 8, 1 | 3 | 6) { Err(SecretError::CutOff) } else { Ok(octets) }
}

fn in_range(text: &str, least: u32, most: u32) -> Option<u32> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

fn hash_of(name: &str) -> Result<hmac::Algorithm, SecretError> {
    match name.to_ascii_uppercase().replace('-', "").as_str() {
        "SHA1" => Ok(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        "SHA256" => Ok(hmac::HMAC_SHA256),
        "SHA512" => Ok(hmac::HMAC_SHA512),
        _ => Err(SecretError::Algorithm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The shared secrets of RFC 6238 appendix B (erratum 2866): as many octets as the hash has.
    const DIGITS_20: &[u8] = b"12345678901234567890";
    const DIGITS_32: &[u8] = b"12345678901234567890123456789012";
    const DIGITS_64: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

    fn encode_base32(octets: &[u8]) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: Vec<u8> = octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1)).collect();
        let value = |group: &[u8]| group.iter().chain(&[0; 5]).take(5).fold(0, |value, bit| value << 1 | usize::from(*bit));
        bits.chunks(5).map(|group| char::from(ALPHABET[value(group)])).collect()
    }

    fn secret(text: &str) -> Result<Secret, SecretError> {
        Secret::parse(&text.to_owned().into())
    }

    fn refused(text: &str) -> SecretError {
        secret(text).expect_err(text)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn code(secret: &Secret, seconds: i64) -> String {
        secret.code(at(seconds)).text.expose_secret().to_owned()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        for (seconds, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            for (name, key, expected) in [("SHA1", DIGITS_20, sha1), ("SHA256", DIGITS_32, sha256), ("SHA512", DIGITS_64, sha512)] {
                let uri = format!("otpauth://totp/rfc?secret={}&digits=8&algorithm={name}", encode_base32(key));
                assert_eq!(code(&secret(&uri).unwrap(), seconds), expected, "{name} at {seconds}");
            }
        }
    }

    #[test]
    fn without_more_said_a_code_has_six_digits_of_sha1_and_thirty_seconds() {
        let secret = secret(&encode_base32(DIGITS_20)).unwrap();
        assert_eq!(code(&secret, 59), "287082");
        assert_eq!(code(&secret, 30), "287082");
        assert_ne!(code(&secret, 60), "287082");
    }

    #[test]
    fn base32_decodes_as_in_rfc_4648_section_10() {
        for (text, octets) in [
            ("", ""),
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"),
            ("MZXW6YTBOI======", "foobar"),
            ("mzxw6ytboi", "foobar"),
            ("MZXW 6YTB-OI\n", "foobar"),
            ("mzxw 6ytb oi== ====\r\n", "foobar"),
        ] {
            assert_eq!(decode_base32(text).unwrap().as_slice(), octets.as_bytes(), "{text}");
        }
    }

    #[test]
    fn an_otpauth_uri_says_digits_period_and_algorithm() {
        let base32 = encode_base32(DIGITS_20);
        let plain = secret(&base32).unwrap();
        for uri in [
            format!("otpauth://totp/Example:me@example.com?secret={base32}&issuer=Example"),
            format!("OTPAUTH://TOTP/x?issuer=Example&secret={}#top", base32.to_lowercase()),
            format!("  otpauth://totp?secret={base32}&algorithm=sha-1&digits=6&period=30\n"),
        ] {
            assert_eq!(code(&secret(&uri).unwrap(), 1_234_567_890), code(&plain, 1_234_567_890), "{uri}");
        }
        let slow = secret(&format!("otpauth://totp/x?secret={base32}&period=60&digits=7")).unwrap();
        assert_eq!(slow.code(at(119)).step, 1);
        assert_eq!(slow.step_ends(1), at(120));
        assert_eq!(code(&slow, 119), "4287082");
    }

    #[test]
    fn an_unusable_secret_says_what_is_wrong_with_it() {
        for (text, expected) in [
            ("", SecretError::Empty),
            (" - ==", SecretError::Empty),
            ("JBSWY3DP0", SecretError::NotBase32),
            ("JBSW=Y3DP", SecretError::NotBase32),
            ("ÄÖÜ", SecretError::NotBase32),
            ("https://example.com", SecretError::NotBase32),
            ("JBSWY3DPE", SecretError::CutOff),
            ("JBSWY3DPEHP", SecretError::CutOff),
            ("JBSWY3DPEHPK3P", SecretError::CutOff),
            ("otpauth://hotp/x?secret=JBSWY3DP&counter=1", SecretError::NotTimeBased),
            ("otpauth://", SecretError::NotTimeBased),
            ("otpauth://totp/x", SecretError::NoSecretParameter),
            ("otpauth://totp/x?secret=", SecretError::Empty),
            ("otpauth://totp/x?secret=JBSWY3DP&digits=5", SecretError::Digits),
            ("otpauth://totp/x?secret=JBSWY3DP&digits=six", SecretError::Digits),
            ("otpauth://totp/x?secret=JBSWY3DP&period=0", SecretError::Period),
            ("otpauth://totp/x?secret=JBSWY3DP&period=-30", SecretError::Period),
            ("otpauth://totp/x?secret=JBSWY3DP&algorithm=MD5", SecretError::Algorithm),
        ] {
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_printed_shows_secret_or_code() {
        let secret = secret(&encode_base32(DIGITS_20)).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret { digits: 6, period: 30, .. }");
        assert!(!format!("{:?}", secret.code(at(59))).contains("287082"));
    }

    #[test]
    fn times_at_the_edges_of_the_calendar_have_codes() {
        let secret = secret(&encode_base32(DIGITS_20)).unwrap();
        assert_eq!(secret.code(Timestamp::MIN).step, 0);
        assert_eq!(secret.step_ends(u64::MAX), Timestamp::MAX);
        assert_eq!(secret.code(Timestamp::MAX).text.expose_secret().len(), 6);
    }

    proptest! {
        #[test]
        fn any_octets_survive_base32(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let text = encode_base32(&octets);
            for text in [text.to_lowercase(), text] {
                let decoded = decode_base32(&text).unwrap();
                prop_assert_eq!(decoded.as_slice(), octets.as_slice());
            }
        }

        #[test]
        fn the_next_code_begins_where_the_step_ends(seconds in 0_i64..20_000_000_000, period in 1_u32..=3600) {
            let secret = secret(&format!("otpauth://totp/x?secret=JBSWY3DP&period={period}")).unwrap();
            let code = secret.code(at(seconds));
            let end = secret.step_ends(code.step);
            prop_assert!(end > at(seconds) && end <= at(seconds + i64::from(period)));
            prop_assert_eq!(secret.code(end).step, code.step + 1);
            prop_assert_eq!(secret.code(at(end.as_second() - 1)).step, code.step);
        }

        #[test]
        fn garbage_is_refused_and_never_quoted(text in "\\PC{0,60}") {
            if let Err(error) = secret(&text) {
                prop_assert!(text.len() < 12 || !error.to_string().contains(&text));
            }
        }

        #[test]
        fn a_garbled_uri_never_panics(rest in "(totp|hotp)?[/?&=#%a-zA-Z0-9]{0,60}") {
            drop(secret(&format!("otpauth://{rest}")));
        }
    }
}
