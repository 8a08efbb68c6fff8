//! A token request that a real server refuses, and the reason that must be told. A test sends it itself, for the recorded
//! answers, or has the operator send it, for what users see.

use std::error::Error as StdError;

use reqwest::{Certificate, Client, Identity, Proxy};
use serde_json::{Map, Value, json};
use testenv::accounts;
use tokensource::api::condition::{ConditionStatus, ConditionType};
use url::form_urlencoded;

use crate::stage::{Stage, Status};

/// Parameters that prove somebody: they go into the credentials Secret, and must not be shown.
const CREDENTIALS: [&str; 7] = ["client_secret", "username", "password", "refresh_token", "assertion", "subject_token", "client_assertion"];
const JWT_CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:";

/// A request, and what must be told about its refusal.
#[derive(Clone)]
pub struct Case {
    /// What is wrong with it.
    pub name: &'static str,
    /// The grant, as the recorded answers call it.
    pub grant: &'static str,
    /// The reason that the answer alone gives.
    pub reason: &'static str,
    /// The cause, where the answer says it.
    pub cause: Option<&'static str>,
    /// The reason that the operator tells, after the probe where it needs one.
    told: &'static str,
    /// The cause that the operator tells.
    told_cause: Option<&'static str>,
    url: String,
    form: Vec<(&'static str, String)>,
    basic: Option<String>,
    certificate: Option<(String, String)>,
    ca: Option<String>,
    proxy: Option<String>,
}

/// What came back; without an answer its cause.
pub struct Answered {
    pub status: u16,
    pub headers: Map<String, Value>,
    pub body: String,
}

/// A request at a token endpoint. The grant is one of the names in the recorded answers.
pub fn case(name: &'static str, url: &str, grant: &'static str) -> Case {
    let (url, form) = (url.to_owned(), Vec::new());
    Case {
        name,
        grant,
        reason: "",
        cause: None,
        told: "",
        told_cause: None,
        url,
        form,
        basic: None,
        certificate: None,
        ca: None,
        proxy: None,
    }
}

impl Case {
    /// Another parameter.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.form.push((name, value.to_owned()));
        self
    }

    /// A client with its secret in the body, if it has one.
    pub fn client(self, client: &accounts::Client) -> Self {
        let named = self.with("client_id", client.id);
        if client.secret.is_empty() { named } else { named.with("client_secret", client.secret) }
    }

