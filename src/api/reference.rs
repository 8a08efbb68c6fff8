//! docs/reference.md, made from the schema that the API server enforces.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::crd;

mod bounds;

/// What an assertion source consists of. Two fields are one; it is told once.
const ASSERTION_SOURCE: [&str; 4] = ["secretKeyRef", "serviceAccountRef", "signedJWT", "tokenSourceRef"];

const HEAD: &str = "<!-- Made from the code by `make generate`. Edit src/api/ instead. -->
# Every field of a TokenSource

Group `tokensource.dev`, version `v1alpha1`, kind `TokenSource`, short name `tks`. It belongs to a namespace, and so does all
that it names: no field takes another one. `kubectl explain tks.spec --recursive` tells the same in a cluster.

A *duration* is a number with a unit, or several: `10s`, `5m`, `1h30m`. A *map* has texts as keys and values. A field with a
default is never empty in the cluster; where the default is not in code type, the operator fills it in when it acts. What a rule
forbids is refused by the API server, with the rule as the message.";

const STATUS: &str = "## status

Written by the operator alone. What the conditions mean stands in [concepts.md](concepts.md#conditions), every reason in
[failures.md](failures.md).";

const ASSERTION: &str = "## An assertion source

Where a field's type is an assertion source, it holds exactly one of `secretKeyRef`, `tokenSourceRef`, `serviceAccountRef` and
`signedJWT`.";

/// The whole page, in Markdown.
pub fn render() -> String {
    let definition = crd::definition();
    let version = definition.pointer("/spec/versions/0").unwrap_or(&Value::Null);
    let part = |name: &str| version.pointer(&format!("/schema/openAPIV3Schema/properties/{name}")).unwrap_or(&Value::Null);
    let (spec, status) = (part("spec"), part("status"));
    let mut page = format!("{HEAD}\n\n## spec\n\n{}", described(spec));
    page.push_str(&sections("spec", spec));
    if let Some(assertion) = spec.pointer("/properties/grant/properties/assertion") {
        let source = only_assertion_source(assertion);
        _ = write!(page, "\n{ASSERTION}\n\n{}", described(&source));
        page.push_str(&sections("assertion", &source));
    }
    _ = write!(page, "\n{STATUS}\n\n{}", described(status));
    page.push_str(&sections("status", status));
    page.push_str(&columns(version));
    page
}

/// The fields of a schema as a table, then its rules and theirs.
fn described(schema: &Value) -> String {
    let mut text = "| field | type | default | bounds | meaning |\n|---|---|---|---|---|\n".to_owned();
    for (name, field) in fields(schema) {
        let (meaning, default) = meaning_and_default(field);
        let bounds = bounds::of(field, is_required(schema, name));
        _ = writeln!(text, "| `{name}` | {} | {default} | {bounds} | {meaning} |", bounds::type_of(field));
    }
    let without_section = fields(schema).filter(|(_, field)| !has_section(field));
    let mut rules: Vec<&str> = without_section.flat_map(|(_, field)| messages(field)).chain(messages(schema)).collect();
    rules.dedup();
    if !rules.is_empty() {
        text.push_str("\nRules:\n\n");
        for rule in rules {
            _ = writeln!(text, "* {rule}");
        }
    }
    text
}

/// A section for each field that has fields of its own, depth first.
fn sections(path: &str, schema: &Value) -> String {
    let mut text = String::new();
    for (name, field) in fields(schema) {
        let path = format!("{path}.{name}");
        if !has_section(field) {
            continue;
        }
        let inner = inner(field);
        _ = write!(text, "\n### {path}\n\n{}\n\n{}", meaning_and_default(field).0, described(inner));
        text.push_str(&sections(&path, inner));
    }
    text
}

fn has_section(field: &Value) -> bool {
    fields(inner(field)).next().is_some()
}

/// What a list is a list of; any other schema itself.
fn inner(field: &Value) -> &Value {
    field.get("items").unwrap_or(field)
}

/// The fields of an object's schema, without those that are told under the assertion source.
fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let whole = schema.get("x-told-whole").is_some();
    let of_an_assertion = !whole && bounds::is_assertion_source(schema);
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().filter(move |(name, _)| !(of_an_assertion && ASSERTION_SOURCE.contains(&name.as_str())))
}

