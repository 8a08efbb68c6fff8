//! The `CustomResourceDefinition`, as the derive makes it but for what the API server has no use for.

use kube::CustomResourceExt as _;
use serde_json::Value;

use super::TokenSource;
use super::condition::Reason;

/// Formats of Rust's integer types, which `OpenAPI` does not know.
const FOREIGN_FORMATS: [&str; 3] = ["uint8", "uint16", "uint32"];

/// The CRD as a JSON value.
///
/// Without `nullable`: the API server then drops an explicit null like an absent field, so that `has()` in a rule
/// means that there is a value. Without formats that it does not know, and with whole bounds of whole numbers.
pub fn definition() -> Value {
    let mut definition = serde_json::to_value(TokenSource::crd()).unwrap_or_default();
    tidy(&mut definition);
    if let Some(status) = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/status") {
        status["default"] = pending();
    }
    definition
}

/// The status of a source that no operator has seen yet, so that nobody takes its silence for health (kstatus).
fn pending() -> Value {
    let condition = |condition_type: &str| {
        serde_json::json!({
            "type": condition_type,
            "status": "Unknown",
            "reason": Reason::Pending,
            "message": "Waiting for the operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        })
    };
    serde_json::json!({ "conditions": [condition("Ready"), condition("Refreshed")] })
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                fields.remove("nullable");
            }
            if fields.get("format").and_then(Value::as_str).is_some_and(|format| FOREIGN_FORMATS.contains(&format)) {
                fields.remove("format");
            }
            for bound in ["minimum", "maximum"] {
                if let Some(limit) = fields.get_mut(bound) {
                    whole(limit);
                }
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds in this schema are whole numbers far below 2^52")]
fn whole(limit: &mut Value) {
    if let Some(number) = limit.as_f64().filter(|number| number.fract() == 0.0) {
        *limit = (number as i64).into();
    }
}
