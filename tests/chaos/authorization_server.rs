//! The authorization server: three token endpoints ("doors") over one set of clients and users. It judges what it is sent,
//! rotates refresh tokens, takes note of every request, and can be troubled door by door.
//!
//! No secret is kept in a record: credentials are told apart by an HMAC with a key of this run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::mark::Mark;
use crate::random::{digits, hex};

/// A keyed hash of something secret.
pub type Fingerprint = String;

/// A request, decoded.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub door: usize,
    /// `NAMESPACE/NAME`, by a header that the spec sets.
    pub source: String,
    pub client: String,
    pub secret: String,
    pub form: HashMap<String, String>,
}

impl Asked {
    fn field(&self, name: &str) -> &str {
        self.form.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// What the server made of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Issued,
    ClientRefused,
    UserRefused,
    /// A refresh token that was used before, or was never issued.
    RefreshTokenRefused,
    AssertionRefused,
    /// The trouble at the door was all that the client met.
    NotJudged,
}

/// A request as it is remembered.
#[derive(Clone, Debug)]
pub struct Record {
    pub at: Instant,
    pub source: String,
    pub grant: String,
    pub verdict: Verdict,
    /// Of what was judged: client, and user where it was the user.
    pub credentials: Fingerprint,
    /// The answer was handed to the network.
    pub answered: bool,
    /// A refresh token that was presented after its use: when that was, and whether the answer to it was handed over.
    pub reused: Option<(Instant, bool)>,
}

/// A token as the server knows it.
#[derive(Clone, Debug)]
pub struct Issued {
    pub source: String,
    pub at: Instant,
    pub expires: Instant,
    pub life: Duration,
}

/// That a request was judged and its answer is on its way.
#[derive(Clone, Debug)]
pub struct Answered {
    pub verdict: Verdict,
}

/// A client with its users.
#[derive(Clone, Debug)]
pub struct Client {
    pub secret: String,
    pub life: Duration,
    pub users: HashMap<String, String>,
    /// Answers bring a refresh token, which is good for one use.
    pub rotates: bool,
}

struct RefreshToken {
    source: String,
    client: String,
    family: u64,
    spent: Option<(Instant, bool)>,
}

struct State {
    key: hmac::Key,
    clients: HashMap<String, Client>,
    tokens: HashMap<Fingerprint, Issued>,
    refresh_tokens: HashMap<Fingerprint, RefreshToken>,
    revoked: Vec<u64>,
    families: u64,
    records: Vec<Record>,
    /// Requests of these sources wait so long before they are judged.
    held: HashMap<String, Duration>,
}

/// The server's state, shared by its doors and by those who look on.
#[derive(Clone)]
pub struct AuthorizationServer {
    state: Arc<Mutex<State>>,
    mark: Mark,
    answered: broadcast::Sender<Answered>,
}

impl AuthorizationServer {
    pub fn new(mark: &Mark) -> Self {
        let state = State {
            key: hmac::Key::new(hmac::HMAC_SHA256, hex(32).as_bytes()),
            clients: HashMap::new(),
            tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            revoked: Vec::new(),
            families: 0,
            records: Vec::new(),
            held: HashMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), mark: mark.clone(), answered: broadcast::channel(4096).0 }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A client as it is from now on.
    pub fn register(&self, id: &str, client: Client) {
        self.locked().clients.insert(id.to_owned(), client);
    }

    pub fn secret_of(&self, id: &str) -> Option<String> {
        self.locked().clients.get(id).map(|client| client.secret.clone())
    }

    /// Another secret: the one before is refused from now on.
    pub fn rotate(&self, id: &str, secret: String) {
        self.locked().clients.get_mut(id).unwrap().secret = secret;
    }

    /// A first refresh token for a source, as a person gets one by logging on.
    pub fn log_on(&self, source: &str, client: &str) -> String {
        let mut state = self.locked();
        state.families += 1;
        let family = state.families;
        state.refresh_token(&self.mark, source, client, family)
    }

    /// Requests of a source wait so long from now on, before they are judged.
    pub fn hold(&self, source: &str, time: Duration) {
        self.locked().held.insert(source.to_owned(), time);
    }

    pub fn held(&self, source: &str) -> Duration {
        self.locked().held.get(source).copied().unwrap_or_default()
    }

    pub fn watch(&self) -> broadcast::Receiver<Answered> {
        self.answered.subscribe()
    }

    pub fn token(&self, token: &str) -> Option<Issued> {
        let state = self.locked();
        state.tokens.get(&state.fingerprint(&[token])).cloned()
    }

    pub fn records(&self) -> Vec<Record> {
        self.locked().records.clone()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.locked().records.len()
    }

    pub fn records_from(&self, index: usize) -> Vec<Record> {
        self.locked().records[index..].to_vec()
    }

    pub fn count(&self, source: &str) -> usize {
        self.locked().records.iter().filter(|record| record.source == source).count()
    }

    /// Takes note of a request that was not judged.
    pub fn missed(&self, asked: &Asked) {
        let mut state = self.locked();
        let credentials = state.fingerprint(&[&asked.client, &asked.secret]);
        state.note(asked, Verdict::NotJudged, credentials, true, None);
    }