/// The schema of an assertion source alone, marked to be told with its parts.
fn only_assertion_source(schema: &Value) -> Value {
    let properties: Map<String, Value> = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let parts: Map<String, Value> = properties.into_iter().filter(|(name, _)| ASSERTION_SOURCE.contains(&name.as_str())).collect();
    serde_json::json!({ "properties": parts, "x-told-whole": true })
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

fn messages(schema: &Value) -> impl Iterator<Item = &str> {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    rules.into_iter().flatten().filter_map(|rule| rule.get("message")?.as_str())
}

/// A default that the operator fills in stands at the end of the description; the schema's own one goes before it.
fn meaning_and_default(field: &Value) -> (String, String) {
    let told = field.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
    let (meaning, filled_in) = told.split_once(" Default: ").map_or((told.as_str(), ""), |(meaning, rest)| (meaning, rest));
    let default = match field.get("default") {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(other @ (Value::Bool(_) | Value::Number(_))) => format!("`{other}`"),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => filled_in.trim_end_matches('.').to_owned(),
    };
    (in_a_cell(meaning), in_a_cell(&default))
}

fn columns(version: &Value) -> String {
    let mut text = "\n## What `kubectl get tks` shows\n\n| column | from | |\n|---|---|---|\n".to_owned();
    for column in version.get("additionalPrinterColumns").and_then(Value::as_array).into_iter().flatten() {
        let word = |key: &str| column.get(key).and_then(Value::as_str).unwrap_or_default();
        let wide = if column.get("priority").is_some() { "with `-o wide`" } else { "" };
        let shown = if word("description").is_empty() { wide } else { word("description") };
        _ = writeln!(text, "| {} | `{}` | {shown} |", word("name").to_uppercase(), word("jsonPath"));
    }
    text
}

/// Text in a cell of a table: a bar would end it.
fn in_a_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(schema: &Value) -> usize {
        let inner = schema.get("items").unwrap_or(schema);
        let own = inner.get("properties").and_then(Value::as_object);
        own.map_or(0, |fields| fields.len() + fields.values().map(count).sum::<usize>())
    }

    #[test]
    fn every_field_has_a_row() {
        let definition = crd::definition();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        let assertion = only_assertion_source(&schema["spec"]["properties"]["grant"]["properties"]["assertion"]);
        let rows = render().lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, count(&schema["spec"]) + count(&schema["status"]) - count(&assertion), "all, and the assertion source once");
    }

    #[test]
    fn every_field_says_what_it_means() {
        let silent: Vec<String> =
            render().lines().filter(|line| line.starts_with("| `") && line.ends_with("|  |")).map(ToOwned::to_owned).collect();
        assert!(silent.is_empty(), "{}", silent.join("\n"));
    }

    #[test]
    fn an_assertion_source_is_the_same_wherever_it_stands() {
        let definition = crd::definition();
        let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
        let client = &spec["clientAuthentication"]["properties"]["assertion"];
        assert_eq!(only_assertion_source(&spec["grant"]["properties"]["assertion"]), only_assertion_source(client));
    }

    #[test]
    fn defaults_stand_in_their_own_column() {
        let page = render();
        for row in [
            "| `renewBeforePercentage` | integer | 33 | 1 to 90 | Renew when this share of the token's life is left, in percent. |",
            "| `connectTimeout` | duration | `10s` |  | How long connecting may take, 0s to 60s. 0s means the maximum. |",
            "| `name` | string | the TokenSource's own name |",
        ] {
            assert!(page.contains(row), "{row}");
        }
    }
}
