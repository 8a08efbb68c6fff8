//! The sources of a run: which there are, what they are made of, and what is to be expected of each.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::authorization_server::{AuthorizationServer, Client};
use crate::door::Door;
use crate::mark::Mark;
use crate::random::Random;

/// Namespaces that stay.
pub const NAMESPACES: [&str; 3] = ["shop", "billing", "staff"];
/// The namespace that is deleted.
pub const DOOMED: &str = "doomed";

/// Token lives in seconds.
const LIVES: [u64; 8] = [20, 25, 30, 45, 60, 90, 150, 300];

/// What a source is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client's own grant, with a client of its own.
    Own,
    /// The client's own grant, with a client that others use too.
    Shared,
    User,
    /// A user whose refresh token is good for one use; when it is lost, the grant is there.
    RotatingUser,
    /// The refresh token is all there is.
    RefreshToken,
    /// The base's token is the assertion.
    Chained,
    /// Its namespace goes, and comes again.
    Doomed,
    WrongSecret,
    WrongPassword,
    ForeignTarget,
}

/// What is to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Token,
    /// `Refreshed` False by this reason, and no token.
    Refusal(&'static str),
}

#[derive(Clone, Debug)]
pub struct Source {
    pub namespace: String,
    pub name: String,
    /// What its requests carry: `NAMESPACE/NAME`, and which of several of the name.
    pub header: String,
    pub door: usize,
    pub kind: Kind,
    pub client: String,
    /// The credentials Secret's name.
    pub credentials: String,
    pub spec: Value,
    /// The credentials Secret's content.
    pub data: HashMap<String, String>,
    /// Since when a token is needed; moved by whoever takes it away.
    pub needed: Option<Instant>,
}

impl Source {
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    pub fn expected(&self) -> Expected {
        match self.kind {
            Kind::WrongSecret => Expected::Refusal("ClientAuthenticationFailed"),
            Kind::WrongPassword => Expected::Refusal("UserAuthenticationFailed"),
            Kind::ForeignTarget => Expected::Refusal("SecretConflict"),
            Kind::Own | Kind::Shared | Kind::User | Kind::RotatingUser | Kind::RefreshToken | Kind::Chained | Kind::Doomed => {
                Expected::Token
            }
        }
    }
}

/// Makes sources at doors, and registers their clients.
pub struct Maker<'a> {
    pub server: &'a AuthorizationServer,
    pub doors: &'a [Door],
    pub mark: &'a Mark,
    pub random: Random,
}

