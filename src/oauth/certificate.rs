//! Client certificates for mutual TLS (RFC 8705 §2), checked before any request is sent.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use der::{Decode as _, Encode as _};
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::time::Time;

use super::assertion::{KeyError, SigningKey, private_key_der, unescape};
use super::key_store::{self, StoredCertificate};

/// A client certificate with its chain and the private key that belongs to it.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// Chain and key. `Debug` shows that there is a secret, and nothing of it.
    pem: SecretString,
    subject: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// Why a client certificate can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// No certificate in the PEM text or keystore.
    #[error("there is no client certificate: give one in PEM form (-----BEGIN CERTIFICATE-----) or in a PKCS#12 keystore beside its key")]
    NoCertificate,
    /// No private key in the PEM text or keystore.
    #[error(
        "there is no private key for the client certificate: give one in PEM form (-----BEGIN PRIVATE KEY-----) or in a PKCS#12 keystore"
    )]
    NoPrivateKey,
    /// The private key is there but can't be used.
    #[error("the private key entry {0}")]
    PrivateKey(KeyError),
    /// No certificate has the private key's public half.
    #[error("the private key is not the client certificate's: take both from the same binding, service key or keystore entry")]
    KeyDoesNotMatch,
    /// The keystore leaves open who the client is.
    #[error("the keystore holds several private keys with certificates: export the one entry of this client into a keystore of its own")]
    SeveralEntries,
    /// The certificate's time is over.
    #[error("the client certificate expired at {not_after}: put a renewed one in its place")]
    Expired {
        /// The last second it was valid.
        not_after: Timestamp,
    },
    /// The certificate's time has not come.
    #[error("the client certificate is not valid before {not_before}: wait until then, or correct the clock")]
    NotYetValid {
        /// The first second it will be valid.
        not_before: Timestamp,
    },
    /// X.509 version 1 or 2, which TLS libraries refuse.
    #[error("the client certificate is of X.509 version 1, which TLS does not take: have it issued with extensions, as version 3")]
    OldVersion,
    /// Damaged or of a form that isn't supported.
    #[error("{0} can't be read: it is damaged or cut off, so copy it again as a whole")]
    Unreadable(&'static str),
    /// The keystore is no PKCS#12 in DER.
    #[error("the keystore is {found}: {remedy}")]
    NotPkcs12 {
        /// What it is.
        found: &'static str,
        /// How to make it one.
        remedy: &'static str,
    },
    /// More than any client's keystore needs.
    #[error("the keystore has more than 64 KiB: export only the client's key and its chain")]
    TooLarge,
    /// Opening it would take too long.
    #[error(
        "the keystore asks for more than {} million rounds of key derivation, which would hold up other sources: export it again with \
         fewer, as with openssl pkcs12 -export -iter 100000", ROUNDS_MAX / 1_000_000
    )]
    TooManyRounds,
    /// The keystore's encryption or integrity check is none that is supported.
    #[error(
        "the keystore is protected by an algorithm that is not supported: export it again with AES-256 and SHA-256, as \
         openssl pkcs12 -export and keytool do by default"
    )]
    UnsupportedProtection,
    /// The keystore does not open.
    #[error("the keystore password does not open the keystore: check it; keystore and key must have the same password")]
    WrongPassword,
}

const LARGEST_KEYSTORE: usize = 64 * 1024;
/// The rounds of key derivation that one keystore may ask for, in all its parts together: a few seconds' work. What is usual
/// asks for 6,000 (openssl) to 1,800,000 (NSS).
pub(super) const ROUNDS_MAX: u32 = 4_000_000;

impl ClientCertificate {
    /// Reads certificate and key in PEM form. The client's certificate may stand anywhere in its chain; the rest
    /// keeps its order.
    pub fn from_pem(certificate: &str, key: &SecretString) -> Result<Self, CertificateError> {
        let text = unescape(certificate);
        let mut chain = CertificateDer::pem_slice_iter(text.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| CertificateError::Unreadable("the client certificate"))?;
        let mut key_der = private_key_der(key)?;
        let certificate = SigningKey::from_der(&key_der).map_err(CertificateError::from).and_then(|key| {
            let own = own_certificate(&chain, &key)?.ok_or(CertificateError::KeyDoesNotMatch)?;
            // RFC 5246 §7.4.2, RFC 8446 §4.4.2: the sender's certificate comes first.
            chain.get_mut(..=own).unwrap_or_default().rotate_right(1);
            Self::new(&chain, &key_der)
        });
        key_der.zeroize();
        certificate
    }

