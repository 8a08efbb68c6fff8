//! `spec.secret`: the Secret that the token is written to.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Secret that the token is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetSecret {
    /// The Secret's name. Default: the TokenSource's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"))]
    pub name: Option<String>,

    /// Labels to put on the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new("self.all(key, key.startsWith('app.kubernetes.io/') ? key != 'app.kubernetes.io/managed-by' : !key.matches('^([^/]+[.])?(kubernetes[.]io|k8s[.]io|tokensource[.]dev)/'))").message("secret.labels must not use keys under kubernetes.io/, k8s.io/ or tokensource.dev/ (app.kubernetes.io/ labels are fine, but for managed-by)"))]
    pub labels: Option<BTreeMap<String, String>>,

    /// Annotations to put on the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new("self.all(key, !key.matches('^([^/]+[.])?(kubernetes[.]io|k8s[.]io|tokensource[.]dev)/'))").message("secret.annotations must not use keys under kubernetes.io/, k8s.io/ or tokensource.dev/"))]
    pub annotations: Option<BTreeMap<String, String>>,

    /// What becomes of the Secret when the TokenSource goes.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// What becomes of the Secret when the TokenSource goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The Secret goes too, by its owner reference.
    #[default]
    Delete,
    /// The Secret stays, with the last token.
    Retain,
}
