//! The kinds of authentication that a destination can have.

use super::error::ImportError;

/// The kinds that need a token and have a grant here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §4.3.
    Password,
    /// Client credentials, whose token goes to an on-premise system; the token service itself is on the Internet.
    TechnicalUserPropagation,
    /// RFC 7523, with the caller's token.
    JwtBearer,
    /// XSUAA's own exchange in two steps, which its JWT bearer grant does in one.
    UserTokenExchange,
    /// RFC 7522, with an assertion that the Destination service makes.
    SamlBearer,
    /// RFC 8693.
    TokenExchange,
    /// RFC 6749 §6.
    RefreshToken,
}

/// The kinds without a token: the credentials themselves go to the target, or none do.
const WITHOUT_TOKEN: [&str; 8] = [
    "NoAuthentication",
    "BasicAuthentication",
    "ClientCertificateAuthentication",
    "PrincipalPropagation",
    "SAMLAssertion",
    "SAPAssertionSSO",
    "AppToAppSSO",
    "InternalSystemAuthentication",
];

impl Authentication {
    const ALL: [Self; 8] = [
        Self::ClientCredentials,
        Self::Password,
        Self::TechnicalUserPropagation,
        Self::JwtBearer,
        Self::UserTokenExchange,
        Self::SamlBearer,
        Self::TokenExchange,
        Self::RefreshToken,
    ];

    /// Reads the property `Authentication`.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        if let Some(known) = Self::ALL.into_iter().find(|known| known.as_str() == text) {
            return Ok(known);
        }
        if let Some(authentication) = WITHOUT_TOKEN.into_iter().find(|name| *name == text) {
            return Err(ImportError::NoTokenNeeded { authentication });
        }
        if text == "OAuth2AuthorizationCode" {
            return Err(ImportError::NeedsAPerson);
        }
        Err(ImportError::UnknownAuthentication { authentication: text.to_owned() })
    }

    /// As the property spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "OAuth2ClientCredentials",
            Self::Password => "OAuth2Password",
            Self::TechnicalUserPropagation => "OAuth2TechnicalUserPropagation",
            Self::JwtBearer => "OAuth2JWTBearer",
            Self::UserTokenExchange => "OAuth2UserTokenExchange",
            Self::SamlBearer => "OAuth2SAMLBearerAssertion",
            Self::TokenExchange => "OAuth2TokenExchange",
            Self::RefreshToken => "OAuth2RefreshToken",
        }
    }

    /// `grant.type` of a `TokenSource`.
    pub(super) const fn grant_type(self) -> &'static str {
        match self {
            Self::ClientCredentials | Self::TechnicalUserPropagation => "ClientCredentials",
            Self::Password => "Password",
            Self::JwtBearer | Self::UserTokenExchange => "JWTBearer",
            Self::SamlBearer => "SAML2Bearer",
            Self::TokenExchange => "TokenExchange",
            Self::RefreshToken => "RefreshToken",
        }
    }

    /// Every kind that is converted, for messages.
    pub fn listed() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}
