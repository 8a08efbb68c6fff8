//! What holds for every answer whatsoever.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use proptest::prelude::*;

use super::{Answer, Asked, ResponseBody, classify};
use crate::oauth::grant::GrantType;

const GRANTS: [GrantType; 6] = [
    GrantType::ClientCredentials,
    GrantType::Password,
    GrantType::JwtBearer,
    GrantType::Saml2Bearer,
    GrantType::TokenExchange,
    GrantType::RefreshToken,
];

const HEADERS: [&str; 5] = ["www-authenticate", "retry-after", "x-message-code", "x-cf-routererror", "x-rate-limit-reset"];

fn response(status: u16, headers: &[(usize, Vec<u8>)], body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            response.headers_mut().append(HeaderName::from_static(HEADERS[name % HEADERS.len()]), value);
        }
    }
    response
}

/// A text with the credential in it, once, in one of the ways in which servers quote.
fn quoting(credential: &str, before: &str, after: &str, way: usize) -> String {
    let form: String = url::form_urlencoded::byte_serialize(credential.as_bytes()).collect();
    match way % 4 {
        0 => format!("{before}{credential}{after}"),
        1 => format!("{before} {credential} {after}"),
        2 => format!("{before}\"{credential}\"{after}"),
        _ => format!("{before}={form}&{after}"),
    }
}

fn limits_hold(answer: &Answer) -> Result<(), TestCaseError> {
    if let Answer::Refused(refusal) = answer {
        prop_assert!(refusal.description.as_deref().unwrap_or_default().chars().count() <= 200);
        prop_assert!(!refusal.description.as_deref().unwrap_or_default().chars().any(char::is_control));
        let error = refusal.error.as_deref().unwrap_or_default();
        prop_assert!(error.len() <= 64 && error.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_have_a_meaning(
        grant in 0..6_usize,
        status in 100..1000_u16,
        headers in prop::collection::vec((0..5_usize, prop::collection::vec(any::<u8>(), 0..80)), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let asked = Asked { grant: GRANTS[grant], credentials: &[] };
        limits_hold(&classify(&asked, &response(status, &headers, ResponseBody::Whole(Bytes::from(body)))))?;
    }

    #[test]
    fn any_json_has_a_meaning(
        grant in 0..6_usize,
        status in prop::sample::select(vec![200_u16, 201, 400, 401, 403, 404, 429, 500]),
        key in "(error|error_description|errors|fault|status|access_token|expires_in|authTokens|detail)",
        value in r#"(null|true|-1|1e400|"[^"\\]{0,60}"|\[\]|\[\[1\]\]|\{"error":\{"error":\[\{"code":"x y"\}\]\}\}|"\{\\"error\\":\\"[a-z_]{0,20}\\"\}")"#,
        text in "\\PC{0,300}",
    ) {
        let asked = Asked { grant: GRANTS[grant], credentials: &[] };
        let body = format!(r#"{{"{key}":{value},"message":{}}}"#, serde_json::Value::from(text));
        limits_hold(&classify(&asked, &response(status, &[], ResponseBody::Whole(body.into()))))?;
    }

    #[test]
    fn a_sent_credential_is_never_shown(
        credential in "[!-~äß]([ -~äß]{0,40}[!-~äß])?",
        before in "[ -~]{0,40}",
        after in "[ -~]{0,40}",
        way in 0..4_usize,
        status in prop::sample::select(vec![200_u16, 400, 401, 403, 500]),
        place in 0..4_usize,
    ) {
        let quoted = serde_json::Value::from(quoting(&credential, &before, &after, way));
        let body = match place {
            0 => format!(r#"{{"error":"invalid_grant","error_description":{quoted}}}"#),
            1 => format!(r#"{{"error":{quoted}}}"#),
            2 => format!(r#"{{"errorCode":"x","errorSummary":{quoted}}}"#),
            _ => format!(r#"{{"error":"x","error_description":{}}}"#, serde_json::Value::from(format!(r#"{{"error_description":{quoted}}}"#))),
        };
        let asked = Asked { grant: GrantType::Password, credentials: &[&credential] };
        let answer = classify(&asked, &response(status, &[], ResponseBody::Whole(body.into())));
        limits_hold(&answer)?;
        if let Answer::Refused(refusal) = &answer {
            for shown in [&refusal.error, &refusal.description].into_iter().flatten() {
                prop_assert!(!shown.contains(&credential), "{shown:?} shows {credential:?}");
            }
        }
    }
}
