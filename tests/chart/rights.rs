//! What the chart's roles grant, and what the API server was asked for.

use serde_json::Value;
use testenv::AuditEntry;

/// One thing that a role permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The namespace; empty: any.
    namespace: String,
    group: String,
    /// With its subresource, as in a rule.
    resource: String,
    verb: String,
    /// The one object it is for; empty: any.
    name: String,
}

impl Right {
    /// Whether a request needed it.
    pub fn is_used_by(&self, request: &AuditEntry) -> bool {
        let within = self.namespace.is_empty() || self.namespace == request.namespace;
        let named = self.name.is_empty() || self.name == request.name;
        within
            && named
            && self.group == request.api_group
            && self.resource == resource(request)
            && verbs(request).contains(&self.verb.as_str())
    }
}

fn resource(request: &AuditEntry) -> String {
    if request.subresource.is_empty() { request.resource.clone() } else { format!("{}/{}", request.resource, request.subresource) }
}

/// A server-side apply that makes an object needs `create` too.
fn verbs(request: &AuditEntry) -> Vec<&str> {
    if request.verb == "patch" && request.code == 201 { vec!["patch", "create"] } else { vec![&request.verb] }
}

fn words<'a>(rule: &'a Value, key: &str) -> Vec<&'a str> {
    rule[key].as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

fn of_rule(namespace: &str, rule: &Value) -> Vec<Right> {
    let names = words(rule, "resourceNames");
    let names = if names.is_empty() { vec![""] } else { names };
    let mut rights = Vec::new();
    for group in words(rule, "apiGroups") {
        for resource in words(rule, "resources") {
            for verb in words(rule, "verbs") {
                rights.extend(names.iter().map(|name| Right {
                    namespace: namespace.to_owned(),
                    group: group.to_owned(),
                    resource: resource.to_owned(),
                    verb: verb.to_owned(),
                    name: (*name).to_owned(),
                }));
            }
        }
    }
    rights
}

/// What the operator's own roles grant: not those that are for people.
pub fn granted(documents: &[Value]) -> Vec<Right> {
    let roles = documents.iter().filter(|document| document["rules"].is_array());
    let roles = roles.filter(|role| !role["metadata"]["labels"].to_string().contains("aggregate-to"));
    roles
        .flat_map(|role| {
            let namespace = role["metadata"]["namespace"].as_str().unwrap_or_default();
            role["rules"].as_array().unwrap().iter().flat_map(|rule| of_rule(namespace, rule)).collect::<Vec<_>>()
        })
        .collect()
}
