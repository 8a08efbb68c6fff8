//! `status` of a `TokenSource`: what people, GitOps tools and the operator itself read back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// What became of the TokenSource. Written by the operator only.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenSourceStatus {
    /// The generation of the spec that this status was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The Secret that holds the token, or would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,

    /// The type of the token (RFC 6749 section 7.1), Bearer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,

    /// The scopes that were granted, where the server said so or they are what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_scopes: Option<Vec<String>>,

    /// When the last token was obtained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refresh_time: Option<Time>,

    /// When the token in the Secret expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<Time>,

    /// When the token in the Secret is due to be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal_time: Option<Time>,

    /// How many token requests in a row have failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_failures: Option<u32>,

    /// When the next token request is made after a failed one. Absent: not before something changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_time: Option<Time>,

    /// The last failure. Cleared by the next success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,

    /// The last token request: when, and what it was made of as keyed hashes. Tells a change of spec or credentials from a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<LastAttempt>,

    /// What is known of the client's credentials, by a token or by a probe: tells client from user where an answer does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_proof: Option<ClientProof>,

    /// The value of the annotation tokensource.dev/refresh-requested-at that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_refresh_request: Option<String>,

    /// Ready, Refreshed and, where nothing will change by itself, Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map"), extend("x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A failed token request, or why none was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastFailure {
    /// When it was seen; of what is only seen again, the first time.
    pub time: Time,
    /// The classified reason.
    pub reason: String,
    /// The cause within the reason, where the answer tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The server's error code (RFC 6749 section 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// What the last token request was made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastAttempt {
    /// When it was sent.
    pub time: Time,
    /// Keyed hashes of the request's spec and of the credentials.
    pub request_digest: String,
    /// The version of the credentials Secret, as UID/RESOURCE_VERSION.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_version: Option<String>,
}

/// What is known of a client's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientProof {
    /// Keyed hash of endpoint, client and secret.
    pub credentials: String,
    /// Whether the server accepted them.
    pub result: ProbeResult,
}

/// Whether a server accepts a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ProbeResult {
    /// It got a token, or was refused after its authentication.
    Accepted,
    /// Its authentication failed.
    Rejected,
    /// The answer to the probe did not say.
    Inconclusive,
}
