//! Grants: what is exchanged for a token.

use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

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
        /// The code of a second factor, sent behind the password without a separator (Identity Authentication).
        one_time_code: Option<SecretString>,
    },
    /// RFC 7523 §2.1.
    JwtBearer {
        /// The JWT.
        assertion: SecretString,
    },
    /// RFC 7522 §2.1.
    Saml2Bearer {
        /// The assertion, base64url-encoded.
        assertion: SecretString,
    },
    /// RFC 8693 §2.1.
    TokenExchange {
        /// The token of the party on whose behalf it is asked.
        subject_token: SecretString,
        /// Its type, a URI.
        subject_token_type: String,
        /// The type of the token that is wanted, a URI.
        requested_token_type: Option<String>,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// The refresh token.
        refresh_token: SecretString,
    },
}

impl Grant {
    /// The kind of this grant.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::ClientCredentials => GrantType::ClientCredentials,
            Self::Password { .. } => GrantType::Password,
            Self::JwtBearer { .. } => GrantType::JwtBearer,
            Self::Saml2Bearer { .. } => GrantType::Saml2Bearer,
            Self::TokenExchange { .. } => GrantType::TokenExchange,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
        }
    }

    /// The secrets in it.
    pub fn secrets(&self) -> Option<&SecretString> {
        match self {
            Self::ClientCredentials => None,
            Self::Password { password: secret, .. }
            | Self::JwtBearer { assertion: secret }
            | Self::Saml2Bearer { assertion: secret }
            | Self::TokenExchange { subject_token: secret, .. }
            | Self::RefreshToken { refresh_token: secret } => Some(secret),
        }
    }

    /// The grant's own body parameters, `grant_type` first.
    pub(super) fn append_to(&self, form: &mut Serializer<'_, String>) {
        form.append_pair("grant_type", self.parameter());
        match self {
            Self::ClientCredentials => {}
            Self::Password { username, password, one_time_code } => {
                let code = one_time_code.as_ref().map_or("", |code| code.expose_secret());
                let with_code = SecretString::from(format!("{}{code}", password.expose_secret()));
                form.append_pair("username", username).append_pair("password", with_code.expose_secret());
            }
            Self::JwtBearer { assertion } | Self::Saml2Bearer { assertion } => {
                form.append_pair("assertion", assertion.expose_secret());
            }
            Self::TokenExchange { subject_token, subject_token_type, requested_token_type } => {
                form.append_pair("subject_token", subject_token.expose_secret()).append_pair("subject_token_type", subject_token_type);
                if let Some(requested) = requested_token_type {
                    form.append_pair("requested_token_type", requested);
                }
            }
            Self::RefreshToken { refresh_token } => {
                form.append_pair("refresh_token", refresh_token.expose_secret());
            }
        }
    }

    /// The value of the `grant_type` parameter.
    fn parameter(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password { .. } => "password",
            Self::JwtBearer { .. } => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Saml2Bearer { .. } => "urn:ietf:params:oauth:grant-type:saml2-bearer",
            Self::TokenExchange { .. } => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::RefreshToken { .. } => "refresh_token",
        }
    }
}