    /// Judges a request: status and body. `answered`: the answer will be handed over.
    pub fn judge(&self, asked: &Asked, answered: bool) -> (u16, Value) {
        let mut state = self.locked();
        let (verdict, credentials, reused) = state.verdict(asked, answered);
        state.note(asked, verdict, credentials, answered, reused);
        let unauthorized = |description: &str| (401, json!({"error": "invalid_client", "error_description": description}));
        let answer = match verdict {
            Verdict::Issued => (200, state.issue(asked, &self.mark)),
            Verdict::ClientRefused if asked.field("grant_type") != "password" => unauthorized("Invalid client secret"),
            // What the UAA says of client and user alike: only a probe tells them apart.
            Verdict::ClientRefused | Verdict::UserRefused => unauthorized("Bad credentials"),
            Verdict::RefreshTokenRefused => {
                (400, json!({"error": "invalid_grant", "error_description": "refresh token expired or revoked"}))
            }
            Verdict::AssertionRefused | Verdict::NotJudged => {
                (400, json!({"error": "invalid_grant", "error_description": "assertion expired"}))
            }
        };
        drop(state);
        _ = self.answered.send(Answered { verdict });
        answer
    }
}

impl State {
    fn fingerprint(&self, parts: &[&str]) -> Fingerprint {
        let tag = hmac::sign(&self.key, parts.join("\n").as_bytes());
        digits(&tag.as_ref()[..12])
    }

    fn note(&mut self, asked: &Asked, verdict: Verdict, credentials: Fingerprint, answered: bool, reused: Option<(Instant, bool)>) {
        let (source, grant) = (asked.source.clone(), asked.field("grant_type").to_owned());
        self.records.push(Record { at: Instant::now(), source, grant, verdict, credentials, answered, reused });
    }

    fn verdict(&mut self, asked: &Asked, answered: bool) -> (Verdict, Fingerprint, Option<(Instant, bool)>) {
        let door = asked.door.to_string();
        let of_client = self.fingerprint(&[&door, &asked.client, &asked.secret]);
        let Some(client) = self.clients.get(&asked.client).filter(|client| client.secret == asked.secret).cloned() else {
            return (Verdict::ClientRefused, of_client, None);
        };
        match asked.field("grant_type") {
            "password" => {
                let (user, password) = (asked.field("username"), asked.field("password"));
                let is_right = client.users.get(user).is_some_and(|right| right == password);
                let of_user = self.fingerprint(&[&door, &asked.client, &asked.secret, user, password]);
                (if is_right { Verdict::Issued } else { Verdict::UserRefused }, of_user, None)
            }
            "refresh_token" => {
                let presented = self.fingerprint(&[asked.field("refresh_token")]);
                let Some(token) = self.refresh_tokens.get_mut(&presented) else {
                    return (Verdict::RefreshTokenRefused, presented, None);
                };
                if let Some(spent) = token.spent {
                    // RFC 9700 §4.14.2: somebody else may hold the newer one, so all of the family go.
                    self.revoked.push(token.family);
                    return (Verdict::RefreshTokenRefused, presented, Some(spent));
                }
                let is_good = token.source == asked.source && token.client == asked.client && !self.revoked.contains(&token.family);
                if is_good {
                    token.spent = Some((Instant::now(), answered));
                }
                (if is_good { Verdict::Issued } else { Verdict::RefreshTokenRefused }, presented, None)
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                let assertion = self.fingerprint(&[asked.field("assertion")]);
                let is_good = self.tokens.get(&assertion).is_some_and(|token| token.expires > Instant::now());
                (if is_good { Verdict::Issued } else { Verdict::AssertionRefused }, of_client, None)
            }
            _ => (Verdict::Issued, of_client, None),
        }
    }

    fn issue(&mut self, asked: &Asked, mark: &Mark) -> Value {
        let client = self.clients[&asked.client].clone();
        let (token, now) = (mark.secret(), Instant::now());
        let issued = Issued { source: asked.source.clone(), at: now, expires: now + client.life, life: client.life };
        self.tokens.insert(self.fingerprint(&[&token]), issued);
        let mut body = json!({"access_token": token, "token_type": "Bearer", "expires_in": client.life.as_secs()});
        let grant = asked.field("grant_type");
        if client.rotates && grant != "client_credentials" {
            let presented = self.fingerprint(&[asked.field("refresh_token")]);
            let family = self.refresh_tokens.get(&presented).filter(|_| grant == "refresh_token").map(|token| token.family);
            let family = family.unwrap_or_else(|| {
                self.families += 1;
                self.families
            });
            body["refresh_token"] = self.refresh_token(mark, &asked.source, &asked.client, family).into();
        }
        body
    }

    fn refresh_token(&mut self, mark: &Mark, source: &str, client: &str, family: u64) -> String {
        let token = mark.secret();
        let known = RefreshToken { source: source.to_owned(), client: client.to_owned(), family, spent: None };
        self.refresh_tokens.insert(self.fingerprint(&[&token]), known);
        token
    }
}
