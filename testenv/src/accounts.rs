//! Who may log in at the world's authorization servers. Test-only values: the servers listen on loopback, for minutes.

/// The realm in Keycloak.
pub const REALM: &str = "op";
/// A realm with brute-force protection: [`ROPC`], and [`LOCKED`] to be locked out after [`FAILURES_BEFORE_LOCK`] failures.
pub const LOCKING_REALM: &str = "locking";
/// A realm that is switched off, with [`CC`].
pub const CLOSED_REALM: &str = "closed";
/// A realm that demands https, with [`CC`].
pub const SECURE_REALM: &str = "secure";

/// A client as both authorization servers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: &'static str,
    /// `client_secret`; empty where the client has none.
    pub secret: &'static str,
}

/// A user as both authorization servers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// `username`.
    pub name: &'static str,
    /// `password`.
    pub password: &'static str,
}

const fn client(id: &'static str, secret: &'static str) -> Client {
    Client { id, secret }
}

const fn user(name: &'static str, password: &'static str) -> User {
    User { name, password }
}

/// Grant `client_credentials`; tokens live 60 s. In Keycloak with the optional scopes `orders.read` and `orders.write`.
pub const CC: Client = client("cc", "cc-secret");
/// Like [`CC`], but its tokens live [`SHORT_LIFE_SECONDS`].
pub const CC_SHORT: Client = client("cc-short", "cc-short-secret");
/// Grant `client_credentials`, with a secret that every wrong encoding of a form or of Basic authentication breaks.
pub const SPECIAL: Client = client("special", "p:ss w%rd+&=/é");
/// Resource owner password credentials.
pub const ROPC: Client = client("ropc", "ropc-secret");
/// Like [`ROPC`], but its refresh tokens live [`SHORT_REFRESH_SECONDS`].
pub const ROPC_SHORT: Client = client("ropc-short", "ropc-short-secret");
/// Resource owner password credentials without a secret.
pub const ROPC_PUBLIC: Client = client("ropc-public", "");
/// The jwt-bearer grant; assertions of [`ASSERTION_ISSUER`] signed with `signing.key`.
pub const JWT_BEARER: Client = client("jb", "jb-secret");

/// Keycloak only: a client that is switched off.
pub const OFF: Client = client("off", "off-secret");
/// Keycloak only: `private_key_jwt`, RS256, signed with `signing.key`.
pub const PRIVATE_KEY_JWT: Client = client("pkjwt", "");
/// Keycloak only: `client_secret_jwt`, HS256.
pub const CLIENT_SECRET_JWT: Client = client("sjwt", "a-long-shared-secret-for-hs256-0123456789");
/// Keycloak only: mutual TLS with `client.crt`; its tokens are bound to that certificate.
pub const MUTUAL_TLS: Client = client("mtls", "");
/// Keycloak only: may exchange tokens (RFC 8693), its own above all.
pub const TOKEN_EXCHANGE: Client = client("exchange", "exchange-secret");
/// Keycloak only: authenticates, but no grant is enabled for it.
pub const NO_SERVICE_ACCOUNT: Client = client("no-service-account", "no-service-account-secret");

/// Keycloak only: resource owner password credentials, for users who consented in a browser.
pub const CONSENT: Client = client("consent", "consent-secret");

/// UAA only: resource owner password credentials, for users of a provider that the UAA does not have.
pub const OTHER_PROVIDER: Client = client("other-provider", "other-provider-secret");
/// UAA only: the saml2-bearer grant.
pub const SAML_BEARER: Client = client("saml", "saml-secret");
/// UAA only: may manage clients and users. The UAA makes it itself, and keeps its own secret whatever the configuration says.
pub const ADMIN: Client = client("admin", "adminsecret");

/// A user who can log in.
pub const ALICE: User = user("alice", "alice-pw");
/// Keycloak only: a user who is switched off.
pub const DISABLED: User = user("disabled", "disabled-pw");
/// Keycloak only: a user who must change the password first.
pub const MUST_CHANGE: User = user("mustchange", "mustchange-pw");
/// Keycloak only, in [`LOCKING_REALM`]: to be locked out by tests.
pub const LOCKED: User = user("locked", "locked-pw");

/// Keycloak's bootstrap administrator, in realm `master`, client `admin-cli`.
pub const KEYCLOAK_ADMINISTRATOR: User = user("admin", "admin");

/// `iss` of the JWT assertions that both servers accept.
pub const ASSERTION_ISSUER: &str = "https://assertion-issuer.test";
/// Alias of that issuer in both servers.
pub const ASSERTION_ISSUER_ALIAS: &str = "assertion-issuer";
/// `sub` of a JWT assertion that means [`ALICE`] in Keycloak.
pub const ALICE_AT_ASSERTION_ISSUER: &str = "ext-alice";
/// Entity ID of the SAML identity provider that the UAA trusts (`saml-idp.key`).
pub const SAML_ISSUER: &str = "test-saml-idp";
/// The UAA's own SAML entity ID: the audience of SAML assertions, and the alias in the token URL of saml2-bearer.
pub const SAML_AUDIENCE: &str = "uaa-test-sp";
/// Subject of the client certificate of [`MUTUAL_TLS`].
pub const MUTUAL_TLS_SUBJECT: &str = "mtls-client";

/// Life of an access token, in seconds, where a client has no own.
pub const LIFE_SECONDS: u32 = 60;
/// Life of an access token of [`CC_SHORT`], in seconds.
pub const SHORT_LIFE_SECONDS: u32 = 20;
/// Life of a refresh token of [`ROPC_SHORT`], in seconds.
pub const SHORT_REFRESH_SECONDS: u32 = 1;

/// So many wrong passwords lock a user of [`LOCKING_REALM`], or of the UAA (its own default).
pub const FAILURES_BEFORE_LOCK: u32 = 5;
