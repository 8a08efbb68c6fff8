//! `TokenSource`, version `v1alpha1`: the spec.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::ClientAuthentication;
use super::credentials::Credentials;
use super::diagnosis::Diagnosis;
use super::duration::Span;
use super::grant::Grant;
use super::request::{Request, Tls};
use super::secret::TargetSecret;
use super::status::TokenSourceStatus;

/// Which token to ask for, where, by what, and in which Secret to keep it fresh.
#[derive(CustomResource, Clone, Debug, PartialEq, Deserialize, Serialize, KubeSchema)]
#[kube(
    group = "tokensource.dev",
    version = "v1alpha1",
    kind = "TokenSource",
    namespaced,
    shortname = "tks",
    category = "tokens",
    status = "TokenSourceStatus",
    derive = "PartialEq",
    doc = "A TokenSource keeps an OAuth access token fresh in a Secret of its namespace, and says why when it can't.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether the Secret holds an unexpired token"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Refreshed\")].reason",
        description = "What became of the last token request"
    ),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.secretName", description = "The Secret that holds the token"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expirationTime", description = "When the token expires"),
    printcolumn(name = "Renews", type_ = "string", json_path = ".status.renewalTime", description = "When the token is due to be renewed"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Token URL", type_ = "string", json_path = ".spec.tokenURL", priority = 1),
    printcolumn(name = "Grant", type_ = "string", json_path = ".spec.grant.type", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.tokenURLType != 'Common' || has(self.tenant)").message("tokenURLType Common needs a tenant: set spec.tenant to the tenant's subdomain"),
    validation = Rule::new("self.tokenURLType == 'Common' || !has(self.tokenURL) || !self.tokenURL.contains('{tenant}')").message("tokenURL holds {tenant}, but tokenURLType is Dedicated: set spec.tokenURLType to Common"),
    validation = Rule::new("has(self.tokenURL) || has(self.credentials)").message("no tokenURL: set spec.tokenURL, or spec.credentials to a service binding Secret that names it"),
    validation = Rule::new("!(self.grant.type in ['Password', 'RefreshToken']) || has(self.credentials)").message("the Password and RefreshToken grants need spec.credentials: name the Secret that holds username and password, or refresh_token"),
    validation = Rule::new("!(self.clientAuthentication.method in ['Body', 'Basic', 'MutualTLS']) || has(self.credentials)").message("clientAuthentication.method Body, Basic and MutualTLS need spec.credentials: name the Secret that holds the client secret or certificate"),
    validation = Rule::new("has(self.clientID) || has(self.credentials)").message("no client: set spec.clientID, or spec.credentials to a Secret that holds client_id"),
    validation = Rule::new("!has(self.clientAuthentication.assertion) || !has(self.clientAuthentication.assertion.signedJWT) || has(self.credentials)").message("clientAuthentication.assertion.signedJWT needs spec.credentials: name the Secret that holds the private key"),
    validation = Rule::new("!has(self.grant.assertion) || !has(self.grant.assertion.signedJWT) || has(self.credentials)").message("grant.assertion.signedJWT needs spec.credentials: name the Secret that holds the private key"),
    validation = Rule::new("!has(self.request.body) || !('scope' in self.request.body) || !has(self.scopes) || self.scopes.size() == 0").message("request.body.scope would replace spec.scopes: set one of them"),
    validation = Rule::new("!has(self.request.body) || !(('audience' in self.request.body && has(self.grant.audience)) || ('resource' in self.request.body && has(self.grant.resource)))").message("request.body would replace grant.audience or grant.resource: set one of them")
)]
pub struct TokenSourceSpec {
    /// The token endpoint (RFC 6749 section 3.2): an https URL without user information and fragment. A query of its own survives. Optional where the credentials Secret is a service binding that names it.
    #[serde(rename = "tokenURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[x_kube(
        validation = Rule::new("self.matches('^https?://[^/?#]+')").message("tokenURL must be an absolute URL such as https://auth.example.com/oauth/token"),
        validation = Rule::new("!self.matches('^[a-zA-Z]+://[^/?#]*@')").message("tokenURL must not hold user information: put the credentials into the credentials Secret"),
        validation = Rule::new("!self.contains('#')").message("tokenURL must not have a fragment (RFC 6749 section 3.2)")
    )]
    pub token_url: Option<String>,

    /// Dedicated: tokenURL is used as it is. Common: every {tenant} in it becomes the tenant's subdomain, and where there is none the tenant is put in front of the host.
    #[serde(rename = "tokenURLType", default)]
    pub token_url_type: TokenUrlType,

    /// The tenant's subdomain, one DNS label. Required with tokenURLType Common.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub tenant: Option<String>,

    /// What is exchanged for the token.
    #[serde(default)]
    pub grant: Grant,

    /// The Secret of this namespace that holds the credentials, and under which keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,

    /// The client id, where it is no secret or there is no Secret at all. Goes before the one in the credentials Secret.
    #[serde(rename = "clientID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub client_id: Option<String>,

    /// How the client authenticates to the token endpoint (RFC 6749 section 2.3).
    #[serde(default)]
    pub client_authentication: ClientAuthentication,

    /// The scopes to ask for, sent space-separated in this order (RFC 6749 section 3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 512), regex(pattern = "^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$")))]
    pub scopes: Option<Vec<String>>,

    /// The form of the access token, where the server lets the client choose (XSUAA, Identity Authentication): sent as token_format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_format: Option<TokenFormat>,

    /// The life of the refresh token in seconds, sent as refresh_expiry (Identity Authentication). 0: no refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub refresh_expiry_seconds: Option<i64>,

    /// How many hours user tokens may be exchanged without a new logon, sent as max_exchange_period (Identity Authentication).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4320))]
    pub max_exchange_period_hours: Option<i64>,

    /// Extra parts of the token request, and its time-outs.
    #[serde(default)]
    pub request: Request,

    /// Whom to trust as the token endpoint.
    #[serde(default)]
    pub tls: Tls,

    /// When to renew, and how to retry.
    #[serde(default)]
    pub refresh: Refresh,

    /// The Secret that the token is written to.
    #[serde(default)]
    pub secret: TargetSecret,

    /// How refusals are looked into.
    #[serde(default)]
    pub diagnosis: Diagnosis,

    /// While true, no token is requested. A token already in the Secret stays.
    #[serde(default)]
    pub suspend: bool,
}

