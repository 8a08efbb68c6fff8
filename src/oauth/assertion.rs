//! JWTs that the client signs itself: client assertions and authorization grants (RFC 7523), as compact JWS
//! (RFC 7515 §7.1).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject as _};
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use thiserror::Error;

/// A signature algorithm of JWS, by its `alg` value (RFC 7518 §3.1; `EdDSA`: RFC 8037 §3.1, here over Ed25519).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    /// Every algorithm that can be signed with.
    pub const ALL: [Self; 9] =
        [Self::RS256, Self::RS384, Self::RS512, Self::PS256, Self::PS384, Self::PS512, Self::ES256, Self::ES384, Self::EdDSA];

    /// The algorithm of this JOSE name. Case matters (RFC 7515 §4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// The JOSE name, as the `alg` header carries it.
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The kind of key that signs with this algorithm.
    pub fn key_kind(self) -> KeyKind {
        self.facts().1
    }

    /// The same algorithm by its TLS name, which is what rustls's signers go by.
    fn scheme(self) -> SignatureScheme {
        self.facts().2
    }

    fn facts(self) -> (&'static str, KeyKind, SignatureScheme) {
        match self {
            Self::RS256 => ("RS256", KeyKind::Rsa, SignatureScheme::RSA_PKCS1_SHA256),
            Self::RS384 => ("RS384", KeyKind::Rsa, SignatureScheme::RSA_PKCS1_SHA384),
            Self::RS512 => ("RS512", KeyKind::Rsa, SignatureScheme::RSA_PKCS1_SHA512),
            Self::PS256 => ("PS256", KeyKind::Rsa, SignatureScheme::RSA_PSS_SHA256),
            Self::PS384 => ("PS384", KeyKind::Rsa, SignatureScheme::RSA_PSS_SHA384),
            Self::PS512 => ("PS512", KeyKind::Rsa, SignatureScheme::RSA_PSS_SHA512),
            Self::ES256 => ("ES256", KeyKind::P256, SignatureScheme::ECDSA_NISTP256_SHA256),
            Self::ES384 => ("ES384", KeyKind::P384, SignatureScheme::ECDSA_NISTP384_SHA384),
            Self::EdDSA => ("EdDSA", KeyKind::Ed25519, SignatureScheme::ED25519),
        }
    }
}

/// The kind of a private key, as far as choosing an algorithm needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// Elliptic curve P-256 (`prime256v1`, `secp256r1`).
    P256,
    /// Elliptic curve P-384 (`secp384r1`).
    P384,
    /// Edwards curve Ed25519.
    Ed25519,
}

impl KeyKind {
    const ALL: [Self; 4] = [Self::Rsa, Self::P256, Self::P384, Self::Ed25519];

    /// The algorithm that most servers expect of such a key.
    pub fn usual_algorithm(self) -> Algorithm {
        match self {
            Self::Rsa => Algorithm::RS256,
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
            Self::Ed25519 => Algorithm::EdDSA,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "an RSA key",
            Self::P256 => "an EC key on P-256",
            Self::P384 => "an EC key on P-384",
            Self::Ed25519 => "an Ed25519 key",
        })
    }
}

/// A private key that can sign, parsed once. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningKey {
    /// As rustls takes it.
    pub(super) key: Arc<dyn rustls::sign::SigningKey>,
    kind: KeyKind,
}

/// Why a private key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No private key block in the text.
    #[error("holds no private key in PEM form: it must have a -----BEGIN PRIVATE KEY----- block (or RSA or EC PRIVATE KEY)")]
    NoPrivateKey,
    /// The key is protected by a passphrase.
    #[error("holds a private key that is encrypted with a passphrase: decrypt it first, with openssl pkey -in FILE")]
    Encrypted,
    /// A block that is no PEM: cut off, or not Base64.
    #[error("holds a private key block that is cut off or damaged: copy the whole file, from its BEGIN line to its END line")]
    Damaged,
    /// A key that the crypto provider does not take.
    #[error("holds a private key that can't be used: it must be RSA of 2048 to 4096 bits, EC on P-256 or P-384, or Ed25519")]
    Unsupported,
}

impl SigningKey {
    /// Reads the first private key of a PEM text: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 §A.1.2) or SEC1 (RFC 5915).
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let mut der = private_key_der(pem)?;
        let key = Self::from_der(&der);
        der.zeroize();
        key
    }

    /// Takes a key in any of these forms without its PEM.
    pub(super) fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let key = any_supported_type(der).map_err(|_| KeyError::Unsupported)?;
        let signs_as = |kind: &KeyKind| key.choose_scheme(&[kind.usual_algorithm().scheme()]).is_some();
        let kind = KeyKind::ALL.into_iter().find(signs_as).ok_or(KeyError::Unsupported)?;
        Ok(Self { key, kind })
    }

    /// The kind of this key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The first private key of a PEM text, whatever its form. The caller wipes it.
