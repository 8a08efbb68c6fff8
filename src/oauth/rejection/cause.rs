//! Why an authorization server refused the client itself.

use std::fmt;

/// Why the client was refused, as far as the answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientCause {
    /// No client of this id is registered (in this tenant).
    UnknownClient,
    /// The client's secret does not match.
    WrongSecret,
    /// The client's secret has run out.
    ExpiredSecret,
    /// The server could not decode the credentials: form-encoding before Base64 is disputed (RFC 6749 §2.3.1).
    SecretEncoding,
    /// The client is registered for another authentication method (RFC 7591 `token_endpoint_auth_method`).
    WrongAuthenticationMethod,
    /// The client's certificate is missing, expired, untrusted or another one (RFC 8705).
    BadCertificate,
    /// The client assertion was refused (RFC 7523 §2.2, RFC 7522 §2.2).
    BadClientAssertion,
    /// The server saw no client credentials, or not all of them.
    MissingCredentials,
    /// The client is known but switched off or locked.
    ClientDisabled,
    /// The server does not say.
    Unspecified,
}

impl ClientCause {
    /// Every cause once.
    pub const ALL: &'static [Self] = &[
        Self::UnknownClient,
        Self::WrongSecret,
        Self::ExpiredSecret,
        Self::SecretEncoding,
        Self::WrongAuthenticationMethod,
        Self::BadCertificate,
        Self::BadClientAssertion,
        Self::MissingCredentials,
        Self::ClientDisabled,
        Self::Unspecified,
    ];

    /// The cause word, as it stands in messages and in the table of reasons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownClient => "UnknownClient",
            Self::WrongSecret => "WrongSecret",
            Self::ExpiredSecret => "ExpiredSecret",
            Self::SecretEncoding => "SecretEncoding",
            Self::WrongAuthenticationMethod => "WrongAuthenticationMethod",
            Self::BadCertificate => "BadCertificate",
            Self::BadClientAssertion => "BadClientAssertion",
            Self::MissingCredentials => "MissingCredentials",
            Self::ClientDisabled => "ClientDisabled",
            Self::Unspecified => "Unspecified",
        }
    }
}

impl fmt::Display for ClientCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
