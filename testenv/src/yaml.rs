//! Writes YAML in block style: the old parser of the UAA does not take JSON, and a kubeconfig is read by people.

use serde_json::Value;

/// `value` as a YAML document.
pub(crate) fn document(value: &Value) -> String {
    block(value, 0).concat()
}

/// The lines of a value that is indented by so many spaces.
fn block(value: &Value, indent: usize) -> Vec<String> {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(entries) => {
            entries.iter().map(|(key, entry)| format!("{margin}{}:{}", Value::from(key.as_str()), entry_after(entry, indent))).collect()
        }
        Value::Array(entries) => entries.iter().map(|entry| format!("{margin}-{}", entry_after(entry, indent))).collect(),
        // A JSON scalar is a YAML flow scalar.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![format!("{margin}{value}\n")],
    }
}

/// What follows `key:` or `-`.
fn entry_after(entry: &Value, indent: usize) -> String {
    let nested = match entry {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        Value::String(lines) if lines.ends_with('\n') => return literal(lines, indent + 2),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if nested { format!("\n{}", block(entry, indent + 2).concat()) } else { format!(" {entry}\n") }
}

/// PEM as a literal block.
fn literal(lines: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let lines: Vec<String> = lines.lines().map(|line| format!("{margin}{line}\n")).collect();
    format!(" |\n{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn maps_lists_scalars_and_pem_are_blocks() {
        let value = json!({"a": {"b": 1, "c": [true, {"d": "p:ss w%rd+&=/é"}]}, "e": "x\ny\n", "f": {}});
        let expected = "\"a\":\n  \"b\": 1\n  \"c\":\n    - true\n    -\n      \"d\": \"p:ss w%rd+&=/é\"\n\"e\": |\n  x\n  y\n\"f\": {}\n";
        assert_eq!(super::document(&value), expected);
    }
}
