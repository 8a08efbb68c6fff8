//! What the server said: its code and its texts, out of the shapes that are in use.
//!
//! RFC 6749 §5.2 `error`, `error_description`; Okta `errorCode`, `errorSummary`; Apigee `fault` and `ErrorCode`, `Error`; Google's
//! `error` object; JSON:API `errors`; RFC 9457 `title`, `detail`; Spring Boot's `error` with the reason phrase; `OneLogin`'s `status`.

use serde_json::{Map, Value};

use super::words::snake_case;

/// Keys of codes, without separators and in lower case, best first. `error` is looked at before them.
const CODE_KEYS: [&str; 6] = ["errorcode", "errcode", "code", "name", "status", "type"];

/// Keys of texts, likewise. The first that is there may be shown; the others are only read.
const TEXT_KEYS: [&str; 26] = [
    "errordescription",
    "errorsummary",
    "errormessage",
    "errormsg",
    "errmsg",
    "message",
    "detail",
    "details",
    "description",
    "faultstring",
    "msg",
    "reason",
    "title",
    "hint",
    "errorhint",
    "errordetail",
    "errorreason",
    "errordebug",
    "errorsubtype",
    "suberror",
    "usermessage",
    "statusmessage",
    "moreinformation",
    "httpmessage",
    "xmessagecode",
    "error",
];

/// Objects in which the above may stand instead of at the top, with the depth to which is looked.
const NESTS: [&str; 8] = ["error", "errors", "fault", "status", "detail", "response", "result", "data"];
const MAX_DEPTH: usize = 3;

/// Codes are short words; what is longer or has blanks is a text.
const MAX_CODE: usize = 96;

/// One server's words, not cleaned: for reading, not for showing.
#[derive(Debug, Default, Clone)]
pub(super) struct Said {
    /// The code as it was sent.
    pub(super) code: Option<String>,
    /// The description: what `error_description` is in RFC 6749.
    pub(super) description: Option<String>,
    /// Further texts.
    pub(super) more: Vec<String>,
    /// Numeric codes beside the texts (Entra's `error_codes`).
    pub(super) numbers: Vec<u64>,
    /// Whether the answer calls itself an error: what makes a 200 one.
    pub(super) is_error: bool,
}

impl Said {
    /// Reads an object.
    pub(super) fn from_object(object: &Map<String, Value>) -> Self {
        let mut said = Self { is_error: calls_itself_error(object), ..Self::default() };
        said.collect(object, 0);
        said
    }

    /// The code in `snake_case`.
    pub(super) fn snake_code(&self) -> Option<String> {
        self.code.as_deref().map(snake_case).filter(|code| !code.is_empty())
    }

    /// All texts, the description first.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.description.iter().chain(&self.more).map(String::as_str)
    }

    fn collect(&mut self, object: &Map<String, Value>, depth: usize) {
        let first = |value: &'_ Value| value.as_array().and_then(|items| items.first()).and_then(Value::as_str).map(str::to_owned);
        if let Some(error) = object.get("error").and_then(|error| error.as_str().map(str::to_owned).or_else(|| first(error))) {
            let error = error.as_str();
            self.error_string(error);
        }
        for key in CODE_KEYS {
            if let Some(code) = find(object, key).and_then(Value::as_str).filter(|code| is_code(code) && !is_number(code)) {
                self.add_code(code);
            }
        }
        for key in TEXT_KEYS {
            for text in strings(object, key) {
                if Some(text) != self.code.as_deref() {
                    self.add_text(text);
                }
            }
        }
        if let Some(Value::Array(codes)) = object.get("error_codes") {
            self.numbers.extend(codes.iter().filter_map(Value::as_u64).take(8));
        }
        if depth < MAX_DEPTH {
            for inner in NESTS.iter().filter_map(|key| find(object, key)).filter_map(inner_object) {
                self.collect(inner, depth + 1);
            }
            if let Some(text) = object.get("errors").and_then(Value::as_array).and_then(|errors| errors.first()).and_then(Value::as_str) {
                self.error_string(text);
            }
        }
    }

    /// A code, a text, or (Dropbox) both: `invalid_client: Invalid client_id or client_secret`.
    fn error_string(&mut self, error: &str) {
        if is_code(error) {
            return self.add_code(error);
        }
        match error.split_once(": ") {
            Some((code, text)) if is_code(code) && code.contains('_') => {
                self.add_code(code);
                self.add_text(text);
            }
            _ => self.add_text(error), // a sentence where a code should be says more than what follows
        }
    }

    fn add_code(&mut self, code: &str) {
        if self.code.is_none() {
            self.code = Some(code.to_owned());
        } else if self.more.len() < 16 && self.code.as_deref() != Some(code) {
            self.more.push(code.to_owned());
        }
    }

    fn add_text(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if self.description.is_none() {
            self.description = Some(text.to_owned());
        } else if self.more.len() < 16 {
            self.more.push(text.to_owned());
        }
    }
}

