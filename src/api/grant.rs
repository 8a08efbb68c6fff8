//! `spec.grant`: what is exchanged for the token.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assertion::AssertionSource;

/// What is exchanged for the token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.type in ['JWTBearer', 'SAML2Bearer', 'TokenExchange']) == has(self.assertion)").message("grant.assertion belongs to the types JWTBearer, SAML2Bearer and TokenExchange, and they need it"),
    validation = Rule::new("self.type == 'TokenExchange' || !(has(self.subjectTokenType) || has(self.requestedTokenType))").message("grant.subjectTokenType and grant.requestedTokenType belong to the type TokenExchange")
)]
pub struct Grant {
    /// ClientCredentials (RFC 6749 section 4.4), Password (section 4.3), RefreshToken (section 6), JWTBearer (RFC 7523), SAML2Bearer (RFC 7522) or TokenExchange (RFC 8693).
    #[serde(rename = "type", default)]
    pub grant_type: GrantType,

    /// The assertion of JWTBearer and SAML2Bearer, or the subject token of TokenExchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Box<AssertionSource>>,

    /// The type of the subject token of TokenExchange, a URI (RFC 8693 section 3). Default: urn:ietf:params:oauth:token-type:access_token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub subject_token_type: Option<String>,

    /// The type of token to ask for with TokenExchange, a URI (RFC 8693 section 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub requested_token_type: Option<String>,

    /// Auto: where the answer brings a refresh token, renew with it, and fall back to the grant when it is refused. The refresh token is kept in the Secret NAME-refresh-token, never in the workload's.
    #[serde(default)]
    pub refresh: GrantRefresh,

    /// The service the token is for, sent as audience. Some servers demand it with client_credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub audience: Option<String>,

    /// The resource the token is for, sent as resource (RFC 8707).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub resource: Option<String>,
}

/// The kind of a grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum GrantType {
    /// RFC 6749 section 4.4.
    #[default]
    ClientCredentials,
    /// RFC 6749 section 4.3.
    Password,
    /// RFC 7523 section 2.1.
    #[serde(rename = "JWTBearer")]
    JwtBearer,
    /// RFC 7522 section 2.1.
    #[serde(rename = "SAML2Bearer")]
    Saml2Bearer,
    /// RFC 8693.
    TokenExchange,
    /// RFC 6749 section 6.
    RefreshToken,
}

/// Whether refresh tokens are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum GrantRefresh {
    /// Where the answer brings one.
    #[default]
    Auto,
    /// Not at all.
    Never,
}
