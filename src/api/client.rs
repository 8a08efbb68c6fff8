//! `spec.clientAuthentication`: how the client authenticates.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assertion::ClientAssertion;

/// How the client authenticates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.method == 'ClientAssertion') == has(self.assertion)").message("clientAuthentication.assertion belongs to the method ClientAssertion, and it needs it"))]
pub struct ClientAuthentication {
    /// Body: id and secret as body parameters. Basic: in the Authorization header. MutualTLS: by certificate (RFC 8705). ClientAssertion: by an assertion (RFC 7523, RFC 7522). None: a public client, its id alone.
    #[serde(default)]
    pub method: ClientAuthenticationMethod,

    /// How id and secret are encoded before Base64 with method Basic. Where FormURLEncoded changes them, X-CF-ENCODED-CREDENTIALS: true is sent too.
    #[serde(default)]
    pub basic_encoding: BasicEncoding,

    /// The client assertion, with method ClientAssertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Box<ClientAssertion>>,
}

/// The method of client authentication (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ClientAuthenticationMethod {
    /// In the body.
    #[default]
    Body,
    /// In the Authorization header.
    Basic,
    /// By certificate.
    #[serde(rename = "MutualTLS")]
    MutualTls,
    /// By an assertion.
    ClientAssertion,
    /// A public client.
    None,
}

/// How Basic credentials are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum BasicEncoding {
    /// As RFC 6749 section 2.3.1 demands.
    #[default]
    FormURLEncoded,
    /// As they are (older UAA).
    Raw,
}
