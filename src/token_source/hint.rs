//! Hints of our own: what in a request may explain why it was refused. Told from the request alone, never from the
//! server's words, and never with any part of a secret.

use crate::oauth::rejection::{ClientCause, Rejection};

mod oddities;

pub use oddities::hints;

/// Something about a request that often is the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// A client certificate goes to XSUAA's host for client secrets, which asks for none.
    HostWithoutCert,
    /// No client certificate goes to XSUAA's host that asks for one.
    CertHostWithoutCertificate,
    /// A blank or a line end before or behind the client id.
    PaddedClientId,
    /// A blank or a line end before or behind the client secret.
    PaddedSecret,
    /// The client secret stands between quotation marks.
    QuotedSecret,
    /// The client secret has the form of this vendor's client ids, and the client id does not.
    Swapped,
    /// The client secret has the form of the id that Entra shows beside it.
    SecretIdAsSecret,
    /// The client secret is Base64 of plain text.
    EncodedTwice,
    /// The secret in the header holds characters that form-encoding changes.
    EncodedInHeader,
    /// The secret in the header holds characters that a server which decodes takes for others.
    RawInHeader,
    /// A blank or a line end before or behind user name or password.
    PaddedUser,
    /// The same credentials of the client were accepted before.
    AcceptedBefore,
}

/// How many are told at a time: the first ones, which are the surer ones.
const TOLD_MAX: usize = 2;

/// What of these can explain the refusal, as sentences.
pub fn told(hints: &[Hint], rejection: Rejection) -> impl Iterator<Item = &'static str> {
    hints.iter().filter(move |hint| hint.explains(rejection)).take(TOLD_MAX).map(|hint| hint.text())
}

