//! `spec.diagnosis`: how refusals are looked into.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How refusals are looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// Auto: where a refused password grant does not say whether client or user was refused, the client asks alone, once per version of its credentials, by client_credentials; a token that it gets is dropped. Never: it does not.
    #[serde(default)]
    pub probe: Probe,
}

/// Whether the client is probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Probe {
    /// Where the answer alone does not tell.
    #[default]
    Auto,
    /// Not at all.
    Never,
}
