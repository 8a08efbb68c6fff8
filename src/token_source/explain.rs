//! Explains a recorded answer: what the operator would say of it, without asking anybody.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::circumstances::Circumstances;
use super::failure::{Failure, Retry};
use crate::api::condition::Reason;
use crate::oauth::grant::GrantType;
use crate::oauth::rejection::{ClientCause, RetryClass};
use crate::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport, without_suspects};
use crate::oauth::transport::TransportFault;

/// Longest body that is read, as for answers over the network.
const BODY_MAX: usize = 1024 * 1024;

/// A recorded answer.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Recorded {
    /// What the line is called; given back with the explanation.
    #[serde(default)]
    pub id: Option<Value>,
    /// The grant that was asked by: a short name or the `grant_type` parameter.
    #[serde(default)]
    pub grant: String,
    /// The HTTP status. 0: no answer came, and the body is the text of the error.
    pub status: u16,
    /// The headers.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

/// What the operator would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The line's own name.
    pub id: Option<Value>,
    /// `TokenIssued`, or why not.
    pub reason: String,
    /// The cause within the reason.
    pub cause: Option<&'static str>,
    /// How it is tried again: `input`, `slow`, `backoff` or `server`. None for a token.
    pub retry: Option<&'static str>,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Explains an answer by the same path as the operator takes.
pub fn explain(recorded: &Recorded) -> Explanation {
    let id = recorded.id.clone();
    match answer(recorded) {
        Answer::Issued(_) => Explanation {
            id,
            reason: Reason::TokenIssued.to_string(),
            cause: None,
            retry: None,
            message: "the answer holds a usable token".to_owned(),
            remedy: String::new(),
        },
        Answer::Refused(mut refusal) => {
            // What was sent is not known here.
            refusal.error = refusal.error.filter(|code| without_suspects(code).is_some());
            refusal.description = refusal.description.as_deref().and_then(without_suspects);
            let Failure { reason, cause, message, remedy, retry, .. } = Failure::refused(&refusal, &Circumstances::unknown());
            Explanation { id, reason: reason.to_string(), cause: cause.map(ClientCause::as_str), retry: Some(word(retry)), message, remedy }
        }
    }
}

fn answer(recorded: &Recorded) -> Answer {
    let Ok(status) = StatusCode::from_u16(recorded.status) else {
        return Answer::Refused(refuse_transport(TransportFault::recognise(&recorded.body)));
    };
    let too_large = recorded.body.len() > BODY_MAX;
    let body = if too_large { ResponseBody::TooLarge } else { ResponseBody::Whole(Bytes::from(recorded.body.clone())) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers(&recorded.headers);
    classify(&Asked { grant: grant(&recorded.grant), credentials: &[] }, &response)
}

/// The headers that can be headers; several values of one name may stand in a list.
fn headers(recorded: &Map<String, Value>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in recorded {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(text)) {
                headers.append(name, value);
            }
        }
    }
    headers
}

/// The grant by its short name or its `grant_type` parameter. What is not known has no user in it.
fn grant(name: &str) -> GrantType {
    let name = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    match name.as_str() {
        "password" => GrantType::Password,
        "jwt-bearer" | "jwtbearer" => GrantType::JwtBearer,
        "saml2-bearer" | "saml2bearer" => GrantType::Saml2Bearer,
        "token-exchange" | "tokenexchange" => GrantType::TokenExchange,
        "refresh-token" | "refreshtoken" => GrantType::RefreshToken,
        _ => GrantType::ClientCredentials,
    }
}

/// The retry class as one word.
pub fn word(retry: Retry) -> &'static str {
    match retry {
        Retry::Watch => "watch",
        Retry::After { class, .. } => match class {
            RetryClass::Input => "input",
            RetryClass::Slow => "slow",
            RetryClass::Backoff | RetryClass::BackoffThenSlow => "backoff",
            RetryClass::Server => "server",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn explained(value: Value) -> Explanation {
        explain(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_recorded_answer_gives_what_the_operator_would_say() {
        let wrong =
            explained(json!({"id": "one", "grant": "client_credentials", "status": 401, "headers": {"Content-Type": "application/json"},
            "body": r#"{"error":"invalid_client","error_description":"Bad credentials"}"#}));
        assert_eq!((wrong.id, wrong.reason.as_str(), wrong.retry), (Some(json!("one")), "ClientAuthenticationFailed", Some("slow")));
        assert!(wrong.message.starts_with("the server answered 401 invalid_client") && !wrong.remedy.is_empty());
        let user = explained(json!({"grant": "password", "status": 400, "body": r#"{"error":"invalid_grant"}"#}));
        assert_eq!((user.reason.as_str(), user.retry), ("UserAuthenticationFailed", Some("input")));
        let token = explained(json!({"status": 200, "body": r#"{"access_token":"t","expires_in":60}"#}));
        assert_eq!((token.reason.as_str(), token.retry, token.remedy.as_str()), ("TokenIssued", None, ""));
        let unreached = explained(json!({"status": 0, "body": "operation timed out"}));
        assert_eq!((unreached.reason.as_str(), unreached.retry), ("ConnectionFailed", Some("backoff")));
    }

    #[test]
    fn grants_are_known_by_short_name_and_by_parameter() {
        for (name, expected) in [
            ("password", GrantType::Password),
            ("refresh_token", GrantType::RefreshToken),
            ("urn:ietf:params:oauth:grant-type:jwt-bearer", GrantType::JwtBearer),
            ("urn:ietf:params:oauth:grant-type:token-exchange", GrantType::TokenExchange),
            ("SAML2Bearer", GrantType::Saml2Bearer),
            ("any", GrantType::ClientCredentials),
        ] {
            assert_eq!(grant(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_record_panics(status in any::<u16>(), grant in ".{0,12}", header in ".{0,12}", value in ".{0,40}", body in ".{0,200}") {
            let explanation = explained(json!({"status": status, "grant": grant, "headers": {header: value}, "body": body}));
            prop_assert!(!explanation.reason.is_empty());
        }
    }
}