impl Hint {
    /// Every hint once.
    pub const ALL: &'static [Self] = &[
        Self::HostWithoutCert,
        Self::CertHostWithoutCertificate,
        Self::PaddedClientId,
        Self::PaddedSecret,
        Self::QuotedSecret,
        Self::Swapped,
        Self::SecretIdAsSecret,
        Self::EncodedTwice,
        Self::EncodedInHeader,
        Self::RawInHeader,
        Self::PaddedUser,
        Self::AcceptedBefore,
    ];

    /// The hint as a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::HostWithoutCert => {
                "Hint: the host of the token URL has no \".cert.\" in it, so it asks for no certificate: use that of the certurl."
            }
            Self::CertHostWithoutCertificate => {
                "Hint: the host of the token URL has \".cert.\" in it, so it wants a certificate: set method MutualTLS, or use the host \
                 without it."
            }
            Self::PaddedClientId => "Hint: the client id begins or ends with a blank or a line end, which is sent as a part of it.",
            Self::PaddedSecret => "Hint: the client secret begins or ends with a blank or a line end, which is sent as a part of it.",
            Self::QuotedSecret => "Hint: the client secret stands between quotation marks, which are sent as a part of it.",
            Self::Swapped => "Hint: the client secret looks like a client id: are the two swapped?",
            Self::SecretIdAsSecret => "Hint: the client secret looks like a Secret ID: the Value beside it is what has to be sent.",
            Self::EncodedTwice => "Hint: the client secret looks like Base64 of plain text: was it encoded once too often?",
            Self::EncodedInHeader => {
                "Hint: the client secret has one of + % & = :, a blank or a letter beyond ASCII in it, which not every server decodes in \
                 the header: clientAuthentication.method Body avoids that."
            }
            Self::RawInHeader => {
                "Hint: the secret in the header has one of + % & = :, a blank or a letter beyond ASCII in it, and is not encoded: \
                 clientAuthentication.basicEncoding FormURLEncoded encodes it."
            }
            Self::PaddedUser => "Hint: user name or password begins or ends with a blank or a line end, which is sent as a part of it.",
            Self::AcceptedBefore => {
                "Hint: the server took this client with the same credentials before, so look for what has changed since, at the server or \
                 in spec.clientAuthentication."
            }
        }
    }

    /// When it is told, as a clause for documentation.
    pub const fn told_when(self) -> &'static str {
        match self {
            Self::HostWithoutCert => "`MutualTLS` on XSUAA, and the host has no `.cert.` in it",
            Self::CertHostWithoutCertificate => "another method on XSUAA, and the host has `.cert.` in it",
            Self::PaddedClientId => "a blank or a line end at an end of the client id",
            Self::PaddedSecret => "a blank or a line end at an end of the client secret",
            Self::QuotedSecret => "the client secret stands between quotation marks",
            Self::Swapped => {
                "the secret has the form of the vendor's client ids, and the id does not (XSUAA, Identity Authentication, Entra ID, Okta)"
            }
            Self::SecretIdAsSecret => "the secret has the form of an id (Entra ID)",
            Self::EncodedTwice => "the client secret is Base64 of plain text",
            Self::EncodedInHeader => {
                "`Basic` with `FormURLEncoded`, and one of `+ % & = :`, a blank or a letter beyond ASCII in the client secret; not for \
                 servers that are known to decode (Keycloak, Identity Authentication) or to take nothing else (SAP BTP Neo)"
            }
            Self::RawInHeader => "`Basic` or a Basic user with `Raw`, and one of these in its secret; not for a UAA, which wants it so",
            Self::PaddedUser => "a blank or a line end at an end of user name or password",
            Self::AcceptedBefore => "`status.clientProof` says that the same credentials of the client were accepted before",
        }
    }

    /// Whether it can be why this was refused.
    pub fn explains(self, rejection: Rejection) -> bool {
        match self {
            Self::HostWithoutCert => rejection.cause().is_some(),
            Self::CertHostWithoutCertificate => rejection.cause().is_some() || rejection == Rejection::ConnectionFailed,
            Self::PaddedClientId
            | Self::PaddedSecret
            | Self::QuotedSecret
            | Self::Swapped
            | Self::SecretIdAsSecret
            | Self::EncodedTwice
            | Self::EncodedInHeader => is_about_id_or_secret(rejection),
            // Keycloak answers a header that it can't decode with 400.
            Self::RawInHeader => is_about_id_or_secret(rejection) || rejection == Rejection::InvalidRequest,
            Self::PaddedUser => {
                matches!(rejection, Rejection::UserAuthenticationFailed | Rejection::CredentialsRejected | Rejection::UserAccountLocked)
            }
            Self::AcceptedBefore => rejection.cause().is_some_and(was_unlike_before),
        }
    }
}

/// Whether a client id or a secret that is not the right one would be refused so.
fn is_about_id_or_secret(rejection: Rejection) -> bool {
    match rejection.cause() {
        Some(
            ClientCause::UnknownClient
            | ClientCause::WrongSecret
            | ClientCause::SecretEncoding
            | ClientCause::MissingCredentials
            | ClientCause::Unspecified,
        ) => true,
        Some(
            ClientCause::ExpiredSecret
            | ClientCause::WrongAuthenticationMethod
            | ClientCause::BadCertificate
            | ClientCause::BadClientAssertion
            | ClientCause::ClientDisabled,
        ) => false,
        None => rejection == Rejection::CredentialsRejected,
    }
}

/// Whether it helps to know that the server said something else before. What the cause itself says changed needs no hint.
const fn was_unlike_before(cause: ClientCause) -> bool {
    match cause {
        ClientCause::UnknownClient
        | ClientCause::WrongSecret
        | ClientCause::SecretEncoding
        | ClientCause::WrongAuthenticationMethod
        | ClientCause::BadCertificate
        | ClientCause::BadClientAssertion
        | ClientCause::MissingCredentials
        | ClientCause::Unspecified => true,
        ClientCause::ExpiredSecret | ClientCause::ClientDisabled => false,
    }
}

#[cfg(test)]
#[path = "hint_tests.rs"]
mod tests;
