//! Makes a token request out of a spec and credentials. All that a spec can have wrong is found here.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::credentials::{CredentialValues, User};
use super::failure::Failure;
use super::secret;
use crate::api::assertion::AssertionType as AssertionTypeField;
use crate::api::client::{BasicEncoding as BasicEncodingField, ClientAuthenticationMethod};
use crate::api::condition::Reason;
use crate::api::grant::GrantType as GrantTypeField;
use crate::api::v1alpha1 as v1;
use crate::oauth::client::{AssertionType, BasicEncoding, BasicUser, Client, ClientAuthentication};
use crate::oauth::endpoint::{TokenEndpoint, UrlType};
use crate::oauth::grant::Grant;
use crate::oauth::request::{ExtraParts, RESERVED_HEADERS, RESERVED_PARAMETERS, TokenRequest};

/// All of a token request but the credentials.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Where it goes; none where the credentials Secret says so.
    endpoint: Option<TokenEndpoint>,
    scopes: Vec<String>,
    parameters: Vec<(&'static str, String)>,
    extra: ExtraParts,
}

/// Assertions as they are sent.
#[derive(Debug, Clone, Default)]
pub struct Assertions {
    /// The client's (RFC 7523 §2.2, RFC 7522 §2.2).
    pub client: Option<SecretString>,
    /// The grant's, or the subject token (RFC 7523 §2.1, RFC 7522 §2.1, RFC 8693 §2.1).
    pub grant: Option<SecretString>,
}

/// The type of a subject token where the spec names none (RFC 8693 §3).
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Checks the spec and makes what can be made without credentials. `allow_http` is for tests on loopback.
pub fn prepare(spec: &v1::TokenSourceSpec, allow_http: bool) -> Result<Prepared, Failure> {
    if let Some(proxy) = &spec.request.proxy_url {
        check_proxy(proxy)?;
    }
    secret::check(&spec.secret)?;
    Ok(Prepared {
        endpoint: spec.token_url.as_deref().map(|url| endpoint(spec, url, "spec.tokenURL", allow_http)).transpose()?,
        scopes: spec.scopes.clone().unwrap_or_default(),
        parameters: parameters(spec),
        extra: extra(spec)?,
    })
}

impl Prepared {
    /// Where the request goes, if the spec says so.
    pub fn named_endpoint(&self) -> Option<&TokenEndpoint> {
        self.endpoint.as_ref()
    }

    /// Where the request goes: as the spec says, else as the credentials Secret does.
    pub fn endpoint(&self, spec: &v1::TokenSourceSpec, credentials: &CredentialValues, allow_http: bool) -> Result<TokenEndpoint, Failure> {
        match (&self.endpoint, &credentials.token_url) {
            (Some(known), _) => Ok(known.clone()),
            (None, Some(url)) => endpoint(spec, url, "the token URL in the credentials Secret", allow_http),
            (None, None) => Err(invalid("spec.tokenURL", "is missing")),
        }
    }

    /// Puts the credentials in.
    pub fn complete(
        self,
        spec: &v1::TokenSourceSpec,
        endpoint: TokenEndpoint,
        credentials: CredentialValues,
        assertions: Assertions,
    ) -> Result<TokenRequest, Failure> {
        let encoding = match spec.client_authentication.basic_encoding {
            BasicEncodingField::FormURLEncoded => BasicEncoding::FormURLEncoded,
            BasicEncodingField::Raw => BasicEncoding::Raw,
        };
        let authentication = authentication(spec, credentials.client_secret, encoding, assertions.client)?;
        let grant = grant(spec, credentials.user, credentials.refresh_token, assertions.grant)?;
        Ok(TokenRequest {
            endpoint,
            client: Client { id: credentials.client_id, authentication },
            basic_user: credentials.basic_user.map(|(name, password)| BasicUser { name, password, encoding }),
            grant,
            scopes: self.scopes,
            parameters: self.parameters,
            extra: self.extra,
        })
    }
}

fn authentication(
    spec: &v1::TokenSourceSpec,
    secret: Option<SecretString>,
    encoding: BasicEncoding,
    assertion: Option<SecretString>,
) -> Result<ClientAuthentication, Failure> {
    Ok(match spec.client_authentication.method {
        ClientAuthenticationMethod::Body => match secret {
            Some(secret) => ClientAuthentication::Body { secret },
            None => ClientAuthentication::None,
        },
        ClientAuthenticationMethod::Basic => match secret {
            Some(secret) => ClientAuthentication::Basic { secret, encoding },
            None => ClientAuthentication::None,
        },
        ClientAuthenticationMethod::MutualTls => ClientAuthentication::MutualTls,
        ClientAuthenticationMethod::None => ClientAuthentication::None,
        ClientAuthenticationMethod::ClientAssertion => {
            let kind = spec.client_authentication.assertion.as_ref().map(|assertion| assertion.assertion_type).unwrap_or_default();
            ClientAuthentication::Assertion {
                assertion_type: match kind {
                    AssertionTypeField::JwtBearer => AssertionType::JwtBearer,
                    AssertionTypeField::Saml2Bearer => AssertionType::Saml2Bearer,
                },
                assertion: assertion.ok_or_else(|| invalid("spec.clientAuthentication.assertion", "is missing"))?,
            }
        }
    })
}

