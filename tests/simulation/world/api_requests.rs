//! The API server's HTTP: which request means what, and how the answer looks.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{Method, Response};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use kube::client::Body;
use kube::core::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api_server::{ApiServer, Refused, namespace};
use crate::api::status::TokenSourceStatus;

/// A request.
#[derive(Debug)]
pub enum Call {
    /// Reads a Secret.
    ReadSecret(&'static str, String),
    /// Reads a Secret's metadata.
    ReadMetadata(&'static str, String),
    /// Reads a source's metadata.
    ReadSourceMetadata(String),
    /// Applies a Secret.
    ApplySecret(&'static str, String, Box<Secret>),
    /// Merges into a Secret.
    MergeSecret(&'static str, String, BTreeMap<String, Option<ByteString>>),
    /// Makes a Secret.
    CreateSecret(&'static str, Box<Secret>),
    /// Applies a status.
    ApplyStatus(String, Option<String>, Box<TokenSourceStatus>),
    /// Reads the Lease.
    ReadLease,
    /// Makes or replaces the Lease.
    WriteLease(Box<Lease>, bool),
    /// Tells an Event.
    TellEvent(Bytes),
}

#[derive(Deserialize)]
struct StatusPatch {
    metadata: Uid,
    status: TokenSourceStatus,
}

#[derive(Deserialize)]
struct Uid {
    uid: Option<String>,
}

#[derive(Deserialize)]
struct DataPatch {
    data: BTreeMap<String, Option<ByteString>>,
}

impl Call {
    /// Reads a request. The operator sends no other.
    pub fn read(parts: &Parts, body: &Bytes) -> Self {
        let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let json = "the operator sends what the API server understands";
        match (&parts.method, path.as_slice()) {
            (&Method::GET, ["api", "v1", "namespaces", ns, "secrets", name]) if header(ACCEPT).contains("PartialObjectMetadata") => {
                Self::ReadMetadata(namespace(ns), (*name).to_owned())
            }
            (&Method::GET, ["api", "v1", "namespaces", ns, "secrets", name]) => Self::ReadSecret(namespace(ns), (*name).to_owned()),
            (&Method::PATCH, ["api", "v1", "namespaces", ns, "secrets", name]) if header(CONTENT_TYPE).contains("apply") => {
                Self::ApplySecret(namespace(ns), (*name).to_owned(), serde_json::from_slice(body).expect(json))
            }
            (&Method::PATCH, ["api", "v1", "namespaces", ns, "secrets", name]) => {
                let patch: DataPatch = serde_json::from_slice(body).expect(json);
                Self::MergeSecret(namespace(ns), (*name).to_owned(), patch.data)
            }
            (&Method::POST, ["api", "v1", "namespaces", ns, "secrets"]) => {
                Self::CreateSecret(namespace(ns), serde_json::from_slice(body).expect(json))
            }
            (&Method::GET, ["apis", "tokensource.dev", _, "namespaces", _, "tokensources", name]) => {
                Self::ReadSourceMetadata((*name).to_owned())
            }
            (&Method::PATCH, ["apis", "tokensource.dev", _, "namespaces", _, "tokensources", name, "status"]) => {
                let patch: StatusPatch = serde_json::from_slice(body).expect(json);
                Self::ApplyStatus((*name).to_owned(), patch.metadata.uid, Box::new(patch.status))
            }
            (&Method::GET, ["apis", "coordination.k8s.io", "v1", "namespaces", _, "leases", _]) => Self::ReadLease,
            (&Method::POST, ["apis", "coordination.k8s.io", ..]) => Self::WriteLease(serde_json::from_slice(body).expect(json), true),
            (&Method::PUT, ["apis", "coordination.k8s.io", ..]) => Self::WriteLease(serde_json::from_slice(body).expect(json), false),
            (_, ["apis", "events.k8s.io", ..]) => Self::TellEvent(body.clone()),
            (method, _) => panic!("the simulated API server does not know {method} {}", parts.uri.path()),
        }
    }

    /// Whether only a leader may send it.
    pub fn is_an_act(&self) -> bool {
        match self {
            Self::ReadSecret(..) | Self::ReadMetadata(..) | Self::ReadSourceMetadata(_) | Self::ReadLease | Self::WriteLease(..) => false,
            // Made before there is any leader's work: the key of the digests.
            Self::CreateSecret(..) => false,
            Self::ApplySecret(..) | Self::MergeSecret(..) | Self::ApplyStatus(..) | Self::TellEvent(_) => true,
        }
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.is_an_act() || matches!(self, Self::CreateSecret(..) | Self::WriteLease(..))
    }

    /// What it is, for the trace.
    pub fn told(&self) -> String {
        match self {
            Self::ReadSecret(_, name) => format!("get Secret {name}"),
            Self::ReadMetadata(_, name) => format!("get metadata of Secret {name}"),
            Self::ReadSourceMetadata(name) => format!("get metadata of TokenSource {name}"),
            Self::ApplySecret(_, name, secret) => {
                format!("apply Secret {name} ({} keys)", secret.data.as_ref().map_or(0, BTreeMap::len))
            }
            Self::MergeSecret(_, name, data) => {
                let lines = data
                    .values()
                    .flatten()
                    .map(|ByteString(bytes)| bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count());
                format!("merge Secret {name} ({} lines)", lines.sum::<usize>())
            }
            Self::CreateSecret(_, secret) => format!("create Secret {}", secret.metadata.name.as_deref().unwrap_or_default()),
            Self::ApplyStatus(name, _, status) => {
                let ready = status.conditions.first().map(|ready| format!("{:?} {}", ready.status, ready.reason)).unwrap_or_default();
                format!("apply status of {name}: Ready {ready}, {} failures", status.consecutive_failures.unwrap_or(0))
            }
            Self::ReadLease => "get Lease".to_owned(),
            Self::WriteLease(lease, _) => {
                format!("write Lease: {:?}", lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default())
            }
            Self::TellEvent(_) => "tell an Event".to_owned(),
        }
    }

    /// Does it.
    pub fn perform(self, api: &mut ApiServer, now: Timestamp) -> Result<Vec<u8>, Refused> {
        Ok(match self {
            Self::ReadSecret(namespace, name) => bytes(&api.secret(namespace, &name).ok_or(404_u16)?.secret),
            Self::ReadMetadata(namespace, name) => metadata_alone(&api.secret(namespace, &name).ok_or(404_u16)?.secret.metadata),
            Self::ReadSourceMetadata(name) => metadata_alone(&api.sources.get(&name).ok_or(404_u16)?.metadata),
            // The operator asks for no more than the metadata of what it has written.
            Self::ApplySecret(namespace, name, secret) => metadata_alone(&api.apply_secret(namespace, &name, *secret, now)?.metadata),
            Self::MergeSecret(namespace, name, data) => bytes(api.merge_secret(namespace, &name, data)?),
            Self::CreateSecret(namespace, secret) => bytes(api.create_secret(namespace, *secret, None)?),
            Self::ApplyStatus(name, uid, status) => bytes(api.apply_status(&name, uid.as_deref(), *status)?),
            Self::ReadLease => bytes(api.lease.as_ref().ok_or(404_u16)?),
            Self::WriteLease(lease, creates) => bytes(&api.write_lease(*lease, creates)?),
            Self::TellEvent(body) => body.to_vec(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetadataAlone<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: &'a ObjectMeta,
}

fn metadata_alone(metadata: &ObjectMeta) -> Vec<u8> {
    bytes(&MetadataAlone { kind: "PartialObjectMetadata", api_version: "meta.k8s.io/v1", metadata })
}

fn bytes<T: serde::Serialize>(object: &T) -> Vec<u8> {
    serde_json::to_vec(object).unwrap()
}

/// The answer as it comes over the wire.
pub fn response(result: Result<Vec<u8>, Refused>) -> Response<Body> {
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(code) => {
            let reason = match code {
                403 => "Forbidden",
                404 => "NotFound",
                409 => "Conflict",
                422 => "Invalid",
                429 => "TooManyRequests",
                503 => "ServiceUnavailable",
                _ => "InternalError",
            };
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "simulated", "reason": reason, "code": code});
            (code, bytes(&status))
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response
}