pub(super) fn private_key_der(pem: &SecretString) -> Result<PrivateKeyDer<'static>, KeyError> {
    let text = SecretString::from(unescape(pem.expose_secret()).into_owned());
    // RFC 7468 §11 and, in the older form, RFC 1421 §4.6.1.1.
    let encrypted = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];
    PrivateKeyDer::from_pem_slice(text.expose_secret().as_bytes()).map_err(|error| {
        if encrypted.iter().any(|mark| text.expose_secret().contains(mark)) {
            KeyError::Encrypted
        } else if matches!(error, pem::Error::NoItemsFound) {
            KeyError::NoPrivateKey
        } else {
            KeyError::Damaged
        }
    })
}

/// Line ends that were escaped once too often on their way through JSON become line ends. No PEM has a backslash.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains('\\') { Cow::Owned(text.replace("\\r", "").replace("\\n", "\n")) } else { Cow::Borrowed(text) }
}

/// What an assertion says (RFC 7523 §3). `nbf` is optional there and left out: a server whose clock is behind would
/// refuse the assertion for it. Who needs one puts it among the extra claims.
#[derive(Debug, Clone)]
pub struct Claims<'a> {
    /// `iss`: the client id in a client assertion.
    pub issuer: &'a str,
    /// `sub`: the client id in a client assertion, the user in a grant.
    pub subject: &'a str,
    /// `aud`: the authorization server. One string, for few servers take a list.
    pub audience: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
    /// How long after `iat` the assertion expires (`exp`); whole seconds count.
    pub lifetime: Duration,
    /// `jti`: new for every attempt, because servers refuse a replay.
    pub jwt_id: &'a str,
    /// Claims beside these. None of the above may be among them.
    pub extra: &'a Map<String, Value>,
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The algorithm is for another kind of key.
    #[error(
        "algorithm {} needs {}, but the private key is {key}: set the algorithm to {}, or use another key",
        algorithm.as_str(), algorithm.key_kind(), key.usual_algorithm().as_str()
    )]
    AlgorithmDoesNotFit {
        /// The algorithm asked for.
        algorithm: Algorithm,
        /// The key at hand.
        key: KeyKind,
    },
    /// An extra claim has the name of one that the assertion sets itself.
    #[error("claim {claim} is set by the assertion itself: remove it from the extra claims")]
    RegisteredClaim {
        /// The claim's name.
        claim: &'static str,
    },
    /// No whole second, or an end beyond any calendar.
    #[error("the assertion's lifetime must be at least one second and end before the year 10000")]
    Lifetime,
    /// The crypto provider refused to sign.
    #[error("the crypto provider could not sign with the private key: the key is damaged, or there was no randomness")]
    Provider,
}

