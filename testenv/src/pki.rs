//! Throw-away keys and certificates, made at start and gone at the end.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize, SanType,
};

use crate::accounts::MUTUAL_TLS_SUBJECT;
use crate::error::{Error, InFile};

/// Subject of the world's CA.
pub(crate) const CA_SUBJECT: &str = "oauth-test-ca";

/// Names of the PEM files in [`crate::World::pki`]: `NAME.crt` the certificate, `NAME.key` the private key (PKCS#8).
#[derive(Clone, Debug)]
pub struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// The CA that signed what follows; `ca.crt` is to be trusted.
    pub const CA: &str = "ca";
    /// Serving certificate for `127.0.0.1` and `localhost`.
    pub const SERVER: &str = "server";
    /// Client certificate of the Keycloak client `mtls` (RSA).
    pub const CLIENT: &str = "client";
    /// A client certificate of the same CA that belongs to no client.
    pub const OTHER: &str = "other";
    /// RSA; signs JWT assertions: `private_key_jwt` of `pkjwt`, and those of the assertion issuer. Public key in `signing.pub`.
    pub const SIGNING: &str = "signing";
    /// RSA; signs assertions that nobody trusts.
    pub const WRONG: &str = "wrong";
    /// RSA; signs SAML assertions of the identity provider that the UAA trusts.
    pub const SAML_IDP: &str = "saml-idp";
    /// RSA; the UAA's own SAML key.
    pub(crate) const UAA_SP: &str = "uaa-sp";
    /// RSA; signs the UAA's tokens.
    pub(crate) const UAA_TOKEN: &str = "uaa-token";

    /// Makes everything in `folder`.
    pub(crate) fn create(folder: PathBuf) -> Result<Self, Error> {
        let pki = Self { folder };
        let ca = authority(CA_SUBJECT)?;
        pki.write(&format!("{}.crt", Self::CA), &ca.pem())?;
        pki.write(&format!("{}.key", Self::CA), &ca.key().serialize_pem())?;
        pki.issue(&ca, Self::SERVER, &serving("127.0.0.1", &["127.0.0.1", "localhost"])?)?;
        pki.issue(&ca, Self::CLIENT, &authenticating(MUTUAL_TLS_SUBJECT)?)?;
        pki.issue(&ca, Self::OTHER, &authenticating("other-client")?)?;
        for name in [Self::SIGNING, Self::WRONG, Self::SAML_IDP, Self::UAA_SP, Self::UAA_TOKEN] {
            pki.self_sign(name)?;
        }
        Ok(pki)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a certificate.
    pub(crate) fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.crt"))
    }

    /// The file of a private key.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    /// The text of one of the files.
    pub(crate) fn read(&self, file: &str) -> Result<String, Error> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).in_file(path)
    }

    fn issue(&self, ca: &Authority, name: &str, parameters: &CertificateParams) -> Result<(), Error> {
        let key = rsa_key()?;
        self.write_pair(name, &parameters.signed_by(&key, ca)?.pem(), &key)
    }

    fn self_sign(&self, name: &str) -> Result<(), Error> {
        let key = rsa_key()?;
        self.write_pair(name, &named(name)?.self_signed(&key)?.pem(), &key)?;
        self.write(&format!("{name}.pub"), &key.public_key_pem())
    }

    fn write_pair(&self, name: &str, certificate: &str, key: &KeyPair) -> Result<(), Error> {
        self.write(&format!("{name}.crt"), certificate)?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
    }

    fn write(&self, file: &str, text: &str) -> Result<(), Error> {
        let path = self.folder.join(file);
        fs::write(&path, text).in_file(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).in_file(path)
    }
}

/// A CA with its key.
pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A new CA. Its key is elliptic, which is made in no time.
pub(crate) fn authority(subject: &str) -> Result<Authority, Error> {
    let mut parameters = named(subject)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?)
}

/// Parameters of a serving certificate for `names`, DNS names or IPv4 addresses. A name that rustls accepts must be among the
/// subject alternative names: it does not look at the subject.
pub(crate) fn serving(subject: &str, names: &[&str]) -> Result<CertificateParams, Error> {
    let mut parameters = named(subject)?;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for name in names {
        parameters.subject_alt_names.push(match name.parse::<Ipv4Addr>() {
            Ok(address) => SanType::IpAddress(address.into()),
            Err(_) => SanType::DnsName((*name).try_into()?),
        });
    }
    Ok(parameters)
}

fn authenticating(subject: &str) -> Result<CertificateParams, Error> {
    let mut parameters = named(subject)?;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(parameters)
}

fn named(subject: &str) -> Result<CertificateParams, Error> {
    let mut parameters = CertificateParams::new(Vec::<String>::new())?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, subject);
    Ok(parameters)
}

/// RSA, where a server or an algorithm such as RS256 demands it.
pub(crate) fn rsa_key() -> Result<KeyPair, Error> {
    Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

/// The base64 of a PEM text in one line, as Keycloak and SAML metadata want it.
pub(crate) fn pem_body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}