fn inner_object(value: &Value) -> Option<&Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::Array(items) => items.first().and_then(Value::as_object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A member by its name without separators: `error_description`, `errorDescription` and `ErrorDescription` are one.
fn find<'a>(object: &'a Map<String, Value>, name: &'a str) -> Option<&'a Value> {
    matching(object, name).next()
}

fn strings<'a>(object: &'a Map<String, Value>, name: &'a str) -> impl Iterator<Item = &'a str> {
    matching(object, name).filter_map(Value::as_str)
}

fn matching<'a>(object: &'a Map<String, Value>, name: &'a str) -> impl Iterator<Item = &'a Value> {
    object
        .iter()
        .filter(move |(key, _)| {
            let letters = key.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
            letters.eq(name.bytes())
        })
        .map(|(_, value)| value)
}

/// A word, not a sentence.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_CODE && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `"error": ""`, `null` or `false` is none; `ok: false` (Slack) and a status word are one.
fn calls_itself_error(object: &Map<String, Value>) -> bool {
    let told = |name| match find(object, name) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(Value::Object(_) | Value::Bool(true)) => true,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Null | Value::Bool(false)) | None => false,
    };
    told("error")
        || (!object.contains_key("access_token")
            && (["errors", "fault", "errorcode", "errcode"].into_iter().any(told)
                || ["ok", "success"].into_iter().any(|name| find(object, name) == Some(&Value::Bool(false)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> Said {
        Said::from_object(serde_json::from_str::<Value>(json).expect("JSON").as_object().expect("an object"))
    }

    #[test]
    fn every_shape_in_use_gives_its_code_and_its_text() {
        for (json, code, description) in [
            (r#"{"error":"invalid_client","error_description":"no"}"#, Some("invalid_client"), Some("no")),
            (r#"{"errorCode":"E0000004","errorSummary":"no"}"#, Some("E0000004"), Some("no")),
            (r#"{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}"#, Some("invalid_client"), Some("ClientId is Invalid")),
            (r#"{"fault":{"faultstring":"no","detail":{"errorcode":"a.b.InvalidThing"}}}"#, Some("a.b.InvalidThing"), Some("no")),
            (r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no"}}"#, Some("PERMISSION_DENIED"), Some("no")),
            (r#"{"errors":[{"code":"invalid_thing","detail":"no"}]}"#, Some("invalid_thing"), Some("no")),
            (r#"{"status":{"error":true,"code":401,"type":"Unauthorized","message":"no"}}"#, Some("Unauthorized"), Some("no")),
            (r#"{"error":"invalid_client: no such client"}"#, Some("invalid_client"), Some("no such client")),
            (r#"{"error":"Realm does not exist"}"#, None, Some("Realm does not exist")),
            (r#"{"error":{"error":{"error":{"error":{"error":"deep"}}}}}"#, None, None),
            (r#"{"error":[[["x"]]],"errors":{},"fault":7}"#, None, None),
            ("{}", None, None),
        ] {
            let said = said(json);
            assert_eq!((said.code.as_deref(), said.texts().next()), (code, description), "{json}");
        }
    }

    #[test]
    fn only_a_told_error_makes_an_error_of_a_success() {
        for json in [r#"{"error":"x"}"#, r#"{"ok":false}"#, r#"{"errcode":40013}"#, r#"{"access_token":"a","error":"x"}"#] {
            assert!(said(json).is_error, "{json}");
        }
        for json in
            [r#"{"error":null}"#, r#"{"error":""}"#, r#"{"error":false}"#, r#"{"errcode":0}"#, r#"{"access_token":"a","errors":[1]}"#]
        {
            assert!(!said(json).is_error, "{json}");
        }
    }
}
