//! Any template is rendered within its bounds or refused in a short message; neither takes long, and no value is told.

use secrecy::ExposeSecret as _;
use tokensource::token_source::template::{OUTPUT_MAX, Template, Values, auth_tokens_json};

use super::parts::{Parts, is_telling, utf8};

/// Values are given up to this size, which is more than is taken.
const LONGEST: usize = 96 * 1024;

/// `TIMES value 0xff template`: the value is given so often, squared.
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let times = usize::from(parts.byte());
    let value = parts.text();
    let value = value.repeat((times * times).min(LONGEST / value.len().max(1)));
    let source = utf8(parts.rest());
    let values = Values {
        access_token: &value,
        token_type: "Bearer",
        authorization: &value,
        expires_at: "2030-01-02T03:04:05Z",
        scope: "",
        id_token: &value,
        token_url: "https://auth.example.com/token",
        client_id: "shop",
    };
    let rendered = Template::parse("key", source).and_then(|template| template.render(&values));
    match rendered {
        Ok(text) => assert!(text.expose_secret().len() <= OUTPUT_MAX),
        Err(error) => {
            assert!(error.problem.chars().count() <= 301 && error.line <= source.lines().count() + 1, "{error}");
            assert!(!is_telling(&value) || source.contains(&value) || !error.to_string().contains(&value), "a value is told");
        }
    }
    let document = auth_tokens_json(&values);
    let document: serde_json::Value = serde_json::from_str(document.expose_secret()).expect("JSON");
    assert_eq!(document["authTokens"][0]["value"], value);
}
