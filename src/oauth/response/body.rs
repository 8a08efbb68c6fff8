//! The shape of a body, told from its bytes: the content type is often wrong.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::ResponseBody;

/// A page is read as far as this; a gateway's reason stands at its beginning.
const PAGE_CHARS: usize = 16_384;

/// What came.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing.
    Empty,
    /// More than is read.
    TooLarge,
    /// A JSON object; a form (RFC 6749 appendix B) or an XML answer with an `error` element reads the same.
    Object(Map<String, Value>),
    /// JSON, but not an object.
    OtherJson,
    /// Begins like JSON and is not: cut off, or printed by hand. Holds what could be saved.
    BrokenJson(Map<String, Value>, String),
    /// A page, as its visible text.
    Page(String),
    /// Plain text.
    Text(String),
}

impl Body {
    /// Tells the shape: BOM stripped, JSON whatever the content type, then form, then markup, then text.
    pub(super) fn read(body: &ResponseBody) -> Self {
        let ResponseBody::Whole(bytes) = body else { return Self::TooLarge };
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Self::Empty;
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => return Self::Object(object),
            Ok(Value::Array(items)) => return first_object(items).map_or(Self::OtherJson, Self::Object),
            Ok(Value::String(text)) => return Self::Text(head(&text)),
            Ok(Value::Null | Value::Bool(_) | Value::Number(_)) => return Self::OtherJson,
            Err(_) => {}
        }
        if text.starts_with(['{', '[']) {
            return Self::BrokenJson(salvage(text), head(text));
        }
        if text.starts_with('<') {
            return xml(text).map_or_else(|| Self::Page(visible(text)), Self::Object);
        }
        form(text).map_or_else(|| Self::Text(head(text)), Self::Object)
    }
}

fn head(text: &str) -> String {
    text.chars().take(PAGE_CHARS).collect()
}

/// Some APIs wrap their errors in a list; a token in a list is none (RFC 6749 §5.1 asks for an object).
fn first_object(items: Vec<Value>) -> Option<Map<String, Value>> {
    let Some(Value::Object(object)) = items.into_iter().next() else { return None };
    (!object.contains_key("access_token")).then_some(object)
}

/// A form counts only with a key that a token endpoint sends: any text with a `=` looks like a form.
fn form(text: &str) -> Option<Map<String, Value>> {
    if !text.split('&').all(|pair| pair.contains('=')) {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes()).take(64);
    let object: Map<_, _> = pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect();
    (object.contains_key("access_token") || object.contains_key("error")).then_some(object)
}

/// `"error": "…"` and `"error_description": "…"` out of JSON that does not parse.
fn salvage(text: &str) -> Map<String, Value> {
    ["error", "error_description"]
        .iter()
        .filter_map(|key| {
            let (_, rest) = text.split_once(&format!("\"{key}\""))?;
            let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
            let (value, after) = rest.split_once('"')?;
            let after = after.trim_start();
            // `"error":"description":"…"`: that was a key, not a value.
            (!after.starts_with(':')).then(|| ((*key).to_owned(), Value::String(value.to_owned())))
        })
        .collect()
}

/// `<error>…</error>`, as Spring Security OAuth and ABAP answer when nobody asked for JSON.
fn xml(text: &str) -> Option<Map<String, Value>> {
    let object: Map<_, _> = ["error", "error_description"]
        .iter()
        .filter_map(|name| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let (value, _) = rest.split_once('<')?;
            Some(((*name).to_owned(), Value::String(value.trim().to_owned())))
        })
        .collect();
    object.contains_key("error").then_some(object)
}

/// What a person would see of a page: no tags, scripts or styles.
fn visible(page: &str) -> String {
    let mut seen = String::new();
    let mut rest = page.char_indices().nth(PAGE_CHARS).map_or(page, |(end, _)| page.get(..end).unwrap_or_default());
    while let Some((text, after)) = rest.split_once('<') {
        seen.push_str(text);
        seen.push('\n');
        let name: String = after.chars().take(6).collect::<String>().to_ascii_lowercase();
        let after = ["script", "style"]
            .iter()
            .find(|hidden| name.starts_with(**hidden))
            .map_or(after, |hidden| after.split_once(&format!("</{hidden}")).map_or("", |(_, after)| after));
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    seen.push_str(rest);
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Body {
        Body::read(&ResponseBody::Whole(text.to_owned().into()))
    }

    #[test]
    fn the_bytes_decide_on_the_shape() {
        assert!(matches!(read(""), Body::Empty));
        assert!(matches!(read("\u{feff} {\"error\":\"x\"}"), Body::Object(_)));
        assert!(matches!(read("error=invalid_client&error_description=no+such%20client"), Body::Object(_)));
        assert!(matches!(read("a=b"), Body::Text(_)));
        assert!(matches!(read("[{\"access_token\":\"abc\"}]"), Body::OtherJson));
        assert!(matches!(read("[{\"errorCode\":\"x\"}]"), Body::Object(_)));
        assert!(matches!(read("{\"access_token\":"), Body::BrokenJson(..)));
        assert!(matches!(read("<oauth><error>invalid_client</error></oauth>"), Body::Object(_)));
        assert!(matches!(read("\"Unauthorized\""), Body::Text(text) if text == "Unauthorized"));
        assert!(matches!(Body::read(&ResponseBody::TooLarge), Body::TooLarge));
    }

    #[test]
    fn a_page_is_read_as_a_person_would() {
        let page = "<html><style>b { c: d }</style><script>var tenant = 'not found'</script><h1>Not <b>here</b></h1>";
        assert!(matches!(read(page), Body::Page(text) if text.split_whitespace().collect::<Vec<_>>() == ["Not", "here"]));
    }

    #[test]
    fn broken_json_gives_what_is_whole() {
        let Body::BrokenJson(saved, _) = read("{\"error\":\"invalid_grant\",\"error_description\":\"a \"quoted\" word\"") else {
            panic!("not recognised as broken")
        };
        assert_eq!(saved.get("error"), Some(&Value::from("invalid_grant")));
        let Body::BrokenJson(saved, _) = read("{\"error\":\"invalid_cl") else { panic!("not recognised as broken") };
        assert!(saved.is_empty());
    }
}
