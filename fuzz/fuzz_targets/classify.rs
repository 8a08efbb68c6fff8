//! Any answer of a token endpoint has a meaning, and what is shown of it keeps within its bounds and shows no credential.

#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use tokensource::oauth::grant::GrantType;
use tokensource::oauth::response::{Answer, Asked, ResponseBody, classify};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    grant: u8,
    status: u16,
    headers: Vec<(u8, &'a [u8])>,
    body: &'a [u8],
    too_large: bool,
    credential: &'a str,
}

const GRANTS: [GrantType; 6] = [
    GrantType::ClientCredentials,
    GrantType::Password,
    GrantType::JwtBearer,
    GrantType::Saml2Bearer,
    GrantType::TokenExchange,
    GrantType::RefreshToken,
];

const HEADERS: [&str; 6] =
    ["www-authenticate", "retry-after", "x-message-code", "x-cf-routererror", "x-rate-limit-reset", "content-type"];

fuzz_target!(|input: Input<'_>| {
    let body = if input.too_large { ResponseBody::TooLarge } else { ResponseBody::Whole(Bytes::copy_from_slice(input.body)) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(100 + input.status % 900).expect("between 100 and 999");
    for (name, value) in input.headers.iter().take(8) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            response.headers_mut().append(HeaderName::from_static(HEADERS[usize::from(*name) % HEADERS.len()]), value);
        }
    }
    let credentials = [input.credential];
    let known: &[&str] = if input.credential.trim().len() > 3 { &credentials } else { &[] };
    let asked = Asked { grant: GRANTS[usize::from(input.grant) % GRANTS.len()], credentials: known };
    if let Answer::Refused(refusal) = classify(&asked, &response) {
        let description = refusal.description.unwrap_or_default();
        let error = refusal.error.unwrap_or_default();
        assert!(description.chars().count() <= 200 && error.len() <= 64);
        assert!(!description.chars().any(char::is_control));
        for credential in known {
            assert!(!description.contains(credential) && !error.contains(credential));
        }
    }
});
