//! The endpoint's certificate.

use std::sync::Arc;

use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::error::Error;
use crate::pki;

/// What the certificate is for, unless a test wants other names.
pub const TLS_NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A serving certificate, and the CA that vouches for it.
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    pub(super) ca_pem: String,
}

impl Identity {
    pub(super) fn create(names: &[&str]) -> Result<Self, Error> {
        let ca = pki::authority("testenv-scripted-endpoint-ca")?;
        let key = KeyPair::generate()?;
        let certificate = pki::serving("scripted-endpoint", names)?.signed_by(&key, &ca)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(configuration)), ca_pem: ca.pem() })
    }
}
