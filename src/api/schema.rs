//! Checks a manifest against the schema as `kubectl apply` would: fields that there are, types, and words of a list. The
//! rules between fields are the API server's.

use serde_json::Value;

/// What is wrong with a `TokenSource` as it was written, with the path of the field; none where nothing is.
pub fn problem(source: &Value) -> Option<String> {
    let definition = super::crd::definition();
    let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")?;
    match source.get("spec") {
        Some(spec) => below(spec, schema, "spec"),
        None => Some("spec is missing".to_owned()),
    }
}

fn below(value: &Value, schema: &Value, path: &str) -> Option<String> {
    let word = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    if value.is_null() {
        return None; // dropped by the API server like an absent field
    }
    if !is_of_type(value, word) {
        return Some(format!("{path} must be {}", described(word)));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array).filter(|words| !words.contains(value)) {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return Some(format!("{path} must be one of {}", words.join(", ")));
    }
    match value {
        Value::Object(fields) => in_object(fields, schema, path),
        Value::Array(items) => {
            let of_items = schema.get("items")?;
            items.iter().enumerate().find_map(|(index, item)| below(item, of_items, &format!("{path}[{index}]")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn in_object(fields: &serde_json::Map<String, Value>, schema: &Value, path: &str) -> Option<String> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
        return Some(format!("{path}.{missing} is missing"));
    }
    fields.iter().find_map(|(name, value)| {
        let field = format!("{path}.{name}");
        match (schema.get("properties").and_then(|known| known.get(name)), schema.get("additionalProperties")) {
            (Some(known), _) => below(value, known, &field),
            (None, Some(any @ Value::Object(_))) => below(value, any, &field),
            (None, _) => Some(format!("{field} is no field of a TokenSource: `kubectl explain tks.spec --recursive` lists them")),
        }
    })
}

fn is_of_type(value: &Value, word: &str) -> bool {
    match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    }
}

fn described(word: &str) -> &'static str {
    match word {
        "object" => "a map of fields",
        "array" => "a list",
        "string" => "a text: put it in quotes",
        "boolean" => "true or false",
        _ => "a whole number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_field_and_the_fix_are_named() {
        let told = |spec: Value| problem(&json!({"spec": spec})).unwrap_or_default();
        for (spec, expected) in [
            (json!({"tokenURL": "https://a.example.com", "scopes": ["a"], "request": {"headers": {"X-A": "b"}}}), ""),
            (json!({"tokenUrl": "https://a.example.com"}), "spec.tokenUrl is no field"),
            (json!({"grant": {"type": "Passwort"}}), "spec.grant.type must be one of ClientCredentials"),
            (json!({"scopes": "a b"}), "spec.scopes must be a list"),
            (json!({"scopes": [1]}), "spec.scopes[0] must be a text"),
            (json!({"request": {"headers": {"X-A": 1}}}), "spec.request.headers.X-A must be a text"),
            (json!({"credentials": {}}), "spec.credentials.secretRef is missing"),
            (json!({"credentials": {"secretRef": {"name": "a", "namespace": "b"}}}), "spec.credentials.secretRef.namespace is no field"),
        ] {
            let told = told(spec);
            assert!(told.starts_with(expected) && told.is_empty() == expected.is_empty(), "{told}");
        }
        assert_eq!(problem(&json!({})).as_deref(), Some("spec is missing"));
    }
}
