//! The authorization servers: clients, users and refresh tokens as they are registered now, and what they think of a request.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{Request, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::oauth::response::ResponseBody;

/// By what a source asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// The client alone.
    ClientCredentials,
    /// A user, and refresh tokens after that.
    Password,
    /// A refresh token that people were given.
    RefreshToken,
}

/// A client with its user, as it is registered; one credentials Secret holds what is known of it in the cluster.
#[derive(Debug, Clone)]
pub struct Group {
    /// The name of the credentials Secret, and the client's.
    pub name: String,
    /// Which server it is registered at.
    pub host: usize,
    /// By what its sources ask.
    pub grant: Grant,
    /// The client secrets that are accepted.
    pub secrets: Vec<String>,
    /// The user's password.
    pub password: String,
    /// A refusal does not say whom it is about.
    pub is_unclear: bool,
    /// How long its tokens live, in seconds.
    pub life: u64,
    /// The refresh tokens that are accepted, each once.
    pub live: BTreeSet<String>,
}

/// A token that was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// When it expires, since the run began.
    pub expires: Duration,
    /// By how much the clock of whoever got it was ahead.
    pub clock_error: i64,
    /// The refresh token that came with it.
    pub refresh_token: Option<String>,
    /// When it was asked for.
    pub asked_at: Duration,
    /// How long it lives.
    pub life: Duration,
    /// The client secret by which it came.
    pub client_secret: String,
    /// The user's password by which it came; empty: by none.
    pub password: String,
}

/// A request as the server reads it.
#[derive(Debug)]
pub struct Asked {
    /// When.
    pub at: Duration,
    /// The source, by an extra header of its spec.
    pub source: String,
    client_id: String,
    /// The client's secret that it presents.
    pub client_secret: String,
    form: HashMap<String, String>,
}

/// What the server makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A token.
    Token(String),
    /// Not this client; whose refusal it counts as.
    Client(String),
    /// Not this user; whose refusal it counts as.
    User(String),
    /// Not this refresh token.
    RefreshToken,
}

/// All that is registered, and all that was issued.
#[derive(Default)]
pub struct AuthorizationServers {
    /// The clients.
    pub groups: Vec<Group>,
    /// The access tokens.
    pub tokens: HashMap<String, Issued>,
    given: u64,
}