impl TokenSource {
    /// The namespace: of the source, and of all that it may read and write.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// The name of the target Secret.
    pub fn target_name(&self) -> &str {
        self.spec.secret.name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }
}

/// How tokenURL is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TokenUrlType {
    /// Used as it is.
    #[default]
    Dedicated,
    /// The tenant is put in place.
    Common,
}

/// The form of the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TokenFormat {
    /// Sent as token_format=jwt.
    #[serde(rename = "JWT")]
    Jwt,
    /// Sent as token_format=opaque.
    Opaque,
}

/// When to renew, and how to retry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.renewBefore) && has(self.renewBeforePercentage))").message("set only one of refresh.renewBefore and refresh.renewBeforePercentage"))]
pub struct Refresh {
    /// Renew when this share of the token's life is left, in percent. Default: 33.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 90))]
    pub renew_before_percentage: Option<u8>,

    /// Renew when this much of the token's life is left, such as 10m. At most 90 percent of the life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<Span>,

    /// How long a token is taken to live where neither expires_in nor a JWT's exp tells. Default: 5m.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s')").message("refresh.assumedLifetime must be 1s or more"))]
    pub assumed_lifetime: Option<Span>,

    /// The first wait after a rejection that a retry can't mend; doubles up to 24h. Default: 1h.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1m')").message("refresh.retryRejectedAfter must be 1m or more"))]
    pub retry_rejected_after: Option<Span>,
}