    /// Reads a PKCS#12 keystore (RFC 7292): the one private key that has a certificate, and that certificate's chain.
    pub fn from_pkcs12(keystore: &[u8], password: &SecretString) -> Result<Self, CertificateError> {
        check_form(keystore)?;
        let store = key_store::open(keystore, password.expose_secret())?;
        let certificates: Vec<_> = store.certificates.iter().map(|stored| CertificateDer::from(stored.der.as_slice())).collect();
        let keys = store.keys.iter().map(|key| PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.as_slice())));
        let usable: Vec<_> = keys.filter_map(|key| SigningKey::from_der(&key).ok().map(|signing| (key, signing))).collect();
        if usable.is_empty() {
            return Err(if store.keys.is_empty() { KeyError::NoPrivateKey } else { KeyError::Unsupported }.into());
        }
        let mut entries = Vec::with_capacity(1);
        for (key, signing) in &usable {
            entries.extend(own_certificate(&certificates, signing)?.map(|own| (own, key)));
        }
        match entries.as_slice() {
            [] => Err(CertificateError::KeyDoesNotMatch),
            [(own, key)] => Self::new(&chain_of(&store.certificates, *own), key),
            [_, _, ..] => Err(CertificateError::SeveralEntries),
        }
    }

    fn new(chain: &[CertificateDer<'_>], key: &PrivateKeyDer<'_>) -> Result<Self, CertificateError> {
        let certificate = parse(chain.first().ok_or(CertificateError::NoCertificate)?)?;
        let certificate = certificate.tbs_certificate();
        Ok(Self {
            pem: pem(chain, key),
            subject: certificate.subject().to_string(),
            not_before: timestamp(certificate.validity().not_before),
            not_after: timestamp(certificate.validity().not_after),
        })
    }

    /// The last second the certificate is valid (RFC 5280 §4.1.2.5).
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The first second the certificate is valid (RFC 5280 §4.1.2.5).
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Whom the certificate names, as RFC 4514 writes it: `CN=orders,O=Example,C=DE`.
    pub fn subject(&self) -> String {
        self.subject.clone()
    }

    /// Whether the certificate is valid at this moment, both ends included.
    pub fn check(&self, now: Timestamp) -> Result<(), CertificateError> {
        if now < self.not_before {
            Err(CertificateError::NotYetValid { not_before: self.not_before })
        } else if now.as_second() > self.not_after.as_second() {
            Err(CertificateError::Expired { not_after: self.not_after })
        } else {
            Ok(())
        }
    }

    /// The chain, the client's own certificate first, and then the key: nothing else, as `reqwest::Identity::from_pem`
    /// wants it.
    pub fn to_pem(&self) -> SecretString {
        self.pem.clone()
    }
}

impl From<KeyError> for CertificateError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NoPrivateKey => Self::NoPrivateKey,
            KeyError::Encrypted | KeyError::Damaged | KeyError::Unsupported => Self::PrivateKey(error),
        }
    }
}

/// Which of these certificates has the key's public half.
fn own_certificate(certificates: &[CertificateDer<'_>], key: &SigningKey) -> Result<Option<usize>, CertificateError> {
    if certificates.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    let key = &key.key;
    let matches = |der: &CertificateDer<'_>| CertifiedKey::new(vec![der.clone().into_owned()], Arc::clone(key)).keys_match().is_ok();
    let own = certificates.iter().position(matches);
    if own.is_none() {
        // The key's own may be one that can't be read at all, or not by TLS.
        for der in certificates {
            let certificate = parse(der)?;
            let certificate = certificate.tbs_certificate();
            let public_key = certificate.subject_public_key_info().to_der().unwrap_or_default();
            let is_own = key.public_key().is_some_and(|own| own.as_ref() == public_key);
            if is_own && certificate.version() != Version::V3 {
                return Err(CertificateError::OldVersion);
            }
        }
    }
    Ok(own)
}

/// The certificate, then its issuer, then that one's issuer, as far as the keystore has them. Of issuers with the
/// same name, the one that came with a key goes before one that Java keeps as trusted.
fn chain_of(stored: &[StoredCertificate], own: usize) -> Vec<CertificateDer<'_>> {
    let mut rest: Vec<_> = stored.iter().collect();
    let mut chain = Vec::new();
    let mut next = (own < rest.len()).then_some(own);
    while let Some(index) = next {
        let StoredCertificate { der, certificate, .. } = rest.remove(index);
        chain.push(CertificateDer::from(der.as_slice()));
        let issuer = certificate.as_ref().map(Certificate::tbs_certificate).filter(|found| found.issuer() != found.subject());
        let issuer = issuer.map(TbsCertificate::issuer);
        let named = |stored: &StoredCertificate| stored.certificate.as_ref().map(|found| found.tbs_certificate().subject().clone());
        let issuers = rest.iter().enumerate().filter(|(_, stored)| issuer.is_some() && named(stored).as_ref() == issuer);
        next = issuers.min_by_key(|(_, stored)| stored.trusted).map(|(index, _)| index);
    }
    chain
}