impl Asked {
    /// Reads the bytes that were sent.
    pub fn read(request: &Request<SecretString>, at: Duration) -> Self {
        let form: HashMap<String, String> = form_urlencoded::parse(request.body().expose_secret().as_bytes()).into_owned().collect();
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let basic = header(AUTHORIZATION.as_str()).strip_prefix("Basic ").and_then(|text| BASE64_STANDARD.decode(text).ok());
        let basic = basic.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.split_once(':').map(own));
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let (client_id, client_secret) = basic.unwrap_or_else(|| (field("client_id"), field("client_secret")));
        Self { at, source: header("x-source").to_owned(), client_id, client_secret, form }
    }

    /// The grant's name.
    pub fn grant(&self) -> &str {
        self.field("grant_type")
    }

    /// The refresh token that it presents.
    pub fn refresh_token(&self) -> &str {
        self.field("refresh_token")
    }

    /// The user's password that it presents.
    pub fn password(&self) -> &str {
        self.field("password")
    }

    fn field(&self, name: &str) -> &str {
        self.form.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Where a token stands in the order in which all were issued.
pub fn issued_as(token: &str) -> Option<u64> {
    token.rsplit('-').next()?.parse().ok()
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

impl AuthorizationServers {
    /// A client by its name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    fn given(&mut self, what: &str) -> String {
        self.given += 1;
        format!("{what}-{}", self.given)
    }

    /// A refresh token as people get it.
    pub fn give_refresh_token(&mut self, group: usize) -> String {
        let token = self.given("given-refresh");
        self.groups[group].live.insert(token.clone());
        token
    }

    /// Judges a request, and issues a token if it is right.
    pub fn judge(&mut self, asked: &Asked, now: Duration, clock_error: i64) -> Verdict {
        let who = format!("{}|{}", asked.client_id, asked.client_secret);
        let Some(index) = self.groups.iter().position(|group| group.name == asked.client_id) else { return Verdict::Client(who) };
        let group = &self.groups[index];
        if !group.secrets.contains(&asked.client_secret) {
            return Verdict::Client(who);
        }
        let rotates = match asked.grant() {
            "client_credentials" => false,
            "password" if asked.field("password") == group.password => true,
            "password" => return Verdict::User(format!("{who}|{}|{}", asked.field("username"), asked.field("password"))),
            _ => {
                if !self.groups[index].live.remove(asked.field("refresh_token")) {
                    return Verdict::RefreshToken;
                }
                true
            }
        };
        let (token, refresh_token) = (self.given("token"), rotates.then(|| self.given("refresh")));
        let group = &mut self.groups[index];
        group.live.extend(refresh_token.clone());
        let life = Duration::from_secs(group.life);
        let (asked_at, client_secret, password) = (asked.at, asked.client_secret.clone(), asked.password().to_owned());
        let issued = Issued { expires: now + life, clock_error, refresh_token, asked_at, life, client_secret, password };
        self.tokens.insert(token.clone(), issued);
        Verdict::Token(token)
    }

    /// The answer that tells a verdict.
    pub fn answer(&self, asked: &Asked, verdict: &Verdict) -> Response<ResponseBody> {
        let group = self.group(&asked.client_id);
        let is_unclear = group.is_some_and(|group| group.is_unclear);
        let (status, body) = match verdict {
            Verdict::Token(token) => {
                let refresh_token = self.tokens.get(token).and_then(|issued| issued.refresh_token.clone());
                let mut body = json!({"access_token": token, "token_type": "bearer", "expires_in": group.map_or(0, |group| group.life)});
                if let Some(refresh_token) = refresh_token {
                    body["refresh_token"] = refresh_token.into();
                }
                (200, body)
            }
            Verdict::Client(_) | Verdict::User(_) if is_unclear => {
                (401, json!({"error": "unauthorized", "error_description": "Bad credentials"}))
            }
            Verdict::Client(_) => {
                (401, json!({"error": "invalid_client", "error_description": "Invalid client or Invalid client credentials"}))
            }
            Verdict::User(_) => (401, json!({"error": "invalid_grant", "error_description": "Invalid user credentials"})),
            Verdict::RefreshToken => (400, json!({"error": "invalid_grant", "error_description": "Token is not active"})),
        };
        json_answer(status, &body)
    }
}

fn json_answer(status: u16, body: &Value) -> Response<ResponseBody> {
    answer(status, "application/json", body.to_string())
}

fn answer(status: u16, content_type: &str, body: String) -> Response<ResponseBody> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(ResponseBody::Whole(body.into())).unwrap()
}

/// An answer that no server gives who is well.
pub fn unwell(status: u16, retry_after: Option<u64>) -> Response<ResponseBody> {
    let mut response = match status {
        429 => json_answer(429, &json!({"error": "slow_down"})),
        500 => json_answer(500, &json!({"error": "server_error"})),
        503 => answer(503, "text/plain", "upstream unavailable".to_owned()),
        200 => json_answer(200, &json!({"token_type": "bearer"})),
        _ => answer(404, "text/html", "<html><body><h1>Not found</h1></body></html>".to_owned()),
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// The credentials Secret's data.
pub fn credentials(group: &Group, refresh_token: Option<String>) -> BTreeMap<String, String> {
    let newest = group.secrets.last().cloned().unwrap_or_default();
    let mut data = BTreeMap::from([("client_id".to_owned(), group.name.clone()), ("client_secret".to_owned(), newest)]);
    if group.grant == Grant::Password {
        data.insert("username".to_owned(), "technical".to_owned());
        data.insert("password".to_owned(), group.password.clone());
    }
    data.extend(refresh_token.map(|token| ("refresh_token".to_owned(), token)));
    data
}
