//! The realms that Keycloak imports at start.

use serde_json::{Value, json};

use crate::accounts::{
    self, ALICE, ALICE_AT_ASSERTION_ISSUER, ASSERTION_ISSUER, ASSERTION_ISSUER_ALIAS, CLOSED_REALM, Client, DISABLED, FAILURES_BEFORE_LOCK,
    LIFE_SECONDS, LOCKED, LOCKING_REALM, MUST_CHANGE, MUTUAL_TLS_SUBJECT, REALM, SECURE_REALM, SHORT_LIFE_SECONDS, SHORT_REFRESH_SECONDS,
    User,
};
use crate::error::Error;
use crate::pki::{self, Pki};

/// Scopes that a client of the realm may ask for, and does not get unasked.
const OPTIONAL_SCOPES: [&str; 2] = ["orders.read", "orders.write"];

/// The realms by their names, as Keycloak's import format has them.
pub(crate) fn realms(pki: &Pki) -> Result<[(&'static str, Value); 4], Error> {
    Ok([(REALM, main_realm(pki)?), (LOCKING_REALM, locking_realm()), (CLOSED_REALM, closed_realm()), (SECURE_REALM, secure_realm())])
}

fn main_realm(pki: &Pki) -> Result<Value, Error> {
    let signing_certificate = pki::pem_body(&pki.read("signing.crt")?);
    let signing_key = pki::pem_body(&pki.read("signing.pub")?);
    Ok(json!({
        "realm": REALM,
        "enabled": true,
        // The plain http port is for tests that need no TLS.
        "sslRequired": "none",
        "revokeRefreshToken": true,
        "refreshTokenMaxReuse": 0,
        "accessTokenLifespan": LIFE_SECONDS,
        "users": users(),
        "clientScopes": client_scopes(),
        // Who may have offline tokens: the built-in scope has this too.
        "scopeMappings": [{"clientScope": "offline_access", "roles": ["offline_access"]}],
        "identityProviders": [assertion_issuer(&signing_key)],
        "clients": clients(&signing_certificate),
    }))
}

/// Locks for an hour, however soon one failure follows the other.
fn locking_realm() -> Value {
    let client = confidential(&accounts::ROPC, json!({"directAccessGrantsEnabled": true}));
    let settings = json!({
        "enabled": true,
        "bruteForceProtected": true,
        "failureFactor": FAILURES_BEFORE_LOCK,
        "waitIncrementSeconds": 3600,
        "maxFailureWaitSeconds": 3600,
        "users": [user(&LOCKED)],
    });
    merged(small_realm(LOCKING_REALM, &client), settings)
}

fn closed_realm() -> Value {
    merged(service_realm(CLOSED_REALM), json!({"enabled": false}))
}

fn secure_realm() -> Value {
    merged(service_realm(SECURE_REALM), json!({"enabled": true, "sslRequired": "all"}))
}

fn service_realm(name: &str) -> Value {
    small_realm(name, &confidential(&accounts::CC, json!({"serviceAccountsEnabled": true})))
}

fn small_realm(name: &str, client: &Value) -> Value {
    json!({"realm": name, "sslRequired": "none", "clientScopes": client_scopes(), "clients": [client]})
}

fn users() -> Value {
    let alice = merged(
        user(&ALICE),
        json!({"federatedIdentities": [
            {"identityProvider": ASSERTION_ISSUER_ALIAS, "userId": ALICE_AT_ASSERTION_ISSUER, "userName": ALICE.name}
        ]}),
    );
    let disabled = merged(user(&DISABLED), json!({"enabled": false}));
    let must_change = merged(user(&MUST_CHANGE), json!({"requiredActions": ["UPDATE_PASSWORD"]}));
    json!([alice, disabled, must_change])
}

/// A complete profile: Keycloak refuses the password grant ("Account is not fully set up") to a user without one.
fn user(user: &User) -> Value {
    json!({
        "username": user.name,
        "enabled": true,
        "emailVerified": true,
        "email": format!("{}@example.test", user.name),
        "firstName": user.name,
        "lastName": "Test",
        // An import does not give the default roles.
        "realmRoles": ["offline_access"],
        "credentials": [{"type": "password", "value": user.password, "temporary": false}],
    })
}

/// An import that names scopes gets no built-in ones: `basic` (the `sub` claim) and `offline_access` are named too.
fn client_scopes() -> Value {
    let optional = OPTIONAL_SCOPES.map(|name| scope(name, true));
    let subject = json!({
        "name": "sub", "protocol": "openid-connect", "protocolMapper": "oidc-sub-mapper",
        "config": {"access.token.claim": "true", "introspection.token.claim": "true"},
    });
    let basic = merged(scope("basic", false), json!({"protocolMappers": [subject]}));
    let mut scopes = vec![basic, scope("offline_access", true)];
    scopes.extend(optional);
    Value::from(scopes)
}

fn scope(name: &str, is_shown: bool) -> Value {
    json!({"name": name, "protocol": "openid-connect", "attributes": {"include.in.token.scope": is_shown.to_string()}})
}

fn assertion_issuer(signing_key: &str) -> Value {
    json!({
        "alias": ASSERTION_ISSUER_ALIAS,
        "providerId": "jwt-authorization-grant",
        "enabled": true,
        "config": {
            "issuer": ASSERTION_ISSUER,
            "useJwksUrl": "false",
            "publicKeySignatureVerifier": signing_key,
            "jwtAuthorizationGrantEnabled": "true",
        },
    })
}

fn clients(signing_certificate: &str) -> Value {
    let mut all = clients_with_secrets();
    all.extend(clients_with_keys(signing_certificate));
    Value::from(all)
}

fn clients_with_secrets() -> Vec<Value> {
    let service = json!({"serviceAccountsEnabled": true});
    let password = json!({"directAccessGrantsEnabled": true});
    let short = json!({"attributes": {"access.token.lifespan": SHORT_LIFE_SECONDS.to_string()}});
    let short_refresh = json!({"attributes": {"client.session.idle.timeout": SHORT_REFRESH_SECONDS.to_string()}});
    let consent = json!({"consentRequired": true});
    let assertion = json!({"attributes": {
        "oauth2.jwt.authorization.grant.enabled": "true",
        "oauth2.jwt.authorization.grant.idp": ASSERTION_ISSUER_ALIAS,
    }});
    let exchange = json!({"attributes": {"standard.token.exchange.enabled": "true"}});
    vec![
        confidential(&accounts::CC, merged(service.clone(), json!({"optionalClientScopes": OPTIONAL_SCOPES}))),
        confidential(&accounts::CC_SHORT, merged(service.clone(), short)),
        confidential(&accounts::SPECIAL, service.clone()),
        confidential(&accounts::ROPC, merged(password.clone(), json!({"optionalClientScopes": ["offline_access"]}))),
        confidential(&accounts::ROPC_SHORT, merged(password.clone(), short_refresh)),
        confidential(&accounts::CONSENT, merged(password.clone(), consent)),
        client(&accounts::ROPC_PUBLIC, merged(password, json!({"publicClient": true}))),
        confidential(&accounts::TOKEN_EXCHANGE, merged(service.clone(), exchange)),
        confidential(&accounts::OFF, merged(service, json!({"enabled": false}))),
        confidential(&accounts::NO_SERVICE_ACCOUNT, json!({})),
        confidential(&accounts::JWT_BEARER, assertion),
    ]
}

fn clients_with_keys(signing_certificate: &str) -> Vec<Value> {
    let private_key = json!({"token.endpoint.auth.signing.alg": "RS256", "jwt.credential.certificate": signing_certificate});
    let shared_key = json!({"token.endpoint.auth.signing.alg": "HS256"});
    let certificate = json!({
        "x509.subjectdn": format!("CN={MUTUAL_TLS_SUBJECT}"),
        "x509.casubjectdn": format!("CN={}", pki::CA_SUBJECT),
        "x509.allow.regex.pattern.comparison": "false",
        "tls.client.certificate.bound.access.tokens": "true",
    });
    let with_shared_key = authenticated(&accounts::CLIENT_SECRET_JWT, "client-secret-jwt", &shared_key);
    vec![
        authenticated(&accounts::PRIVATE_KEY_JWT, "client-jwt", &private_key),
        merged(with_shared_key, json!({"secret": accounts::CLIENT_SECRET_JWT.secret})),
        authenticated(&accounts::MUTUAL_TLS, "client-x509", &certificate),
    ]
}

/// A client for which every flow is off that `settings` does not switch on.
fn client(client: &Client, settings: Value) -> Value {
    let base = json!({
        "clientId": client.id,
        "protocol": "openid-connect",
        "enabled": true,
        "publicClient": false,
        "standardFlowEnabled": false,
        "implicitFlowEnabled": false,
        "directAccessGrantsEnabled": false,
        "serviceAccountsEnabled": false,
        "fullScopeAllowed": false,
        "defaultClientScopes": ["basic"],
    });
    merged(base, settings)
}

fn confidential(of: &Client, settings: Value) -> Value {
    merged(client(of, settings), json!({"secret": of.secret}))
}

fn authenticated(of: &Client, authenticator: &str, attributes: &Value) -> Value {
    let settings = json!({"serviceAccountsEnabled": true, "clientAuthenticatorType": authenticator, "attributes": attributes});
    client(of, settings)
}

/// `base` with the entries of `more`, which win.
fn merged(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}
