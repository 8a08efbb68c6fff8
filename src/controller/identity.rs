//! Client certificates, as TLS shows them.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::http::Identity;
use crate::clock;
use crate::oauth::certificate::ClientCertificate;
use crate::token_source::credentials::Certificate;
use crate::token_source::failure::Failure;

/// One key store is opened at a time: its author decides how much work that takes.
static KEY_STORES: Semaphore = Semaphore::const_new(1);

/// The client certificate, checked before any request: an expired one is a refusal that needs no server.
pub async fn identity(certificate: Certificate) -> Result<Identity, Failure> {
    let read = match certificate {
        Certificate::Pem { certificate, key } => ClientCertificate::from_pem(certificate.expose_secret(), &key),
        Certificate::KeyStore { base64, password } => {
            let _turn = KEY_STORES.acquire().await;
            let open =
                move || ClientCertificate::from_pkcs12(&BASE64_STANDARD.decode(base64.expose_secret()).unwrap_or_default(), &password);
            spawn_blocking(open).await.map_err(|_| Failure::bad_certificate("the key store could not be opened"))?
        }
    };
    let usable = read.and_then(|certificate| certificate.check(clock::now()).map(|()| certificate));
    usable.map(|certificate| Identity::new(certificate.to_pem())).map_err(|error| Failure::bad_certificate(&error.to_string()))
}
