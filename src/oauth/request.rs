//! A token request and its bytes (RFC 6749 §4.3.2, §4.4.2).

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

use super::client::{BasicHeader, BasicUser, Client, ClientAuthentication, basic_header};
use super::endpoint::TokenEndpoint;
use super::grant::Grant;
use super::vendor::Vendor;

/// Everything a token request is made of. What is in here has been checked: encoding it can't fail.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Where it goes.
    pub endpoint: TokenEndpoint,
    /// Who asks.
    pub client: Client,
    /// The token service's own Basic user, if it wants one.
    pub basic_user: Option<BasicUser>,
    /// By what.
    pub grant: Grant,
    /// `scope`, in order (RFC 6749 §3.3).
    pub scopes: Vec<String>,
    /// Parameters beside the grant's own: `audience`, `resource`, `token_format` and the like.
    pub parameters: Vec<(&'static str, String)>,
    /// Extra parts that the user asked for.
    pub extra: ExtraParts,
}

/// Extra headers, query and body parameters of a token request.
#[derive(Debug, Clone, Default)]
pub struct ExtraParts {
    /// Headers beside the request's own.
    pub headers: HeaderMap,
    /// Query parameters, after those of the URL itself.
    pub query: Vec<(String, String)>,
    /// Body parameters, after the grant's own.
    pub body: Vec<(String, String)>,
}

/// A body parameter that a grant or client authentication sends, and that nothing extra may replace.
pub const RESERVED_PARAMETERS: [&str; 16] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "assertion",
    "username",
    "password",
    "refresh_token",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "code",
    "code_verifier",
];

/// A header that the request itself sets, and that nothing extra may replace.
pub const RESERVED_HEADERS: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept",
    "x-cf-encoded-credentials",
];

/// Decoding hint for UAA and XSUAA: the Basic credentials were form-encoded before Base64.
const CF_ENCODED_CREDENTIALS: HeaderName = HeaderName::from_static("x-cf-encoded-credentials");

impl TokenRequest {
    /// The HTTP request. The body is a secret; the `Authorization` header is marked as sensitive.
    pub fn encode(&self) -> http::Request<SecretString> {
        let mut request = http::Request::new(self.body());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri();
        *request.headers_mut() = self.headers();
        request
    }

    /// The credentials in this request: what no message may ever show.
    pub fn credentials(&self) -> Vec<SecretString> {
        let client = match &self.client.authentication {
            ClientAuthentication::Body { secret } | ClientAuthentication::Basic { secret, .. } => Some(secret),
            ClientAuthentication::Assertion { assertion, .. } => Some(assertion),
            ClientAuthentication::MutualTls | ClientAuthentication::None => None,
        };
        let basic_user = self.basic_user.as_ref().map(|user| &user.password);
        client.into_iter().chain(basic_user).chain(self.grant.secrets()).cloned().collect()
    }

    fn uri(&self) -> http::Uri {
        let mut url = self.endpoint.url().clone();
        if !self.extra.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.extra.query);
        }
        // The URL was parsed by the WHATWG rules, which leave nothing that `http::Uri` refuses but for a length
        // over 64 KiB; the API's schema stops long before that.
        http::Uri::try_from(url.as_str()).unwrap_or_default()
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = self.extra.headers.clone();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(basic) = self.basic() {
            if let Ok(mut value) = HeaderValue::from_str(basic.value.expose_secret()) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            if basic.encoding_changed {
                headers.insert(CF_ENCODED_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
        headers
    }

    /// The header's credentials: the token service's own user comes first.
    fn basic(&self) -> Option<BasicHeader> {
        match (&self.basic_user, &self.client.authentication) {
            (Some(user), _) => Some(basic_header(&user.name, &user.password, user.encoding)),
            (None, ClientAuthentication::Basic { secret, encoding }) => Some(basic_header(&self.client.id, secret, *encoding)),
            (
                None,
                ClientAuthentication::Body { .. }
                | ClientAuthentication::MutualTls
                | ClientAuthentication::Assertion { .. }
                | ClientAuthentication::None,
            ) => None,
        }
    }

    fn body(&self) -> SecretString {
        let mut form = Serializer::new(String::new());
        self.grant.append_to(&mut form);
        self.append_client(&mut form);
        if !self.scopes.is_empty() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        form.extend_pairs(&self.parameters);
        form.extend_pairs(&self.extra.body);
        SecretString::from(form.finish())
    }

    fn append_client(&self, form: &mut Serializer<'_, String>) {
        // Identity Authentication wants the id in the body beside the header; RFC 6749 §2.3 allows it. Where the header
        // holds the token service's own user, nothing else would name the client.
        let in_header = matches!(self.client.authentication, ClientAuthentication::Basic { .. }) && self.basic_user.is_none();
        if !in_header || Vendor::of(&self.endpoint) == Vendor::IdentityAuthentication {
            form.append_pair("client_id", &self.client.id);
        }
        match &self.client.authentication {
            ClientAuthentication::Body { secret } => {
                form.append_pair("client_secret", secret.expose_secret());
            }
            ClientAuthentication::Assertion { assertion_type, assertion } => {
                form.append_pair("client_assertion_type", assertion_type.parameter());
                form.append_pair("client_assertion", assertion.expose_secret());
            }
            ClientAuthentication::Basic { .. } | ClientAuthentication::MutualTls | ClientAuthentication::None => {}
        }
    }
}