fn grant(
    spec: &v1::TokenSourceSpec,
    user: Option<User>,
    refresh_token: Option<SecretString>,
    assertion: Option<SecretString>,
) -> Result<Grant, Failure> {
    let assertion = || assertion.ok_or_else(|| invalid("spec.grant.assertion", "is missing"));
    Ok(match spec.grant.grant_type {
        GrantTypeField::ClientCredentials => Grant::ClientCredentials,
        GrantTypeField::Password => {
            let User { name, password, .. } = user.ok_or_else(|| invalid("spec.credentials", "is missing"))?;
            Grant::Password { username: name, password, one_time_code: None }
        }
        GrantTypeField::JwtBearer => Grant::JwtBearer { assertion: assertion()? },
        GrantTypeField::Saml2Bearer => Grant::Saml2Bearer { assertion: assertion()? },
        GrantTypeField::TokenExchange => Grant::TokenExchange {
            subject_token: assertion()?,
            subject_token_type: spec.grant.subject_token_type.clone().unwrap_or_else(|| ACCESS_TOKEN_TYPE.to_owned()),
            requested_token_type: spec.grant.requested_token_type.clone(),
        },
        GrantTypeField::RefreshToken => {
            Grant::RefreshToken { refresh_token: refresh_token.ok_or_else(|| invalid("spec.credentials", "is missing"))? }
        }
    })
}

fn endpoint(spec: &v1::TokenSourceSpec, url: &str, field: &str, allow_http: bool) -> Result<TokenEndpoint, Failure> {
    let url_type = match (spec.token_url_type, &spec.tenant) {
        (v1::TokenUrlType::Dedicated, _) => UrlType::Dedicated,
        (v1::TokenUrlType::Common, Some(tenant)) => UrlType::Common { tenant },
        (v1::TokenUrlType::Common, None) => {
            return Err(invalid("spec.tenant", "is missing: tokenURLType Common needs the tenant's subdomain"));
        }
    };
    TokenEndpoint::parse(url, url_type, allow_http).map_err(|error| invalid(field, &error.to_string()))
}

/// The host that the spec's own token URL names, as messages name the endpoint. None: the credentials Secret names it, or
/// the URL can't be used.
pub fn endpoint_host(spec: &v1::TokenSourceSpec) -> Option<String> {
    let url = spec.token_url.as_deref()?;
    Some(endpoint(spec, url, "spec.tokenURL", true).ok()?.host())
}

fn check_proxy(text: &str) -> Result<(), Failure> {
    let url = url::Url::parse(text).map_err(|_| invalid("spec.request.proxyURL", "is no URL: write it as http://HOST:PORT"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(invalid("spec.request.proxyURL", "must be an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("spec.request.proxyURL", "must not hold user information"));
    }
    Ok(())
}

fn parameters(spec: &v1::TokenSourceSpec) -> Vec<(&'static str, String)> {
    let token_format = spec.token_format.map(|format| match format {
        v1::TokenFormat::Jwt => "jwt".to_owned(),
        v1::TokenFormat::Opaque => "opaque".to_owned(),
    });
    [
        ("audience", spec.grant.audience.clone()),
        ("resource", spec.grant.resource.clone()),
        ("token_format", token_format),
        ("refresh_expiry", spec.refresh_expiry_seconds.map(|seconds| seconds.to_string())),
        ("max_exchange_period", spec.max_exchange_period_hours.map(|hours| hours.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn extra(spec: &v1::TokenSourceSpec) -> Result<ExtraParts, Failure> {
    let own: Vec<&str> = parameters(spec).iter().map(|(name, _)| *name).collect();
    let own_scope = spec.scopes.as_ref().is_some_and(|scopes| !scopes.is_empty());
    let is_own = |name: &str| RESERVED_PARAMETERS.contains(&name) || own.contains(&name) || (own_scope && name == "scope");
    Ok(ExtraParts {
        headers: extra_headers(spec.request.headers.as_ref())?,
        query: extra_parameters("spec.request.query", spec.request.query.as_ref(), is_own)?,
        body: extra_parameters("spec.request.body", spec.request.body.as_ref(), is_own)?,
    })
}

fn extra_headers(headers: Option<&BTreeMap<String, String>>) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.into_iter().flatten() {
        let field = format!("spec.request.headers.{name}");
        let name = HeaderName::try_from(name).map_err(|_| invalid(&field, "is no header name (RFC 9110 section 5.1)"))?;
        if RESERVED_HEADERS.contains(&name.as_str()) {
            return Err(invalid(&field, "would replace a header that the token request sets itself: remove it"));
        }
        // An extra header often is an API key: never shown, like the credentials.
        let mut value = HeaderValue::try_from(value).map_err(|_| invalid(&field, "holds characters that a header can't carry"))?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

fn extra_parameters(
    field: &str,
    parameters: Option<&BTreeMap<String, String>>,
    is_own: impl Fn(&str) -> bool,
) -> Result<Vec<(String, String)>, Failure> {
    let pairs = parameters.into_iter().flatten();
    match pairs.clone().find(|(name, _)| is_own(name)) {
        Some((name, _)) => Err(invalid(
            &format!("{field}.{name}"),
            "would replace a parameter that the grant or another field of the spec sends: remove it",
        )),
        None => Ok(pairs.map(|(name, value)| (name.clone(), value.clone())).collect()),
    }
}

fn invalid(field: &str, problem: &str) -> Failure {
    Failure::local(Reason::InvalidSpec, format!("{field} {problem}"))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
