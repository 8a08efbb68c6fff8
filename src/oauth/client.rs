//! The client and how it authenticates to the authorization server (RFC 6749 §2.3).

use base64::prelude::{BASE64_STANDARD, Engine as _};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::byte_serialize;

/// An OAuth client: its id and how it proves to be that client.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client identifier (RFC 6749 §2.2). Not a secret.
    pub id: String,
    /// How the client authenticates.
    pub authentication: ClientAuthentication,
}

/// How a client authenticates (RFC 6749 §2.3.1).
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// Id and secret as body parameters. Every server measured took this form.
    Body {
        /// The client secret.
        secret: SecretString,
    },
    /// Id and secret in the `Authorization` header.
    Basic {
        /// The client secret.
        secret: SecretString,
        /// How both are encoded before Base64.
        encoding: BasicEncoding,
    },
    /// By the certificate of the connection (RFC 8705 §2): the id alone, in the body.
    MutualTls,
    /// By an assertion (RFC 7523 §2.2, RFC 7522 §2.2).
    Assertion {
        /// What kind of assertion it is.
        assertion_type: AssertionType,
        /// The assertion.
        assertion: SecretString,
    },
    /// A public client: its id alone, in the body.
    None,
}

/// The kind of a client assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionType {
    /// RFC 7523 §2.2.
    JwtBearer,
    /// RFC 7522 §2.2.
    Saml2Bearer,
}

impl AssertionType {
    /// The value of `client_assertion_type`.
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::JwtBearer => "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            Self::Saml2Bearer => "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        }
    }
}

/// The token service's own Basic user (SAP BTP Destination, `tokenServiceUser`): in the header beside a client in the
/// body, or instead of the client's own credentials there.
#[derive(Debug, Clone)]
pub struct BasicUser {
    /// The user name.
    pub name: String,
    /// The password.
    pub password: SecretString,
    /// How both are encoded before Base64.
    pub encoding: BasicEncoding,
}

/// How id and secret are encoded before they are joined and Base64-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasicEncoding {
    /// `application/x-www-form-urlencoded`, as RFC 6749 §2.3.1 demands (Keycloak, Hydra, IAS).
    FormURLEncoded,
    /// As they are (older UAA).
    Raw,
}

/// The value of an `Authorization: Basic` header and whether encoding changed the credentials.
pub(super) struct BasicHeader {
    /// `Basic …`.
    pub(super) value: SecretString,
    /// True where the server must decode to find the credentials as registered. XSUAA and newer UAA
    /// decode only when `X-CF-ENCODED-CREDENTIALS: true` says so.
    pub(super) encoding_changed: bool,
}

/// Builds the `Authorization` header of RFC 7617 and RFC 6749 §2.3.1.
pub(super) fn basic_header(id: &str, secret: &SecretString, encoding: BasicEncoding) -> BasicHeader {
    let secret = secret.expose_secret();
    let (id_part, secret_part) = match encoding {
        BasicEncoding::FormURLEncoded => (form_encode(id), SecretString::from(form_encode(secret))),
        BasicEncoding::Raw => (id.to_owned(), SecretString::from(secret.to_owned())),
    };
    let encoding_changed = id_part != id || secret_part.expose_secret() != secret;
    let joined = SecretString::from(format!("{id_part}:{}", secret_part.expose_secret()));
    let value = SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(joined.expose_secret())));
    BasicHeader { value, encoding_changed }
}

fn form_encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(header: &BasicHeader) -> (String, String) {
        let value = header.value.expose_secret().strip_prefix("Basic ").unwrap().to_owned();
        let joined = String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap();
        let (id, secret) = joined.split_once(':').unwrap();
        (id.to_owned(), secret.to_owned())
    }

    fn form_decode(text: &str) -> String {
        let pair = format!("k={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned()
    }

    #[test]
    fn the_secret_of_the_rfc_is_form_encoded_before_base64() {
        let header = basic_header("a b", &"p+ss w%rd".to_owned().into(), BasicEncoding::FormURLEncoded);
        assert_eq!(decoded(&header), ("a+b".to_owned(), "p%2Bss+w%25rd".to_owned()));
        assert!(header.encoding_changed);
    }

    #[test]
    fn plain_credentials_are_the_same_in_both_encodings_and_need_no_hint() {
        for encoding in [BasicEncoding::FormURLEncoded, BasicEncoding::Raw] {
            let header = basic_header("orders", &"s3cret".to_owned().into(), encoding);
            assert_eq!(decoded(&header), ("orders".to_owned(), "s3cret".to_owned()));
            assert!(!header.encoding_changed);
        }
    }

    #[test]
    fn raw_leaves_special_characters_as_they_are() {
        let header = basic_header("orders", &"p:+%&=/é".to_owned().into(), BasicEncoding::Raw);
        assert_eq!(decoded(&header), ("orders".to_owned(), "p:+%&=/é".to_owned()));
        assert!(!header.encoding_changed);
    }

    proptest! {
        #[test]
        fn any_id_and_secret_survive_the_form_encoding(id in "\\PC{1,40}", secret in "\\PC{1,80}") {
            let header = basic_header(&id, &secret.clone().into(), BasicEncoding::FormURLEncoded);
            let (sent_id, sent_secret) = decoded(&header);
            prop_assert_eq!(form_decode(&sent_id), id);
            prop_assert_eq!(form_decode(&sent_secret), secret);
        }
    }
}
