//! The UAA's configuration file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::accounts::{
    self, ALICE, ASSERTION_ISSUER, ASSERTION_ISSUER_ALIAS, Client, LIFE_SECONDS, SAML_AUDIENCE, SAML_ISSUER, SHORT_LIFE_SECONDS,
    SHORT_REFRESH_SECONDS,
};
use crate::error::Error;
use crate::pki::{self, Pki};
use crate::yaml;

/// What a browser would be sent to; no test uses a browser, and nothing listens on port 9.
const NOWHERE: &str = "http://127.0.0.1:9";
const NAME_ID: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const USER_SCOPES: &str = "openid,uaa.user,api.read";

/// `uaa.yml` for a UAA at `url`.
pub(crate) fn document(url: &str, pki: &Pki) -> Result<String, Error> {
    Ok(yaml::document(&json!({
        "spring_profiles": "default,hsqldb",
        "issuer": {"uri": url},
        "require_https": false,
        "zones": {"internal": {"hostnames": ["127.0.0.1"]}},
        "encryption": {"active_key_label": "k1", "encryption_keys": [{"label": "k1", "passphrase": "test-only-passphrase"}]},
        "LOGIN_SECRET": "loginsecret",
        "jwt": {"token": {
            "policy": {"accessTokenValiditySeconds": LIFE_SECONDS, "global": {"accessTokenValiditySeconds": LIFE_SECONDS}},
            "signing-key": pkcs1_pem(&pki.read(&format!("{}.key", Pki::UAA_TOKEN))?),
        }},
        "login": login(url, pki)?,
        "oauth": {"user": {"authorities": USER_SCOPES.split(',').collect::<Vec<_>>()}, "clients": clients()},
        "scim": {
            "groups": {"api.read": "read", "uaa.user": "user"},
            "users": [format!("{0}|{1}|{0}@example.test|Al|Ice|uaa.user,api.read", ALICE.name, ALICE.password)],
        },
    })))
}

fn login(url: &str, pki: &Pki) -> Result<Value, Error> {
    Ok(json!({
        "url": url,
        "entityBaseURL": url,
        "entityID": SAML_AUDIENCE,
        "serviceProviderKey": pkcs1_pem(&pki.read(&format!("{}.key", Pki::UAA_SP))?),
        "serviceProviderKeyPassword": "",
        "serviceProviderCertificate": pki.read(&format!("{}.crt", Pki::UAA_SP))?,
        "saml": {
            "entityIDAlias": SAML_AUDIENCE,
            "nameID": NAME_ID,
            "providers": {SAML_ISSUER: saml_provider(&pki.read(&format!("{}.crt", Pki::SAML_IDP))?)},
        },
        "oauth": {"providers": {ASSERTION_ISSUER_ALIAS: assertion_issuer(&pki.read(&format!("{}.pub", Pki::SIGNING))?)}},
    }))
}

fn saml_provider(certificate: &str) -> Value {
    let certificate = pki::pem_body(certificate);
    let metadata = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{SAML_ISSUER}\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
         <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
         <md:NameIDFormat>{NAME_ID}</md:NameIDFormat>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{NOWHERE}/sso\"/>\
         </md:IDPSSODescriptor></md:EntityDescriptor>"
    );
    json!({
        "idpMetadata": metadata,
        "nameID": NAME_ID,
        "assertionConsumerIndex": 0,
        "metadataTrustCheck": false,
        "showSamlLoginLink": false,
        "linkText": SAML_ISSUER,
        "addShadowUserOnLogin": true,
    })
}

fn assertion_issuer(public_key: &str) -> Value {
    json!({
        "type": "oidc1.0",
        "authUrl": format!("{NOWHERE}/auth"),
        "tokenUrl": format!("{NOWHERE}/token"),
        "issuer": ASSERTION_ISSUER,
        "scopes": ["openid"],
        "linkText": ASSERTION_ISSUER_ALIAS,
        "showLinkText": false,
        "addShadowUserOnLogin": true,
        // The audience that its assertions must name.
        "relyingPartyId": accounts::JWT_BEARER.id,
        "relyingPartySecret": "unused",
        "attributeMappings": {"user_name": "sub"},
        "tokenKey": public_key,
    })
}

fn clients() -> Value {
    let life = json!({"access-token-validity": LIFE_SECONDS});
    let assertion = json!({"scope": USER_SCOPES, "authorities": "uaa.none"});
    let short_refresh = merged(&life, &json!({"refresh-token-validity": SHORT_REFRESH_SECONDS}));
    let other_provider = json!({"allowedproviders": ["ldap"]});
    let all = [
        client(&accounts::CC, "client_credentials", &json!({"authorities": "api.read,api.write", "access-token-validity": LIFE_SECONDS})),
        client(&accounts::CC_SHORT, "client_credentials", &json!({"authorities": "api.read", "access-token-validity": SHORT_LIFE_SECONDS})),
        client(&accounts::SPECIAL, "client_credentials", &json!({"authorities": "api.read"})),
        client(&accounts::ROPC, "password,refresh_token", &merged(&assertion, &life)),
        client(&accounts::ROPC_SHORT, "password,refresh_token", &merged(&assertion, &short_refresh)),
        client(&accounts::OTHER_PROVIDER, "password", &merged(&assertion, &other_provider)),
        client(&accounts::ROPC_PUBLIC, "password", &json!({"scope": "openid,uaa.user", "authorities": "uaa.none"})),
        client(&accounts::JWT_BEARER, "urn:ietf:params:oauth:grant-type:jwt-bearer", &assertion),
        client(&accounts::SAML_BEARER, "urn:ietf:params:oauth:grant-type:saml2-bearer", &assertion),
    ];
    Value::Object(all.into_iter().collect::<Map<_, _>>())
}

fn client(client: &Client, grants: &str, settings: &Value) -> (String, Value) {
    let base = json!({"id": client.id, "secret": client.secret, "authorized-grant-types": grants});
    (client.id.to_owned(), merged(&base, settings))
}

fn merged(base: &Value, more: &Value) -> Value {
    let entries = [base, more].into_iter().filter_map(Value::as_object).flatten();
    Value::Object(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The UAA reads PKCS#1 only. A PKCS#8 key of RSA is a header of 26 bytes, constant for 2048 bits, around a PKCS#1 key.
fn pkcs1_pem(pkcs8_pem: &str) -> String {
    const HEADER: usize = 26;
    let der = STANDARD.decode(pki::pem_body(pkcs8_pem)).unwrap_or_default();
    let text = STANDARD.encode(der.get(HEADER..).unwrap_or_default());
    let mut pem = String::from("-----BEGIN RSA PRIVATE KEY-----\n");
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END RSA PRIVATE KEY-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pkcs1_key_starts_with_version_and_a_modulus_of_2048_bits() {
        let pem = pkcs1_pem(&pki::rsa_key().unwrap().serialize_pem());
        let der = STANDARD.decode(pki::pem_body(&pem)).unwrap();
        // SEQUENCE (long length), INTEGER 0, INTEGER of 257 bytes with a leading zero.
        assert_eq!((der[0], &der[4..12]), (0x30, [0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x01, 0x00].as_slice()));
        assert_eq!(usize::from(der[2]) << 8 | usize::from(der[3]), der.len() - 4);
        assert!(pem.lines().all(|line| line.len() <= 64));
    }
}
