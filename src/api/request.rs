//! `spec.request` and `spec.tls`.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::duration::Span;

const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(60);
const READ_TIMEOUT_MAX: Duration = Duration::from_secs(600);
const TIMEOUT_DEFAULT: Span = Span::seconds(10);

/// Extra parts of the token request, and its time-outs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Extra headers. None may replace what the request itself sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32), extend("additionalProperties" = serde_json::json!({"type": "string", "maxLength": 4096})))]
    #[x_kube(
        validation = Rule::new("self.all(key, !(key.lowerAscii() in ['authorization','proxy-authorization','host','content-type','content-length','transfer-encoding','connection','accept','x-cf-encoded-credentials']))").message("request.headers must not set Authorization, Proxy-Authorization, Host, Content-Type, Content-Length, Transfer-Encoding, Connection, Accept or X-CF-ENCODED-CREDENTIALS: the token request sets them itself"),
        validation = Rule::new("self.all(key, key.matches('^[A-Za-z0-9!#$%&\\'*+.^_`|~-]+$') && !self[key].matches('[\\\\x00-\\\\x08\\\\x0A-\\\\x1F\\\\x7F]'))").message("request.headers: a name must be an HTTP token and a value must not hold control characters")
    )]
    pub headers: Option<BTreeMap<String, String>>,

    /// Extra query parameters, after those of tokenURL itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32), extend("additionalProperties" = serde_json::json!({"type": "string", "maxLength": 1024})))]
    #[x_kube(validation = Rule::new("self.all(key, !(key in ['grant_type','client_id','client_secret','client_assertion','client_assertion_type','assertion','username','password','refresh_token','subject_token','subject_token_type','actor_token','actor_token_type','requested_token_type','code','code_verifier']))").message("request.query must not set a parameter that the grant or the client authentication sends"))]
    pub query: Option<BTreeMap<String, String>>,

    /// Extra body parameters, after the grant's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32), extend("additionalProperties" = serde_json::json!({"type": "string", "maxLength": 4096})))]
    #[x_kube(validation = Rule::new("self.all(key, !(key in ['grant_type','client_id','client_secret','client_assertion','client_assertion_type','assertion','username','password','refresh_token','subject_token','subject_token_type','actor_token','actor_token_type','requested_token_type','code','code_verifier']))").message("request.body must not set a parameter that the grant or the client authentication sends"))]
    pub body: Option<BTreeMap<String, String>>,

    /// The URL of a forward proxy for this token endpoint: scheme http or https, host and port.
    #[serde(rename = "proxyURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[x_kube(
        validation = Rule::new("self.matches('^https?://[^/?#]+')").message("request.proxyURL must be an absolute URL such as http://proxy.example.com:3128"),
        validation = Rule::new("!self.matches('^[a-zA-Z]+://[^/?#]*@')").message("request.proxyURL must not hold user information")
    )]
    pub proxy_url: Option<String>,

    /// How long connecting may take, 0s to 60s. 0s means the maximum.
    #[serde(default = "timeout_default")]
    #[x_kube(validation = Rule::new("duration(self) <= duration('60s')").message("request.connectTimeout must be 0s to 60s"))]
    pub connect_timeout: Span,

    /// How long the answer may take, 0s to 600s. 0s means the maximum.
    #[serde(default = "timeout_default")]
    #[x_kube(validation = Rule::new("duration(self) <= duration('600s')").message("request.readTimeout must be 0s to 600s"))]
    pub read_timeout: Span,
}

const fn timeout_default() -> Span {
    TIMEOUT_DEFAULT
}

impl Default for Request {
    fn default() -> Self {
        Self { headers: None, query: None, body: None, proxy_url: None, connect_timeout: TIMEOUT_DEFAULT, read_timeout: TIMEOUT_DEFAULT }
    }
}

impl Request {
    /// How long connecting may take, with 0s read as the maximum.
    pub fn connect_limit(&self) -> Duration {
        limit(self.connect_timeout, CONNECT_TIMEOUT_MAX)
    }

    /// How long the answer may take, with 0s read as the maximum.
    pub fn read_limit(&self) -> Duration {
        limit(self.read_timeout, READ_TIMEOUT_MAX)
    }
}

fn limit(span: Span, maximum: Duration) -> Duration {
    if span.0.is_zero() { maximum } else { span.0.min(maximum) }
}

/// Whom to trust as the token endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// PEM certificates of the authorities to trust instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,
}

/// Where the PEM certificates are: exactly one of both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.configMapRef) != has(self.secretRef)").message("tls.caBundle needs exactly one of configMapRef and secretRef"))]
pub struct CaBundle {
    /// A key of a ConfigMap of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<KeyReference>,
    /// A key of a Secret of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KeyReference>,
}

/// A key of an object of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
pub struct KeyReference {
    /// The object's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_of_zero_means_the_maximum() {
        let request = Request { connect_timeout: Span::seconds(0), read_timeout: Span::seconds(0), ..Request::default() };
        assert_eq!((request.connect_limit(), request.read_limit()), (CONNECT_TIMEOUT_MAX, READ_TIMEOUT_MAX));
    }
}