    /// A client with its secret in the header, which is not form-encoded as RFC 6749 §2.3.1 demands.
    pub fn raw_basic(mut self, client: &accounts::Client) -> Self {
        self.basic = Some(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("{}:{}", client.id, client.secret)));
        self.client(client)
    }

    pub fn user(self, name: &str, password: &str) -> Self {
        self.with("username", name).with("password", password)
    }

    /// A client that proves itself by a JWT.
    pub fn client_assertion(self, id: &str, assertion: &str) -> Self {
        self.with("client_id", id).with("client_assertion_type", JWT_CLIENT_ASSERTION).with("client_assertion", assertion)
    }

    /// Over TLS with this client certificate and its key, if any.
    pub fn tls(self, stage: &Stage, certificate: Option<(String, String)>) -> Self {
        let ca = std::fs::read_to_string(stage.world.keycloak_ca().unwrap()).unwrap();
        Self { ca: Some(ca), certificate, ..self }
    }

    pub fn through(self, proxy: &str) -> Self {
        Self { proxy: Some(proxy.to_owned()), ..self }
    }

    /// What the answer says.
    pub fn gives(self, reason: &'static str) -> Self {
        Self { reason, cause: None, told: reason, told_cause: None, ..self }
    }

    /// What the answer says of the client.
    pub fn gives_cause(self, cause: &'static str) -> Self {
        Self { cause: Some(cause), told_cause: Some(cause), ..self.gives("ClientAuthenticationFailed") }
    }

    /// What the operator finds out by the probe.
    pub fn and_the_probe(self, told: &'static str) -> Self {
        Self { told, ..self }
    }

    /// The cause that the operator tells, since it knows what was sent.
    pub fn and_the_request(self, cause: &'static str) -> Self {
        Self { told_cause: Some(cause), ..self }
    }

    /// What was sent and must not be shown.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        let secret = |name: &str| CREDENTIALS.contains(&name) && name != "username";
        self.form.iter().filter(move |(name, value)| secret(name) && value.len() > 3).map(|(_, value)| value.as_str())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn grant_type(&self) -> String {
        let extension = ["jwt-bearer", "saml2-bearer", "token-exchange"].contains(&self.grant);
        if extension { format!("{GRANT_TYPE}{}", self.grant) } else { self.grant.to_owned() }
    }

    /// Sends it, as the operator would.
    pub async fn ask(&self) -> Answered {
        let form = self.form.iter().filter(|(name, _)| self.basic.is_none() || !name.starts_with("client_"));
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", &self.grant_type())
            .extend_pairs(form.map(|(name, value)| (name, value)))
            .finish();
        let request = self.http().post(&self.url).header("accept", "application/json").body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = self.basic.iter().fold(request, |request, basic| request.header("authorization", format!("Basic {basic}")));
        match request.send().await {
            Ok(response) => {
                let telling = ["content-type", "www-authenticate"].into_iter().filter_map(|name| {
                    let value = response.headers().get(name)?.to_str().ok()?;
                    Some((name.to_owned(), value.into()))
                });
                let (status, headers) = (response.status().as_u16(), telling.collect());
                Answered { status, headers, body: response.text().await.unwrap() }
            }
            Err(error) => Answered { status: 0, headers: Map::new(), body: root_cause(&error) },
        }
    }

    fn http(&self) -> Client {
        let mut builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if let Some(ca) = &self.ca {
            builder = builder.tls_certs_only([Certificate::from_pem(ca.as_bytes()).unwrap()]);
        }
        if let Some((certificate, key)) = &self.certificate {
            builder = builder.identity(Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap());
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(Proxy::all(proxy).unwrap());
        }
        builder.build().unwrap()
    }

    /// What a user writes to have the operator send it.
    pub async fn write(&self, stage: &Stage) {
        let mut data: Vec<(&str, &str)> =
            self.form.iter().filter(|(name, _)| CREDENTIALS.contains(name)).map(|(name, value)| (*name, value.as_str())).collect();
        if let Some((certificate, key)) = &self.certificate {
            data.extend([("tls.crt", certificate.as_str()), ("tls.key", key)]);
        }
        data.extend(self.ca.iter().map(|ca| ("ca.crt", ca.as_str())));
        let credentials = format!("{}-credentials", self.name);
        stage.secret(&credentials, &data).await;
        stage.source(self.name, self.spec(&credentials)).await;
    }

    fn spec(&self, credentials: &str) -> Value {
        let from = |key: &str| json!({"secretKeyRef": {"name": credentials, "key": key}});
        let mut spec = json!({"tokenURL": self.url, "clientID": self.value("client_id"), "grant": {"type": self.grant_field()},
            "clientAuthentication": {"method": self.method()}, "credentials": {"secretRef": {"name": credentials}}});
        for assertion in ["assertion", "subject_token"].into_iter().filter(|name| self.value(name).is_some()) {
            spec["grant"]["assertion"] = from(assertion);
        }
        for (name, field) in [("audience", "audience"), ("requested_token_type", "requestedTokenType")] {
            if let Some(value) = self.value(name) {
                spec["grant"][field] = value.into();
            }
        }
        if self.value("client_assertion").is_some() {
            spec["clientAuthentication"]["assertion"] = from("client_assertion");
        }
        if self.basic.is_some() {
            spec["clientAuthentication"]["basicEncoding"] = "Raw".into();
        }
        if let Some(scope) = self.value("scope") {
            spec["scopes"] = json!([scope]);
        }
        if let Some(hint) = self.value("login_hint") {
            spec["request"]["body"] = json!({"login_hint": hint});
        }
        if let Some(proxy) = &self.proxy {
            spec["request"]["proxyURL"] = proxy.as_str().into();
        }
        if self.ca.is_some() {
            spec["tls"] = json!({"caBundle": {"secretRef": {"name": credentials, "key": "ca.crt"}}});
        }
        spec
    }

    fn grant_field(&self) -> &'static str {
        match self.grant {
            "client_credentials" => "ClientCredentials",
            "password" => "Password",
            "jwt-bearer" => "JWTBearer",
            "saml2-bearer" => "SAML2Bearer",
            "token-exchange" => "TokenExchange",
            "refresh_token" => "RefreshToken",
            other => panic!("{other}"),
        }
    }

    fn method(&self) -> &'static str {
        if self.basic.is_some() {
            "Basic"
        } else if self.certificate.is_some() {
            "MutualTLS"
        } else if self.value("client_assertion").is_some() {
            "ClientAssertion"
        } else if self.value("client_secret").is_some() {
            "Body"
        } else {
            "None"
        }
    }
}

/// Why no answer came: the innermost cause, since those around it depend on when it strikes.
fn root_cause(error: &reqwest::Error) -> String {
    let mut root = error.source();
    while let Some(cause) = root.and_then(StdError::source) {
        root = Some(cause);
    }
    root.map(ToString::to_string).unwrap_or_default()
}

/// Has the operator send each, and sees that its reason is told, with nothing in it that was sent, and that no Secret is made.
pub async fn are_told(stage: &Stage, cases: &[Case]) {
    let operator = stage.operator();
    for case in cases {
        case.write(stage).await;
    }
    for case in cases {
        let status = stage.until_refused(case.name, case.told).await;
        is_told_in_full(stage, case, &status).await;
        let shown = serde_json::to_string(&status.0).unwrap();
        for credential in case.credentials() {
            assert!(!shown.contains(credential), "{}: a credential in the status", case.name);
            assert!(!operator.log().contains(credential), "{}: a credential in the log", case.name);
        }
    }
}

async fn is_told_in_full(stage: &Stage, case: &Case, status: &Status) {
    let name = case.name;
    assert!(status.is(ConditionType::Ready, ConditionStatus::False), "{name}");
    assert_eq!(status.reason(ConditionType::Ready), case.told, "{name}");
    assert!(status.is(ConditionType::Stalled, ConditionStatus::True), "{name}: {:#?}", status.0);
    let failure = status.0.last_failure.clone().unwrap();
    assert!(failure.http_status.is_none_or(|status| (400..500).contains(&status)) && !failure.remedy.is_empty(), "{name}");
    let link = format!("/docs/failures.md#{}", case.told.to_lowercase());
    assert!(status.message(ConditionType::Ready).ends_with(&link), "{name}: {}", status.message(ConditionType::Ready));
    if case.told_cause.is_some() {
        assert_eq!(status.cause().as_deref(), case.told_cause, "{name}");
    }
    assert!(stage.secrets().get_opt(name).await.unwrap().is_none(), "{name}");
    stage.until_events(name, &[case.told]).await;
}