impl Maker<'_> {
    /// Those that stay: 23 a door.
    pub fn all(&mut self) -> Vec<Source> {
        let mut made = Vec::new();
        for door in 0..self.doors.len() {
            for (number, life) in LIVES.into_iter().enumerate() {
                made.push(self.own(door, &format!("own-{door}-{number}"), life));
            }
            let shared = format!("shared-{door}");
            let secret = self.client(&shared, 40, false, None);
            for number in 0..3 {
                let data = client_data(&shared, &secret);
                made.push(self.source(door, Kind::Shared, &format!("shared-{door}-{number}"), &shared, data, &json!({})));
            }
            for number in 0..2 {
                made.push(self.user(door, Kind::User, &format!("user-{door}-{number}"), true));
                made.push(self.user(door, Kind::RotatingUser, &format!("rotating-{door}-{number}"), true));
            }
            made.push(self.refresh_token(door));
            made.push(self.user(door, Kind::WrongPassword, &format!("wrong-password-{door}"), false));
            let wrong = format!("wrong-{door}");
            self.client(&wrong, 60, false, None);
            for number in 0..4 {
                let data = client_data(&wrong, &self.mark.secret());
                let mut source = self.source(door, Kind::WrongSecret, &format!("wrong-{door}-{number}"), &wrong, data, &json!({}));
                // The same wrong secret for all of them, whatever their namespace.
                if let Some(first) = made.iter().find(|other: &&Source| other.kind == Kind::WrongSecret && other.door == door) {
                    source.data.clone_from(&first.data);
                }
                made.push(source);
            }
            let base =
                made.iter().find(|source| source.kind == Kind::Own && source.door == door && source.name.ends_with("-5")).unwrap().clone();
            let mut chained = self.own(door, &format!("chained-{door}"), 60);
            chained.kind = Kind::Chained;
            chained.move_to(&base.namespace);
            chained.spec["grant"] = json!({"type": "JWTBearer", "refresh": "Never", "assertion": {"tokenSourceRef": {"name": base.name}}});
            made.push(chained);
        }
        for (number, namespace) in NAMESPACES.into_iter().enumerate() {
            let mut foreign = self.own(0, &format!("foreign-{number}"), 60);
            foreign.kind = Kind::ForeignTarget;
            foreign.move_to(namespace);
            made.push(foreign);
        }
        made
    }

    /// Those of the namespace that goes, for the so many-th time.
    pub fn doomed(&mut self, round: u32) -> Vec<Source> {
        (0..4)
            .map(|number| {
                let mut source = self.own(number % 2, &format!("doomed-{number}"), [20, 30, 60, 120][number]);
                source.kind = Kind::Doomed;
                source.move_to(DOOMED);
                source.header = format!("{}#{round}", source.key());
                source.spec["request"]["headers"]["X-Source"] = source.header.clone().into();
                source
            })
            .collect()
    }

    fn own(&mut self, door: usize, name: &str, life: u64) -> Source {
        let secret = self.client(name, life, false, None);
        self.source(door, Kind::Own, name, name, client_data(name, &secret), &json!({}))
    }

    fn user(&mut self, door: usize, kind: Kind, name: &str, is_right: bool) -> Source {
        let rotates = kind == Kind::RotatingUser;
        let (password, life) = (self.mark.secret(), *self.random.pick(&[20, 30, 45, 60]));
        let secret = self.client(name, life, rotates, Some(&password));
        let sent = if is_right { password } else { self.mark.secret() };
        let mut data = client_data(name, &secret);
        data.extend([("username".to_owned(), "user".to_owned()), ("password".to_owned(), sent)]);
        let grant = json!({"grant": {"type": "Password", "refresh": if rotates { "Auto" } else { "Never" }}});
        self.source(door, kind, name, name, data, &grant)
    }

    fn refresh_token(&mut self, door: usize) -> Source {
        let name = format!("refresh-{door}");
        let secret = self.client(&name, 40, true, None);
        let mut source =
            self.source(door, Kind::RefreshToken, &name, &name, client_data(&name, &secret), &json!({"grant": {"type": "RefreshToken"}}));
        source.data.insert("refresh_token".to_owned(), self.server.log_on(&source.header, &source.client));
        source
    }

    fn client(&self, id: &str, life: u64, rotates: bool, password: Option<&str>) -> String {
        let secret = self.mark.secret();
        let users = password.into_iter().map(|password| ("user".to_owned(), password.to_owned())).collect();
        self.server.register(id, Client { secret: secret.clone(), life: Duration::from_secs(life), users, rotates });
        secret
    }

    fn source(&mut self, door: usize, kind: Kind, name: &str, client: &str, data: HashMap<String, String>, more: &Value) -> Source {
        let namespace = (*self.random.pick(&NAMESPACES)).to_owned();
        let header = format!("{namespace}/{name}");
        let credentials = format!("{name}-credentials");
        let mut spec = json!({
            "tokenURL": self.doors[door].url(),
            "credentials": {"secretRef": {"name": credentials}},
            "request": {"headers": {"X-Source": header}},
        });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Source { namespace, name: name.to_owned(), header, door, kind, client: client.to_owned(), credentials, spec, data, needed: None }
    }
}

impl Source {
    fn move_to(&mut self, namespace: &str) {
        namespace.clone_into(&mut self.namespace);
        self.header = self.key();
        self.spec["request"]["headers"]["X-Source"] = self.header.clone().into();
    }
}

fn client_data(id: &str, secret: &str) -> HashMap<String, String> {
    HashMap::from([("client_id".to_owned(), id.to_owned()), ("client_secret".to_owned(), secret.to_owned())])
}
