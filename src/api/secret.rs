//! `spec.secret`: the Secret that the token is written to.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Secret that the token is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.type != 'kubernetes.io/dockerconfigjson' || (has(self.data) && '.dockerconfigjson' in self.data)").message("secret.type kubernetes.io/dockerconfigjson needs the key .dockerconfigjson in secret.data"),
    validation = Rule::new("self.type != 'kubernetes.io/basic-auth' || (has(self.data) && ('username' in self.data || 'password' in self.data))").message("secret.type kubernetes.io/basic-auth needs the key username or password in secret.data"),
    validation = Rule::new("self.type == 'Opaque' || (self.creationPolicy == 'Owner' && self.onExpiry == 'Keep')").message("secret.creationPolicy Merge and secret.onExpiry Remove need secret.type Opaque")
)]
pub struct TargetSecret {
    /// The Secret's name. Default: the TokenSource's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"))]
    pub name: Option<String>,

    /// The Secret's type. kubernetes.io/dockerconfigjson and kubernetes.io/basic-auth need data with their keys.
    #[serde(rename = "type", default)]
    pub secret_type: SecretType,

    /// Key by key a template for its value, instead of the default keys. A template sees access_token, token_type, authorization, expires_at, scope, id_token, token_url and client_id, and the filters b64encode, json and urlencode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32), extend("minProperties" = 1), extend("additionalProperties" = serde_json::json!({"type": "string", "maxLength": 65536})))]
    #[x_kube(validation = Rule::new("self.all(key, key.matches('^[-._a-zA-Z0-9]{1,253}$'))").message("secret.data: a key must consist of letters, digits, '-', '_' and '.'"))]
    pub data: Option<BTreeMap<String, String>>,

    /// Owner: the Secret is created and owned; one that someone else owns or made is never taken over. Merge: only our keys are put into a Secret that is there.
    #[serde(default)]
    pub creation_policy: CreationPolicy,

    /// What becomes of a token that expired because it could not be renewed. Keep: it stays. Remove: its keys go.
    #[serde(default)]
    pub on_expiry: OnExpiry,

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

/// The type of the target Secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SecretType {
    /// Any keys.
    #[default]
    Opaque,
    /// Credentials for an image registry.
    #[serde(rename = "kubernetes.io/dockerconfigjson")]
    DockerConfigJson,
    /// User name and password.
    #[serde(rename = "kubernetes.io/basic-auth")]
    BasicAuth,
}

impl SecretType {
    /// The name of the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "Opaque",
            Self::DockerConfigJson => "kubernetes.io/dockerconfigjson",
            Self::BasicAuth => "kubernetes.io/basic-auth",
        }
    }
}

/// Whose the target Secret is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum CreationPolicy {
    /// Created and owned.
    #[default]
    Owner,
    /// Someone else's, with our keys in it.
    Merge,
}

/// What becomes of an expired token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum OnExpiry {
    /// It stays.
    #[default]
    Keep,
    /// Its keys go.
    Remove,
}
