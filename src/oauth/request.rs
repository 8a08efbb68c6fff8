//! A token request and its bytes (RFC 6749 §4.3.2, §4.4.2).

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

use super::client::{Client, ClientAuthentication, basic_header};
use super::endpoint::TokenEndpoint;
use super::grant::Grant;

/// Everything a token request is made of. What is in here has been checked: encoding it can't fail.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Where it goes.
    pub endpoint: TokenEndpoint,
    /// Who asks.
    pub client: Client,
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

    /// The credentials in this request, as plain text: what no message may ever show.
    pub fn credentials(&self) -> Vec<SecretString> {
        let mut credentials = Vec::with_capacity(2);
        match &self.client.authentication {
            ClientAuthentication::Body { secret } | ClientAuthentication::Basic { secret, .. } => credentials.push(secret.clone()),
            ClientAuthentication::None => {}
        }
        match &self.grant {
            Grant::Password { password, .. } => credentials.push(password.clone()),
            Grant::ClientCredentials => {}
        }
        credentials
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
        if let ClientAuthentication::Basic { secret, encoding } = &self.client.authentication {
            let basic = basic_header(&self.client.id, secret, *encoding);
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

    fn body(&self) -> SecretString {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", self.grant.parameter());
        self.append_client(&mut form);
        match &self.grant {
            Grant::Password { username, password } => {
                form.append_pair("username", username).append_pair("password", password.expose_secret());
            }
            Grant::ClientCredentials => {}
        }
        if !self.scopes.is_empty() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        form.extend_pairs(&self.parameters);
        form.extend_pairs(&self.extra.body);
        SecretString::from(form.finish())
    }

    fn append_client(&self, form: &mut Serializer<'_, String>) {
        match &self.client.authentication {
            ClientAuthentication::Body { secret } => {
                form.append_pair("client_id", &self.client.id).append_pair("client_secret", secret.expose_secret());
            }
            // Identity Authentication wants the id in the body beside the header; RFC 6749 §2.3 allows it.
            ClientAuthentication::Basic { .. } if !self.endpoint.is_identity_authentication() => {}
            ClientAuthentication::Basic { .. } | ClientAuthentication::None => {
                form.append_pair("client_id", &self.client.id);
            }
        }
    }
}
