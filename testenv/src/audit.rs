//! The API server's audit log: who asked it for what.

use std::collections::HashMap;

use serde::Deserialize;

/// One request to the API server. Empty strings where the request has no such part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// `User-Agent`.
    pub user_agent: String,
    /// The authenticated user.
    pub user: String,
    /// Kubernetes verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Path and query.
    pub request_uri: String,
    /// API group; empty for the core group.
    pub api_group: String,
    /// Resource in the plural, such as `secrets`.
    pub resource: String,
    /// Subresource, such as `status`.
    pub subresource: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// HTTP status of the answer; 0 if there is none.
    pub code: u16,
    /// When the request arrived, RFC 3339 with microseconds, UTC.
    pub received_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    audit_id: String,
    verb: String,
    #[serde(rename = "requestURI", default)]
    request_uri: String,
    #[serde(default)]
    user: UserInfo,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: ObjectReference,
    #[serde(default)]
    response_status: ResponseStatus,
    #[serde(default)]
    request_received_timestamp: String,
}

#[derive(Default, Deserialize)]
struct UserInfo {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectReference {
    #[serde(default)]
    api_group: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    subresource: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl From<Event> for AuditEntry {
    fn from(event: Event) -> Self {
        let object = event.object_ref;
        Self {
            user_agent: event.user_agent,
            user: event.user.username,
            verb: event.verb,
            request_uri: event.request_uri,
            api_group: object.api_group,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            code: event.response_status.code,
            received_at: event.request_received_timestamp,
        }
    }
}

/// Parses the JSON lines. A watch is logged at its start and at its end under one audit ID: it is one entry, and the later
/// line counts. A line that is still being written is left out.
pub(crate) fn parse(log: &str) -> Vec<AuditEntry> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for event in log.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()) {
        let place = *places.entry(event.audit_id.clone()).or_insert(entries.len());
        match entries.get_mut(place) {
            Some(earlier) => *earlier = event.into(),
            None => entries.push(event.into()),
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::parse;

    const WATCH_STARTED: &str = r#"{"kind":"Event","auditID":"a","stage":"ResponseStarted","requestURI":"/api/v1/secrets?watch=1","verb":"watch","user":{"username":"admin"},"userAgent":"tokensource/0.1","objectRef":{"resource":"secrets","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200}}"#;
    const PATCH: &str = r#"{"kind":"Event","auditID":"b","stage":"ResponseComplete","requestURI":"/x","verb":"patch","user":{"username":"admin"},"userAgent":"tokensource/0.1","objectRef":{"resource":"tokensources","subresource":"status","namespace":"n","name":"t","apiGroup":"tokensource.dev"},"responseStatus":{"code":409},"requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z"}"#;
    const WATCH_ENDED: &str = r#"{"kind":"Event","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/secrets?watch=1","verb":"watch","user":{"username":"admin"},"userAgent":"tokensource/0.1","objectRef":{"resource":"secrets"},"responseStatus":{"code":500}}"#;

    #[test]
    fn a_watch_is_one_request_though_it_is_logged_twice() {
        let entries = parse(&[WATCH_STARTED, PATCH, WATCH_ENDED].join("\n"));
        assert_eq!(entries.iter().map(|e| (e.verb.as_str(), e.code)).collect::<Vec<_>>(), [("watch", 500), ("patch", 409)]);
    }

    #[test]
    fn every_part_of_the_object_is_there() {
        let entries = parse(PATCH);
        let [patch] = entries.as_slice() else { panic!("one entry") };
        assert_eq!(patch.user_agent, "tokensource/0.1");
        assert_eq!(
            (patch.api_group.as_str(), patch.resource.as_str(), patch.subresource.as_str()),
            ("tokensource.dev", "tokensources", "status")
        );
        assert_eq!((patch.namespace.as_str(), patch.name.as_str()), ("n", "t"));
        assert_eq!(patch.received_at, "2026-01-01T00:00:00.000001Z");
    }

    #[test]
    fn a_line_that_is_still_being_written_is_left_out() {
        let half = PATCH.split_at(40).0;
        assert_eq!(parse(&format!("{PATCH}\n{half}")).len(), 1);
    }
}
