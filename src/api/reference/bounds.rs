//! What a field's schema lets through, in words.

use serde_json::Value;

use super::{ASSERTION_SOURCE, in_a_cell};

/// How a duration is told from other texts.
const DURATION: &str = "^([0-9]{1,9}(h|ms|m|s))+$";

/// The type, or the words that an enumeration has.
pub(super) fn type_of(field: &Value) -> String {
    if let Some(words) = field.get("enum").and_then(Value::as_array) {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if is_assertion_source(field) {
        return "[assertion source](#an-assertion-source)".to_owned();
    }
    if is_list(field) {
        let item = field.get("items").map(type_of).unwrap_or_default();
        return format!("list of {item}s");
    }
    let text = |key: &str| field.get(key).and_then(Value::as_str);
    match (text("type"), text("format"), text("pattern")) {
        (Some("string"), Some("date-time"), _) => "time".to_owned(),
        (Some("string"), _, Some(DURATION)) => "duration".to_owned(),
        (Some("object"), ..) if field.get("additionalProperties").is_some() => "map".to_owned(),
        (Some(plain), ..) => plain.to_owned(),
        (None, ..) => String::new(),
    }
}

/// Which values are accepted, beside the type and the rules.
pub(super) fn of(field: &Value, is_required: bool) -> String {
    let mut bounds: Vec<String> = Vec::new();
    if is_required {
        bounds.push("required".to_owned());
    }
    bounds.extend(of_number(field));
    bounds.extend(of_text(field));
    bounds.extend(number(field, "maxItems").map(|most| format!("up to {most} items")));
    bounds.extend(number(field, "maxProperties").map(|most| format!("up to {most} entries")));
    for inner in ["items", "additionalProperties"] {
        bounds.extend(field.get(inner).into_iter().flat_map(of_text).map(|bound| format!("each {bound}")));
    }
    in_a_cell(&bounds.join("; "))
}

fn of_number(field: &Value) -> Option<String> {
    match (number(field, "minimum"), number(field, "maximum")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("{least} or more")),
        (None, Some(most)) => Some(format!("up to {most}")),
        (None, None) => None,
    }
}

fn of_text(field: &Value) -> Vec<String> {
    let pattern = field.get("pattern").and_then(Value::as_str);
    if pattern == Some(DURATION) {
        return Vec::new();
    }
    let length = match (number(field, "minLength"), number(field, "maxLength")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most} characters")),
        (None, Some(most)) => Some(format!("up to {most} characters")),
        (Some(_) | None, None) => None,
    };
    length.into_iter().chain(pattern.map(|pattern| format!("matches `{pattern}`"))).collect()
}

fn number(field: &Value, key: &str) -> Option<i64> {
    field.get(key)?.as_i64()
}

pub(super) fn is_list(field: &Value) -> bool {
    field.get("items").is_some()
}

/// Whether the schema is that of an assertion source, with or without fields beside it.
pub(super) fn is_assertion_source(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|fields| ASSERTION_SOURCE.iter().all(|part| fields.contains_key(*part)))
}
