//! Grants: what is exchanged for a token.

use secrecy::SecretString;

/// The kind of a grant, as far as reading an answer needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantType {
    /// RFC 6749 §4.4: the client's own credentials.
    ClientCredentials,
    /// RFC 6749 §4.3: a resource owner's user name and password.
    Password,
    /// RFC 7523 §2.1: a JWT as authorization grant.
    JwtBearer,
    /// RFC 7522 §2.1: a SAML 2.0 assertion as authorization grant.
    Saml2Bearer,
    /// RFC 8693: a token for another token.
    TokenExchange,
    /// RFC 6749 §6: a refresh token.
    RefreshToken,
}

impl GrantType {
    /// The short name, as recordings and metric labels carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::JwtBearer => "jwt-bearer",
            Self::Saml2Bearer => "saml2-bearer",
            Self::TokenExchange => "token-exchange",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// A grant with what it takes to ask by it.
#[derive(Debug, Clone)]
pub enum Grant {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §4.3.
    Password {
        /// The resource owner's user name.
        username: String,
        /// The resource owner's password.
        password: SecretString,
    },
}

impl Grant {
    /// The kind of this grant.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::ClientCredentials => GrantType::ClientCredentials,
            Self::Password { .. } => GrantType::Password,
        }
    }

    /// The value of the `grant_type` parameter.
    pub(super) fn parameter(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password { .. } => "password",
        }
    }
}