/// Signs an assertion: a compact JWS (RFC 7515 §7.1) with `alg`, `typ` and, where there is a key id, `kid` in its
/// header. Whoever holds it can be the client until it expires, so it is a secret.
pub fn sign(key: &SigningKey, algorithm: Algorithm, key_id: Option<&str>, claims: &Claims<'_>) -> Result<SecretString, SignError> {
    let does_not_fit = SignError::AlgorithmDoesNotFit { algorithm, key: key.kind };
    let signer = key.key.choose_scheme(&[algorithm.scheme()]).ok_or(does_not_fit)?;
    let header = [("alg", Some(algorithm.as_str())), ("typ", Some("JWT")), ("kid", key_id)];
    let header = header.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    let encode = |object| BASE64_URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
    let signing_input = format!("{}.{}", encode(header), encode(payload(claims)?));
    let signature = signer.sign(signing_input.as_bytes()).map_err(|_| SignError::Provider)?;
    let signature = match algorithm.key_kind() {
        KeyKind::Rsa | KeyKind::Ed25519 => signature,
        KeyKind::P256 => fixed_length(&signature, 32).ok_or(SignError::Provider)?,
        KeyKind::P384 => fixed_length(&signature, 48).ok_or(SignError::Provider)?,
    };
    Ok(SecretString::from(format!("{signing_input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))))
}

fn payload(claims: &Claims<'_>) -> Result<Map<String, Value>, SignError> {
    let issued_at = claims.issued_at.as_second();
    let expires_at = i64::try_from(claims.lifetime.as_secs())
        .ok()
        .and_then(|seconds| issued_at.checked_add(seconds))
        .filter(|end| (issued_at + 1..=Timestamp::MAX.as_second()).contains(end))
        .ok_or(SignError::Lifetime)?;
    let own = [
        ("iss", Value::from(claims.issuer)),
        ("sub", Value::from(claims.subject)),
        ("aud", Value::from(claims.audience)),
        ("iat", Value::from(issued_at)),
        ("exp", Value::from(expires_at)),
        ("jti", Value::from(claims.jwt_id)),
    ];
    let mut payload = claims.extra.clone();
    for (claim, value) in own {
        if payload.insert(claim.to_owned(), value).is_some() {
            return Err(SignError::RegisteredClaim { claim });
        }
    }
    Ok(payload)
}

/// An ECDSA signature for JWS, r and s of `size` octets each (RFC 7518 §3.4), from the DER of TLS (RFC 3279 §2.2.3).
fn fixed_length(der: &[u8], size: usize) -> Option<Vec<u8>> {
    let [0x30, length, integers @ ..] = der else { return None };
    let (r, rest) = padded_integer(integers, size)?;
    let (s, rest) = padded_integer(rest, size)?;
    (rest.is_empty() && usize::from(*length) == integers.len()).then(|| [r, s].concat())
}

fn padded_integer(der: &[u8], size: usize) -> Option<(Vec<u8>, &[u8])> {
    let [0x02, length, rest @ ..] = der else { return None };
    let (value, rest) = rest.split_at_checked(usize::from(*length))?;
    let digits = value.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    Some(([vec![0; size.checked_sub(digits.len())?], digits].concat(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize};
    use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
    use serde_json::json;

    static RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap());
    static P256: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap());
    static P384: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap());
    static ED25519: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap());

    fn key_pair(kind: KeyKind) -> &'static KeyPair {
        match kind {
            KeyKind::Rsa => &RSA,
            KeyKind::P256 => &P256,
            KeyKind::P384 => &P384,
            KeyKind::Ed25519 => &ED25519,
        }
    }

    fn verification(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
        match algorithm {
            Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
            Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
            Algorithm::EdDSA => &signature::ED25519,
        }
    }

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
    }

    fn parsed(pem: &str) -> Result<SigningKey, KeyError> {
        SigningKey::from_pem(&pem.to_owned().into())
    }

    fn key(kind: KeyKind) -> SigningKey {
        parsed(&key_pair(kind).serialize_pem()).unwrap()
    }

    /// First element and rest.
    fn tlv(der: &[u8]) -> (&[u8], &[u8]) {
        let (length, head) = match der[1] {
            0x81 => (usize::from(der[2]), 3),
            0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
            short => (usize::from(short), 2),
        };
        der[head..].split_at(length)
    }

    /// What PKCS#8 wraps: PKCS#1 or SEC1.
    fn unwrapped(pkcs8: &[u8]) -> &[u8] {
        let (_version, rest) = tlv(tlv(pkcs8).0);
        let (_algorithm, rest) = tlv(rest);
        tlv(rest).0
    }

    fn claims(extra: &Map<String, Value>) -> Claims<'_> {
        Claims {
            issuer: "orders",
            subject: "orders",
            audience: "https://auth.example.com/oauth/token",
            issued_at: Timestamp::from_second(1_700_000_000).unwrap(),
            lifetime: Duration::from_secs(300),
            jwt_id: "7f3a",
            extra,
        }
    }

    fn signed(algorithm: Algorithm, key_id: Option<&str>, extra: &Map<String, Value>) -> Result<String, SignError> {
        sign(&key(algorithm.key_kind()), algorithm, key_id, &claims(extra)).map(|jws| jws.expose_secret().to_owned())
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    fn verifies(jws: &str, algorithm: Algorithm, key: &KeyPair) -> bool {
        let (signing_input, signature) = jws.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(verification(algorithm), key.der_bytes()).verify(signing_input.as_bytes(), &signature).is_ok()
    }

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_algorithm_makes_a_jws_that_verifies() {
        for algorithm in Algorithm::ALL {
            let jws = signed(algorithm, Some("key-1"), &Map::new()).unwrap();
            assert!(verifies(&jws, algorithm, key_pair(algorithm.key_kind())), "{algorithm:?}");
            let header = decoded(jws.split('.').next().unwrap());
            assert_eq!(header, json!({ "alg": algorithm.as_str(), "typ": "JWT", "kid": "key-1" }));
        }
    }

    #[test]
    fn an_assertion_says_what_rfc_7523_section_3_wants() {
        let extra = object(json!({ "zone": "acme", "roles": ["a", "b"], "nbf": 0 }));
        let jws = signed(Algorithm::ES256, None, &extra).unwrap();
        let parts: Vec<&str> = jws.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(decoded(parts[0]), json!({ "alg": "ES256", "typ": "JWT" }));
        assert_eq!(
            decoded(parts[1]),
            json!({
                "iss": "orders", "sub": "orders", "aud": "https://auth.example.com/oauth/token",
                "iat": 1_700_000_000, "exp": 1_700_000_300, "jti": "7f3a", "zone": "acme", "roles": ["a", "b"], "nbf": 0,
            })
        );
    }

    #[test]
    fn an_extra_claim_can_not_replace_one_of_the_assertions_own() {
        for claim in ["iss", "sub", "aud", "iat", "exp", "jti"] {
            let extra = Map::from_iter([(claim.to_owned(), Value::Null)]);
            let error = signed(Algorithm::EdDSA, None, &extra).unwrap_err();
            assert_eq!(error, SignError::RegisteredClaim { claim });
            assert!(error.to_string().contains(claim));
        }
    }

    #[test]
    fn an_algorithm_for_another_key_is_refused_and_both_are_named() {
        for kind in KeyKind::ALL {
            for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.key_kind() != kind) {
                let error = sign(&key(kind), algorithm, None, &claims(&Map::new())).unwrap_err();
                assert_eq!(error, SignError::AlgorithmDoesNotFit { algorithm, key: kind });
            }
        }
        assert_eq!(
            SignError::AlgorithmDoesNotFit { algorithm: Algorithm::RS256, key: KeyKind::P384 }.to_string(),
            "algorithm RS256 needs an RSA key, but the private key is an EC key on P-384: set the algorithm to ES384, or use another key"
        );
    }

    #[test]
    fn a_lifetime_without_a_whole_second_or_without_an_end_is_refused() {
        for lifetime in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(300_000_000_000), Duration::MAX] {
            let claims = Claims { lifetime, ..claims(&EMPTY) };
            assert_eq!(sign(&key(KeyKind::P256), Algorithm::ES256, None, &claims).unwrap_err(), SignError::Lifetime, "{lifetime:?}");
        }
    }

    static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

    #[test]
    fn algorithms_go_by_their_jose_names_alone() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
        }
        for name in ["none", "HS256", "rs256", "ES512", "EDDSA", ""] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_key_is_read_in_every_form_that_it_comes_in() {
        let pkcs1 = pem("RSA PRIVATE KEY", unwrapped(RSA.serialized_der()));
        let sec1 = pem("EC PRIVATE KEY", unwrapped(P256.serialized_der()));
        let certificate = rcgen::CertificateParams::default().self_signed(&*P256).unwrap().pem();
        for (form, text, kind) in [
            ("PKCS#8 RSA", RSA.serialize_pem(), KeyKind::Rsa),
            ("PKCS#8 EC", P384.serialize_pem(), KeyKind::P384),
            ("PKCS#8 Ed25519", ED25519.serialize_pem(), KeyKind::Ed25519),
            ("PKCS#1", pkcs1, KeyKind::Rsa),
            ("SEC1", sec1.clone(), KeyKind::P256),
            ("SEC1 P-384", pem("EC PRIVATE KEY", unwrapped(P384.serialized_der())), KeyKind::P384),
            ("SEC1 as openssl ecparam writes it", format!("{}{sec1}", pem("EC PARAMETERS", b"\x06\x01\x00")), KeyKind::P256),
            ("after a certificate", format!("{certificate}{}", RSA.serialize_pem()), KeyKind::Rsa),
            ("the first of two", format!("{}{}", P256.serialize_pem(), RSA.serialize_pem()), KeyKind::P256),
            ("Windows line ends", P256.serialize_pem().replace('\n', "\r\n"), KeyKind::P256),
            ("escaped line ends", P256.serialize_pem().replace('\n', "\\n"), KeyKind::P256),
            ("escaped Windows line ends", P256.serialize_pem().replace('\n', "\\r\\n"), KeyKind::P256),
        ] {
            assert_eq!(parsed(&text).map(|key| key.kind()), Ok(kind), "{form}");
        }
    }

    #[test]
    fn a_key_that_can_not_be_used_says_what_to_do() {
        let certificate = rcgen::CertificateParams::default().self_signed(&*P256).unwrap().pem();
        let whole = P256.serialize_pem();
        for (what, text, expected) in [
            ("nothing", String::new(), KeyError::NoPrivateKey),
            ("no PEM", "s3cret".to_owned(), KeyError::NoPrivateKey),
            ("a certificate alone", certificate, KeyError::NoPrivateKey),
            ("a public key", P256.public_key_pem(), KeyError::NoPrivateKey),
            ("PKCS#8 with a passphrase", pem("ENCRYPTED PRIVATE KEY", b"xyz"), KeyError::Encrypted),
            (
                "PKCS#1 with a passphrase",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
                    .to_owned(),
                KeyError::Encrypted,
            ),
            ("a key without its end", whole.replace("-----END PRIVATE KEY-----", ""), KeyError::Damaged),
            ("a key that is not Base64", "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n".to_owned(), KeyError::Damaged),
            ("something else in a key's block", pem("PRIVATE KEY", b"something else"), KeyError::Unsupported),
            ("half a key", pem("PRIVATE KEY", &P256.serialized_der()[..40]), KeyError::Unsupported),
        ] {
            assert_eq!(parsed(&text).unwrap_err(), expected, "{what}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        assert_eq!(format!("{:?}", key(KeyKind::P256)), "SigningKey");
        let jws = sign(&key(KeyKind::P256), Algorithm::ES256, None, &claims(&EMPTY)).unwrap();
        assert!(!format!("{jws:?}").contains("ey"));
    }

    #[test]
    fn short_and_signed_integers_get_their_fixed_length() {
        assert_eq!(fixed_length(&[0x30, 7, 2, 2, 0, 0x81, 2, 1, 5], 2), Some(vec![0, 0x81, 0, 5]));
        for (what, der) in [
            ("nothing", &[][..]),
            ("a wrong length", &[0x30, 9, 2, 1, 1, 2, 1, 1][..]),
            ("one integer", &[0x30, 3, 2, 1, 1][..]),
            ("three integers", &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1][..]),
            ("too long an integer", &[0x30, 8, 2, 3, 1, 1, 1, 2, 1, 1][..]),
            ("a cut integer", &[0x30, 5, 2, 1, 1, 2, 4][..]),
        ] {
            assert_eq!(fixed_length(der, 2), None, "{what}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_claims_verify_and_come_out_as_they_went_in(
            issuer in "\\PC{0,40}",
            subject in "\\PC{0,40}",
            extra in proptest::collection::hash_map("x[a-z]{0,8}", "\\PC{0,20}", 0..5),
            algorithm in proptest::sample::select(&[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA][..]),
        ) {
            let extra: Map<String, Value> = extra.into_iter().map(|(name, value)| (name, value.into())).collect();
            let claims = Claims { issuer: &issuer, subject: &subject, ..claims(&extra) };
            let jws = sign(&key(algorithm.key_kind()), algorithm, Some(&issuer), &claims).unwrap();
            let jws = jws.expose_secret();
            prop_assert!(verifies(jws, algorithm, key_pair(algorithm.key_kind())));
            let payload = decoded(jws.split('.').nth(1).unwrap());
            prop_assert_eq!(&payload["iss"], &Value::from(issuer));
            prop_assert_eq!(&payload["sub"], &Value::from(subject));
            for (name, value) in &extra {
                prop_assert_eq!(&payload[name], value);
            }
        }

        #[test]
        fn garbage_is_no_key_and_never_panics(
            label in "(RSA |EC |ENCRYPTED )?PRIVATE KEY",
            octets in proptest::collection::vec(any::<u8>(), 0..200),
            text in "\\PC{0,100}",
        ) {
            prop_assert!(parsed(&pem(&label, &octets)).is_err());
            prop_assert!(parsed(&text).is_err());
        }

        #[test]
        fn a_damaged_key_never_panics(position in 0_usize..1000, octet in any::<u8>(), cut in 0_usize..1000) {
            for kind in KeyKind::ALL {
                let mut der = key_pair(kind).serialized_der().to_vec();
                let position = position % der.len();
                der[position] = octet;
                drop(parsed(&pem("PRIVATE KEY", &der)));
                der.truncate(cut % der.len());
                drop(parsed(&pem("PRIVATE KEY", &der)));
            }
        }

        #[test]
        fn garbage_is_no_signature_and_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(fixed) = fixed_length(&octets, 32) {
                prop_assert_eq!(fixed.len(), 64);
            }
        }
    }
}
