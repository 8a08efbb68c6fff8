//! Everything that one answer offers as evidence, read once.

use http::{HeaderMap, Response};

use super::ResponseBody;
use super::body::Body;
use super::challenge::{Challenge, challenges};
use super::said::Said;
use super::words::{Words, snake_case};
use crate::oauth::grant::GrantType;

/// The codes of RFC 6749 §5.2 and their kin, whose words are no evidence beyond the code.
const RFC_CODES: &str = "invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope \
    access_denied server_error temporarily_unavailable invalid_target invalid_token unauthorized";

/// One answer, taken apart.
pub(super) struct Evidence<'a> {
    pub(super) grant: GrantType,
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Body,
    pub(super) challenges: Vec<Challenge>,
    /// What the server said, in the body or else in a challenge.
    pub(super) said: Said,
    /// The code in `snake_case`.
    pub(super) code: Option<String>,
    /// The words of all texts, and of a code that is not the RFC's.
    pub(super) words: Words,
}

impl<'a> Evidence<'a> {
    /// Takes an answer apart.
    pub(super) fn gather(grant: GrantType, response: &'a Response<ResponseBody>) -> Self {
        let body = Body::read(response.body());
        let challenges = challenges(response.headers());
        let mut said = said_in(&body);
        if said.code.is_none() && said.texts().next().is_none() {
            said = Said { is_error: said.is_error, ..said_in_challenge(&challenges) };
        }
        let mut evidence = Self::of(grant, response.status().as_u16(), response.headers(), said);
        if let Body::BrokenJson(_, text) = &body {
            evidence.words.add(text);
        }
        Self { body, challenges, ..evidence }
    }

    /// Evidence of words alone: an error that another server's error carries inside.
    pub(super) fn of(grant: GrantType, status: u16, headers: &'a HeaderMap, said: Said) -> Self {
        let mut words = Words::default();
        let code = said.snake_code().map(plain_code);
        for text in said.texts() {
            words.add(text);
        }
        if let Some(odd) = said.code.as_deref().filter(|odd| !listed(RFC_CODES, &snake_case(odd))) {
            words.add(odd);
        }
        Self { grant, status, headers, body: Body::Empty, challenges: Vec::new(), said, code, words }
    }

    /// Whether the code is one of a list between blanks.
    pub(super) fn code_is(&self, codes: &str) -> bool {
        self.code.as_deref().is_some_and(|code| listed(codes, code))
    }

    /// Whether the status says success.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the content type says JSON.
    pub(super) fn claims_json(&self) -> bool {
        self.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("json"))
    }

    /// UAA and XSUAA name their realm after themselves; their `invalid_client` may be the user's.
    pub(super) fn is_uaa(&self) -> bool {
        self.challenges.iter().filter_map(|challenge| challenge.parameter("realm")).any(|realm| realm.starts_with("UAA/"))
    }
}

/// `InvalidGrantError` is `invalid_grant`.
fn plain_code(code: String) -> String {
    match code.strip_suffix("_error") {
        Some(plain) if listed(RFC_CODES, plain) => plain.to_owned(),
        Some(_) | None => code,
    }
}

fn listed(codes: &str, code: &str) -> bool {
    codes.split_ascii_whitespace().any(|known| known == code)
}

fn said_in(body: &Body) -> Said {
    match body {
        Body::Object(object) | Body::BrokenJson(object, _) => Said::from_object(object),
        Body::Text(text) if is_bare_code(text) => Said { code: Some(text.clone()), is_error: true, ..Said::default() },
        Body::Empty | Body::TooLarge | Body::OtherJson | Body::Page(_) | Body::Text(_) => Said::default(),
    }
}

/// `invalid_client` as the whole text.
fn is_bare_code(text: &str) -> bool {
    text.contains('_') && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// `error` and `error_description` of the first challenge that has them (RFC 6750 §3).
fn said_in_challenge(challenges: &[Challenge]) -> Said {
    let Some((challenge, code)) = challenges.iter().find_map(|challenge| Some((challenge, challenge.parameter("error")?))) else {
        return Said::default();
    };
    Said {
        code: Some(code.to_owned()),
        description: challenge.parameter("error_description").map(str::to_owned),
        is_error: true,
        ..Said::default()
    }
}
