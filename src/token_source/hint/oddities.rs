//! What is odd about a token request: in its address, its client, its header, its user.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use secrecy::ExposeSecret as _;

use super::Hint;
use crate::oauth::client::{BasicEncoding, ClientAuthentication};
use crate::oauth::grant::Grant;
use crate::oauth::request::TokenRequest;
use crate::oauth::vendor::Vendor;

/// What Base64 that is plain text must decode to at the least, so that it is hardly ever by chance: bytes.
const PLAIN_TEXT_MIN: usize = 12;

/// All that the request gives reason for, the surest first.
pub fn hints(request: &TokenRequest, accepted_before: bool) -> Vec<Hint> {
    let vendor = Vendor::of(&request.endpoint);
    let client = if accepted_before { vec![Hint::AcceptedBefore] } else { in_client(request, vendor) };
    let address = in_address(request, vendor);
    address.into_iter().chain(client).chain(in_header(request, vendor)).chain(in_user(&request.grant)).collect()
}

/// XSUAA has a host for secrets, and one with `.cert.` in it for certificates.
fn in_address(request: &TokenRequest, vendor: Vendor) -> Option<Hint> {
    let cert_host = request.endpoint.url().host_str().is_some_and(|host| host.contains(".cert."));
    match (vendor, &request.client.authentication) {
        (Vendor::Xsuaa, ClientAuthentication::MutualTls) => (!cert_host).then_some(Hint::HostWithoutCert),
        (
            Vendor::Xsuaa,
            ClientAuthentication::Body { .. }
            | ClientAuthentication::Basic { .. }
            | ClientAuthentication::Assertion { .. }
            | ClientAuthentication::None,
        ) => cert_host.then_some(Hint::CertHostWithoutCertificate),
        (
            Vendor::IdentityAuthentication
            | Vendor::Neo
            | Vendor::Uaa
            | Vendor::Keycloak
            | Vendor::Entra
            | Vendor::Okta
            | Vendor::Auth0
            | Vendor::Other,
            _,
        ) => None,
    }
}

/// What is odd about the client's id and secret, however they are sent.
fn in_client(request: &TokenRequest, vendor: Vendor) -> Vec<Hint> {
    let id = request.client.id.as_str();
    let secret = match &request.client.authentication {
        ClientAuthentication::Body { secret } | ClientAuthentication::Basic { secret, .. } => secret.expose_secret(),
        ClientAuthentication::MutualTls | ClientAuthentication::Assertion { .. } | ClientAuthentication::None => "",
    };
    let swapped = looks_like_id(secret, vendor) && !looks_like_id(id, vendor);
    let known = [
        (Hint::PaddedSecret, is_padded(secret)),
        (Hint::PaddedClientId, is_padded(id)),
        (Hint::QuotedSecret, is_quoted(secret.trim())),
        (Hint::Swapped, swapped),
        (Hint::SecretIdAsSecret, vendor == Vendor::Entra && !swapped && is_uuid(secret)),
        (Hint::EncodedTwice, is_encoded_text(secret.trim())),
    ];
    known.into_iter().filter_map(|(hint, fits)| fits.then_some(hint)).collect()
}

/// What the header's encoding may do to the secret in it.
fn in_header(request: &TokenRequest, vendor: Vendor) -> Option<Hint> {
    let of_client = match &request.client.authentication {
        ClientAuthentication::Basic { secret, encoding } => Some((secret, *encoding)),
        ClientAuthentication::Body { .. }
        | ClientAuthentication::MutualTls
        | ClientAuthentication::Assertion { .. }
        | ClientAuthentication::None => None,
    };
    let of_service = request.basic_user.as_ref().map(|user| (&user.password, user.encoding));
    let (secret, encoding) = of_service.or(of_client)?;
    // A blank at an end has a hint of its own.
    if !is_changed_by_encoding(secret.expose_secret().trim()) {
        return None;
    }
    match (encoding, vendor) {
        (BasicEncoding::FormURLEncoded, Vendor::IdentityAuthentication | Vendor::Keycloak | Vendor::Neo)
        | (BasicEncoding::Raw, Vendor::Uaa) => None,
        (BasicEncoding::FormURLEncoded, Vendor::Xsuaa | Vendor::Uaa | Vendor::Entra | Vendor::Okta | Vendor::Auth0 | Vendor::Other) => {
            // The method is the client's: it moves no Basic user of the token service's own.
            request.basic_user.is_none().then_some(Hint::EncodedInHeader)
        }
        (
            BasicEncoding::Raw,
            Vendor::Xsuaa
            | Vendor::IdentityAuthentication
            | Vendor::Neo
            | Vendor::Keycloak
            | Vendor::Entra
            | Vendor::Okta
            | Vendor::Auth0
            | Vendor::Other,
        ) => Some(Hint::RawInHeader),
    }
}

fn in_user(grant: &Grant) -> Option<Hint> {
    match grant {
        Grant::Password { username, password, .. } => {
            (is_padded(username) || is_padded(password.expose_secret())).then_some(Hint::PaddedUser)
        }
        Grant::ClientCredentials
        | Grant::JwtBearer { .. }
        | Grant::Saml2Bearer { .. }
        | Grant::TokenExchange { .. }
        | Grant::RefreshToken { .. } => None,
    }
}

/// The characters over which servers differ in the header (RFC 6749 §2.3.1 against practice).
fn is_changed_by_encoding(secret: &str) -> bool {
    secret.chars().any(|letter| "+%&=: ".contains(letter) || !letter.is_ascii())
}

/// A byte order mark counts too: editors put it in front.
fn is_padded(text: &str) -> bool {
    let blank = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '\u{feff}';
    text.starts_with(blank) || text.ends_with(blank)
}

fn is_quoted(secret: &str) -> bool {
    secret.len() > 2 && ['"', '\''].iter().any(|mark| secret.starts_with(*mark) && secret.ends_with(*mark))
}

fn is_encoded_text(secret: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\r');
    BASE64_STANDARD.decode(secret).is_ok_and(|bytes| bytes.len() >= PLAIN_TEXT_MIN && bytes.iter().all(plain))
}

/// The form of client ids, where the vendor's have one that no secret of theirs has.
fn looks_like_id(text: &str, vendor: Vendor) -> bool {
    match vendor {
        Vendor::Xsuaa => text.starts_with("sb-") && text.contains('!'),
        Vendor::IdentityAuthentication | Vendor::Entra => is_uuid(text),
        Vendor::Okta => text.starts_with("0oa") && text.len() == 20,
        Vendor::Neo | Vendor::Uaa | Vendor::Keycloak | Vendor::Auth0 | Vendor::Other => false,
    }
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let groups = text.trim().split('-').map(|group| (group.len(), group.bytes().all(|byte| byte.is_ascii_hexdigit())));
    groups.eq([8, 4, 4, 4, 12].map(|length| (length, true)))
}
