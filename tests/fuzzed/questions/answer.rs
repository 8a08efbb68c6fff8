//! Any answer of a token endpoint has a meaning; what is shown of it keeps within its bounds and shows no credential.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use secrecy::ExposeSecret as _;
use tokensource::oauth::grant::GrantType;
use tokensource::oauth::rejection::Refusal;
use tokensource::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport, without_suspects};
use tokensource::oauth::token::{IssuedToken, Lifetime};
use tokensource::oauth::transport::TransportFault;
use tokensource::token_source::circumstances::Circumstances;
use tokensource::token_source::failure::{Failure, MESSAGE_MAX};

use super::parts::{Parts, utf8};

pub const GRANTS: [GrantType; 6] = [
    GrantType::ClientCredentials,
    GrantType::Password,
    GrantType::JwtBearer,
    GrantType::Saml2Bearer,
    GrantType::TokenExchange,
    GrantType::RefreshToken,
];

pub const HEADERS: [&str; 6] =
    ["www-authenticate", "retry-after", "x-message-code", "x-cf-routererror", "x-rate-limit-reset", "content-type"];

/// The most that the operator reads of a body.
const BODY_MAX: usize = 1 << 20;
/// A body may be too large, or repeat what stands there until it is long.
const SIZES: [Size; 8] =
    [Size::AsItIs, Size::AsItIs, Size::AsItIs, Size::AsItIs, Size::AsItIs, Size::AsItIs, Size::Repeated, Size::TooLarge];

#[derive(Clone, Copy)]
enum Size {
    AsItIs,
    Repeated,
    TooLarge,
}

/// `GRANT STATUS STATUS SIZE HEADERS credential 0xff (HEADER value 0xff)* body`
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let grant = parts.one_of(GRANTS);
    let status = u16::from_be_bytes([parts.byte(), parts.byte()]);
    let (size, headers) = (parts.one_of(SIZES), parts.byte() % 8);
    let credential = parts.text();
    let mut response = Response::new(ResponseBody::TooLarge);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    for _ in 0..headers {
        let name = HeaderName::from_static(parts.one_of(HEADERS));
        if let Ok(value) = HeaderValue::from_bytes(parts.part().unwrap_or_default()) {
            response.headers_mut().append(name, value);
        }
    }
    let body = parts.rest();
    *response.body_mut() = match size {
        Size::AsItIs => ResponseBody::Whole(Bytes::copy_from_slice(body)),
        Size::Repeated => ResponseBody::Whole(body.repeat(BODY_MAX / body.len().max(1)).into()),
        Size::TooLarge => ResponseBody::TooLarge,
    };
    let credentials = [credential];
    let known: &[&str] = if credential.trim().is_empty() { &[] } else { &credentials };
    match classify(&Asked { grant, credentials: known }, &response) {
        Answer::Issued(token) => is_usable(&token),
        Answer::Refused(refusal) => is_shown_within_bounds(&refusal, known),
    }
    let text = utf8(body);
    is_shown_within_bounds(&refuse_transport(TransportFault::recognise(text)), &[]);
    assert!(without_suspects(text).is_none_or(|kept| kept.len() <= 3 * text.len()), "what is left grows");
}

fn is_shown_within_bounds(refusal: &Refusal, credentials: &[&str]) {
    let description = refusal.description.as_deref().unwrap_or_default();
    let error = refusal.error.as_deref().unwrap_or_default();
    assert!(description.chars().count() <= 200 && error.len() <= 64, "more is shown than may be");
    assert!(!description.chars().any(char::is_control), "control characters are shown");
    assert!(error.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)), "the code holds other characters");
    for credential in credentials {
        assert!(!description.contains(credential) && !error.contains(credential), "a credential is shown");
    }
    let told = Failure::refused(refusal, &Circumstances::unknown()).told();
    assert!(told.chars().count() <= MESSAGE_MAX && !told.chars().any(char::is_control), "the condition's message");
}

fn is_usable(token: &IssuedToken) {
    let text = token.access_token.expose_secret();
    assert!(!text.trim().is_empty() && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "no token for a header");
    assert!(HeaderValue::from_str(&format!("{} {text}", token.token_type)).is_ok());
    assert!(!matches!(token.lifetime, Lifetime::Seconds(seconds) if !(1..=31_536_000).contains(&seconds)), "no life");
    let is_scope = token.scope.iter().flatten().any(|scope| scope.contains(text.trim()));
    assert!(text.len() < 16 || is_scope || !format!("{token:?}").contains(text), "Debug shows the token");
}