fn parse(der: &CertificateDer<'_>) -> Result<Certificate, CertificateError> {
    Certificate::from_der(der).map_err(|_| CertificateError::Unreadable("the client certificate"))
}

fn timestamp(time: Time) -> Timestamp {
    // 9999-12-31T23:59:59Z, "no well-defined expiration" (RFC 5280 §4.1.2.5), is a day beyond jiff's last moment.
    i64::try_from(time.to_unix_duration().as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}

fn pem(chain: &[CertificateDer<'_>], key: &PrivateKeyDer<'_>) -> SecretString {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        PrivateKeyDer::Pkcs8(_) | _ => "PRIVATE KEY",
    };
    let blocks = || chain.iter().map(|der| ("CERTIFICATE", der.as_ref())).chain([(label, key.secret_der())]);
    // Large enough never to move, which would leave a copy of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(blocks().map(|(_, der)| 2 * der.len() + 100).sum()));
    blocks().for_each(|(label, der)| push_block(&mut text, label, der));
    SecretString::from(text.as_str())
}

/// RFC 7468 §3: 64 characters a line, which are 48 octets.
fn push_block(text: &mut String, label: &str, der: &[u8]) {
    text.extend(["-----BEGIN ", label, "-----\n"]);
    for octets in der.chunks(48) {
        BASE64_STANDARD.encode_string(octets, text);
        text.push('\n');
    }
    text.extend(["-----END ", label, "-----\n"]);
}

/// Tells the files that are often taken for PKCS#12 by their first octets.
fn check_form(keystore: &[u8]) -> Result<(), CertificateError> {
    let other = |found, remedy| Err(CertificateError::NotPkcs12 { found, remedy });
    match keystore {
        [] => other("empty", "put the file's content there"),
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => other("a Java keystore (JKS or JCEKS)", KEYTOOL),
        [b'-', b'-', b'-', b'-', b'-', ..] => other("PEM text", "name its keys as certificate and privateKey instead of keystore"),
        [b'M', b'I', ..] => other("Base64 text", "decode it once more: a Secret's stringData must not hold binary data"),
        [0x30, 0x80, ..] => Err(INDEFINITE_LENGTHS),
        [0x30, ..] if keystore.len() > LARGEST_KEYSTORE => Err(CertificateError::TooLarge),
        [0x30, ..] => Ok(()),
        _ => other("no PKCS#12 file", "export key and certificate with openssl pkcs12 -export"),
    }
}

const KEYTOOL: &str = "convert it with keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype PKCS12";
/// BER as Bouncy Castle writes it unless told otherwise.
pub(super) const INDEFINITE_LENGTHS: CertificateError = CertificateError::NotPkcs12 {
    found: "encoded in BER with indefinite lengths",
    remedy: "write it anew in DER: openssl pkcs12 -in OLD -nodes -out ALL.pem, then openssl pkcs12 -export -in ALL.pem -out NEW",
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    use std::sync::LazyLock;

    use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain};
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, RsaKeySize, date_time_ymd};

    const PASSWORD: &str = "changeit";
    /// 2024-01-01T00:00:00Z and 2025-01-01T00:00:00Z, between which the certificate of the tests is valid.
    const BEGIN: i64 = 1_704_067_200;
    const END: i64 = 1_735_689_600;

    /// A client's certificate with its chain.
    struct Identity {
        key: KeyPair,
        leaf: rcgen::Certificate,
        intermediate: rcgen::Certificate,
        root: rcgen::Certificate,
    }

    impl Identity {
        fn new(key: KeyPair) -> Self {
            let authority = |name: &str| {
                let mut params = CertificateParams::default();
                params.distinguished_name.push(DnType::CommonName, name);
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                (params, KeyPair::generate().unwrap())
            };
            let (root_params, root_key) = authority("Root");
            let root = root_params.self_signed(&root_key).unwrap();
            let root_issuer = Issuer::new(root_params, root_key);
            let (params, intermediate_key) = authority("Intermediate");
            let intermediate = params.signed_by(&intermediate_key, &root_issuer).unwrap();
            let issuer = Issuer::new(params, intermediate_key);
            let leaf = leaf_params().signed_by(&key, &issuer).unwrap();
            Self { key, leaf, intermediate, root }
        }

        fn key_pem(&self) -> SecretString {
            self.key.serialize_pem().into()
        }

        fn chain_pem(&self) -> String {
            format!("{}{}{}", self.leaf.pem(), self.intermediate.pem(), self.root.pem())
        }

        fn parsed(&self) -> ClientCertificate {
            ClientCertificate::from_pem(&self.chain_pem(), &self.key_pem()).unwrap()
        }

        fn chain(&self) -> [&[u8]; 3] {
            [self.leaf.der(), self.intermediate.der(), self.root.der()]
        }

        fn keystore_entry(&self) -> KeyStoreEntry {
            let certificates = self.chain().map(|der| p12_keystore::Certificate::from_der(der).unwrap());
            let key = PrivateKey::from_der(self.key.serialized_der()).unwrap();
            KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("1", key, certificates))
        }
    }

    fn leaf_params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "DE");
        params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
        params.distinguished_name.push(DnType::CommonName, "orders");
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2025, 1, 1);
        params
    }

    static RSA: LazyLock<Identity> =
        LazyLock::new(|| Identity::new(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()));
    static EC: LazyLock<Identity> = LazyLock::new(|| Identity::new(KeyPair::generate().unwrap()));

    fn keystore(entries: &[(&str, KeyStoreEntry)], encryption: EncryptionAlgorithm, mac: MacAlgorithm) -> Vec<u8> {
        let mut store = KeyStore::new();
        for (alias, entry) in entries {
            store.add_entry(alias, entry.clone());
        }
        let writer = store.writer(PASSWORD).encryption_algorithm(encryption).mac_algorithm(mac);
        writer.encryption_iterations(10).mac_iterations(10).write().unwrap()
    }

    fn modern(entries: &[(&str, KeyStoreEntry)]) -> Vec<u8> {
        keystore(entries, EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
    }

    fn opened(keystore: &[u8], password: &str) -> Result<ClientCertificate, CertificateError> {
        ClientCertificate::from_pkcs12(keystore, &password.to_owned().into())
    }

    fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test needs the openssl command, which writes keystores that the code under test did not: install it");
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn text(certificate: &ClientCertificate) -> String {
        certificate.to_pem().expose_secret().to_owned()
    }

    fn certificates(certificate: &ClientCertificate) -> Vec<Vec<u8>> {
        CertificateDer::pem_slice_iter(text(certificate).as_bytes()).map(|der| der.unwrap().to_vec()).collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_chain_and_its_key_are_read_with_dates_and_subject() {
        let certificate = RSA.parsed();
        assert_eq!(certificate.not_before(), at(BEGIN));
        assert_eq!(certificate.not_after(), at(END));
        assert_eq!(certificate.subject(), "CN=orders,O=Example\\, Inc.,C=DE");
    }

    #[test]
    fn a_certificate_is_valid_from_its_first_to_its_last_second() {
        let certificate = EC.parsed();
        for (second, expected) in [
            (BEGIN - 1, Err(CertificateError::NotYetValid { not_before: at(BEGIN) })),
            (BEGIN, Ok(())),
            (END, Ok(())),
            (END + 1, Err(CertificateError::Expired { not_after: at(END) })),
        ] {
            assert_eq!(certificate.check(at(second)), expected, "{second}");
        }
        assert_eq!(certificate.check("2025-01-01T00:00:00.999Z".parse().unwrap()), Ok(()));
        assert_eq!(
            CertificateError::Expired { not_after: at(END) }.to_string(),
            "the client certificate expired at 2025-01-01T00:00:00Z: put a renewed one in its place"
        );
    }

    #[test]
    fn a_certificate_without_an_end_is_valid_for_good() {
        let mut params = leaf_params();
        params.not_after = date_time_ymd(9999, 12, 31);
        let pem = params.self_signed(&EC.key).unwrap().pem();
        let certificate = ClientCertificate::from_pem(&pem, &EC.key_pem()).unwrap();
        assert_eq!(certificate.not_after(), Timestamp::MAX);
        assert_eq!(certificate.check(Timestamp::MAX), Ok(()));
    }

    #[test]
    fn the_pem_is_the_chain_from_the_clients_own_certificate_on_and_then_the_key() {
        for identity in [&*RSA, &*EC] {
            let Identity { leaf, intermediate, root, .. } = identity;
            for chain in [
                identity.chain_pem(),
                format!("{}{}{}", intermediate.pem(), leaf.pem(), root.pem()),
                format!("{}{}{}", intermediate.pem(), root.pem(), leaf.pem()),
            ] {
                let certificate = ClientCertificate::from_pem(&chain, &identity.key_pem()).unwrap();
                assert_eq!(certificates(&certificate), identity.chain());
                let text = text(&certificate);
                let labels: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("-----BEGIN ")).collect();
                assert_eq!(labels, ["CERTIFICATE-----", "CERTIFICATE-----", "CERTIFICATE-----", "PRIVATE KEY-----"]);
                assert!(text.lines().all(|line| line.len() <= 64 && !line.is_empty()));
                assert_eq!(PrivateKeyDer::from_pem_slice(text.as_bytes()).unwrap().secret_der(), identity.key.serialized_der(),);
            }
        }
    }

    #[test]
    fn line_ends_that_json_escaped_twice_are_line_ends() {
        let chain = RSA.chain_pem().replace('\n', "\\n");
        let key = RSA.key.serialize_pem().replace('\n', "\\n");
        assert_eq!(text(&ClientCertificate::from_pem(&chain, &key.into()).unwrap()), text(&RSA.parsed()));
    }

    #[test]
    fn what_is_not_the_clients_says_so() {
        let chain = RSA.chain_pem();
        let key = RSA.key.serialize_pem();
        let damaged = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        let foreign = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
        for (what, chain, key, expected) in [
            ("no certificate", "", key.as_str(), CertificateError::NoCertificate),
            ("the key in the certificate's place", &key, &key, CertificateError::NoCertificate),
            ("no key", &chain, "", CertificateError::NoPrivateKey),
            ("the certificate in the key's place", &chain, &chain, CertificateError::NoPrivateKey),
            ("another's key", &chain, &EC.key.serialize_pem(), CertificateError::KeyDoesNotMatch),
            ("the chain without the client's own", &RSA.root.pem(), &key, CertificateError::KeyDoesNotMatch),
            ("no Base64", damaged, &key, CertificateError::Unreadable("the client certificate")),
            ("no X.509", foreign, &key, CertificateError::Unreadable("the client certificate")),
            ("a cut certificate", &chain[..200], &key, CertificateError::Unreadable("the client certificate")),
            ("a cut key", &chain, &key[..200], CertificateError::PrivateKey(KeyError::Damaged)),
        ] {
            assert_eq!(ClientCertificate::from_pem(chain, &key.to_owned().into()).unwrap_err(), expected, "{what}");
        }
    }

    #[test]
    fn a_certificate_of_version_1_is_named_as_what_it_is() {
        // rcgen makes version 3 only: without its version field (RFC 5280 §4.1.2.1), a certificate is of version 1.
        let mut der = EC.leaf.der().to_vec();
        let version = der.windows(5).position(|octets| octets == [0xa0, 3, 2, 1, 2]).unwrap();
        der.drain(version..version + 5);
        der[version - 1] -= 5;
        der[3] -= 5;
        let mut pem = String::new();
        push_block(&mut pem, "CERTIFICATE", &der);
        assert_eq!(ClientCertificate::from_pem(&pem, &EC.key_pem()).unwrap_err(), CertificateError::OldVersion);
    }

    #[test]
    fn a_keystore_of_any_usual_protection_opens() {
        for encryption in [
            EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
            EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
            EncryptionAlgorithm::PbeWithShaAnd40BitRc4Cbc,
        ] {
            for mac in [MacAlgorithm::HmacSha1, MacAlgorithm::HmacSha256, MacAlgorithm::HmacSha512] {
                for identity in [&*RSA, &*EC] {
                    let keystore = keystore(&[("client", identity.keystore_entry())], encryption, mac);
                    let certificate = opened(&keystore, PASSWORD).unwrap();
                    assert_eq!(text(&certificate), text(&identity.parsed()), "{encryption:?} {mac:?}");
                }
            }
        }
    }

    #[test]
    fn a_keystore_that_openssl_wrote_opens() {
        let pass = format!("pass:{PASSWORD}");
        for protection in [
            &[][..],
            &["-legacy"],
            &["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
            &["-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC", "-macalg", "sha512"],
            &["-certpbe", "NONE"],
            &["-nomac"],
        ] {
            let arguments = [&["pkcs12", "-export", "-passout", &pass], protection].concat();
            for identity in [&*RSA, &*EC] {
                // The key first, the chain upside down: the keystore's order is not TLS's.
                let input = format!(
                    "{}{}{}{}",
                    identity.key.serialize_pem(),
                    identity.leaf.pem(),
                    identity.root.pem(),
                    identity.intermediate.pem(),
                );
                let keystore = openssl(&arguments, input.as_bytes());
                let certificate = opened(&keystore, PASSWORD).unwrap_or_else(|error| panic!("{protection:?}: {error}"));
                assert_eq!(certificates(&certificate), identity.chain(), "{protection:?}");
                assert_eq!(certificate.subject(), identity.parsed().subject());
                assert_eq!(opened(&keystore, "wrong").unwrap_err(), CertificateError::WrongPassword, "{protection:?}");
            }
        }
    }

    #[test]
    fn a_wrong_password_is_told_from_a_damaged_keystore() {
        let keystore = modern(&[("client", EC.keystore_entry())]);
        assert_eq!(opened(&keystore, "wrong").unwrap_err(), CertificateError::WrongPassword);
        assert_eq!(opened(&keystore, "").unwrap_err(), CertificateError::WrongPassword);
        assert_eq!(opened(&keystore[..300], PASSWORD).unwrap_err(), CertificateError::Unreadable("the keystore"));
    }

    #[test]
    fn a_keystore_must_hold_one_key_with_its_certificate() {
        let authority = KeyStoreEntry::Certificate(p12_keystore::Certificate::from_der(RSA.root.der()).unwrap());
        let other = p12_keystore::Certificate::from_der(EC.leaf.der()).unwrap();
        let key = PrivateKey::from_der(RSA.key.serialized_der()).unwrap();
        let foreign = KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("1", key.clone(), [other]));
        let bare = KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("1", key, []));
        for (what, entries, expected) in [
            ("certificates alone", vec![("ca", authority.clone())], CertificateError::NoPrivateKey),
            ("a key alone", vec![("client", bare)], CertificateError::NoCertificate),
            ("another's certificate", vec![("client", foreign)], CertificateError::KeyDoesNotMatch),
            ("two clients", vec![("a", RSA.keystore_entry()), ("b", EC.keystore_entry())], CertificateError::SeveralEntries),
        ] {
            assert_eq!(opened(&modern(&entries), PASSWORD).unwrap_err(), expected, "{what}");
        }
        let beside = modern(&[("ca", authority), ("client", EC.keystore_entry())]);
        assert_eq!(certificates(&opened(&beside, PASSWORD).unwrap()), EC.chain());
    }

    #[test]
    fn what_is_no_keystore_says_what_it_is_and_how_to_make_it_one() {
        let too_large = vec![0x30; LARGEST_KEYSTORE + 1];
        let indefinite_inside = [0x30, 0x07, 0x02, 0x01, 0x03, 0x30, 0x80, 0x00, 0x00];
        for (keystore, expected) in [
            (&b""[..], "the keystore is empty"),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", "the keystore is a Java keystore"),
            (b"-----BEGIN CERTIFICATE-----", "the keystore is PEM text"),
            (b"MIIJzwIBAzCC", "the keystore is Base64 text"),
            (b"0\x80\x02\x01\x03", "the keystore is encoded in BER"),
            (&indefinite_inside, "the keystore is encoded in BER"),
            (b"PK\x03\x04", "the keystore is no PKCS#12 file"),
            (b"0\x03\x02\x01\x01", "the keystore can't be read"),
            (&too_large, "the keystore has more than 64 KiB"),
        ] {
            let error = opened(keystore, PASSWORD).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_keystore_that_would_take_long_is_refused_at_once() {
        // 100,000 in DER, and 8,388,607, which is as long.
        let (usual, many) = ([0x02, 0x03, 0x01, 0x86, 0xa0], [0x02, 0x03, 0x7f, 0xff, 0xff]);
        let pass = format!("pass:{PASSWORD}");
        let input = format!("{}{}", EC.key.serialize_pem(), EC.chain_pem());
        for protection in [&["-iter", "100000"][..], &["-iter", "100000", "-nomac"], &["-certpbe", "NONE", "-iter", "100000", "-nomac"]] {
            let mut keystore = openssl(&[&["pkcs12", "-export", "-passout", &pass], protection].concat(), input.as_bytes());
            assert!(opened(&keystore, PASSWORD).is_ok(), "{protection:?}");
            while let Some(position) = keystore.windows(5).position(|octets| octets == usual) {
                keystore[position..position + 5].copy_from_slice(&many);
            }
            let error = opened(&keystore, PASSWORD).unwrap_err();
            assert_eq!(error, CertificateError::TooManyRounds, "{protection:?}");
            assert!(error.to_string().starts_with("the keystore asks for more than 4 million rounds"), "{error}");
        }
    }

    #[test]
    fn a_derivation_that_takes_memory_is_not_supported() {
        // scrypt in the place of PBKDF2 (RFC 7914 §7.1, RFC 8018 appendix A.2): the identifiers are of the same length.
        let pbkdf2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
        let scrypt = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];
        let mut keystore = KEYSTORES[2].clone();
        let position = keystore.windows(9).position(|octets| octets == pbkdf2).unwrap();
        keystore[position..position + 9].copy_from_slice(&scrypt);
        assert_eq!(opened(&keystore, PASSWORD).unwrap_err(), CertificateError::UnsupportedProtection);
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let printed = format!("{:?}", EC.parsed());
        assert!(printed.contains("CN=orders") && !printed.contains("PRIVATE"), "{printed}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn garbage_is_no_identity_and_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,100}") {
            prop_assert!(opened(&octets, PASSWORD).is_err());
            prop_assert!(ClientCertificate::from_pem(&text, &RSA.key_pem()).is_err());
            let certificate = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(&octets));
            prop_assert!(ClientCertificate::from_pem(&certificate, &RSA.key_pem()).is_err());
        }

        #[test]
        fn a_damaged_keystore_never_panics(which in 0_usize..3, position in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut keystore = KEYSTORES[which].clone();
            let position = position.index(keystore.len());
            keystore[position] = octet;
            drop(opened(&keystore, PASSWORD));
            keystore.truncate(position);
            prop_assert!(opened(&keystore, PASSWORD).is_err());
        }

        #[test]
        fn a_damaged_certificate_never_panics(position in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut der = EC.leaf.der().to_vec();
            let position = position.index(der.len());
            der[position] = octet;
            let mut pem = String::new();
            push_block(&mut pem, "CERTIFICATE", &der);
            if let Ok(certificate) = ClientCertificate::from_pem(&pem, &EC.key_pem()) {
                drop(certificate.check(at(BEGIN)));
            }
        }
    }

    /// One with an integrity check, and two without, whose damage reaches what is behind it.
    static KEYSTORES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
        let input = format!("{}{}", EC.key.serialize_pem(), EC.chain_pem());
        let pass = format!("pass:{PASSWORD}");
        let export = |protection: &[&str]| {
            // In this order: -iter behind -nomac brings the integrity check back.
            openssl(&[&["pkcs12", "-export", "-iter", "1", "-nomac", "-passout", &pass], protection].concat(), input.as_bytes())
        };
        [
            modern(&[("client", EC.keystore_entry())]),
            export(&["-certpbe", "NONE", "-keypbe", "PBE-SHA1-3DES"]),
            export(&["-certpbe", "NONE", "-keypbe", "AES-256-CBC"]),
        ]
    });
}
