//! Finds the credentials in the data of a Secret, under the keys that were named or the usual ones.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::SecretString;

use super::failure::Failure;
use crate::api::condition::Reason;
use crate::api::v1alpha1::{ClientAuthenticationMethod, CredentialKeys, GrantType, TokenSourceSpec};

/// What a token request needs to know that only the credentials Secret does.
#[derive(Debug, Clone)]
pub struct CredentialValues {
    /// The client id.
    pub client_id: String,
    /// The client secret, where the client authentication uses one.
    pub client_secret: Option<SecretString>,
    /// User name and password, where the grant uses them.
    pub user: Option<(String, SecretString)>,
}

const CLIENT_ID_KEYS: [&str; 5] = ["client_id", "clientId", "clientid", "clientID", "client-id"];
const CLIENT_SECRET_KEYS: [&str; 4] = ["client_secret", "clientSecret", "clientsecret", "client-secret"];
const USERNAME_KEYS: [&str; 4] = ["username", "userName", "user", "user_name"];
const PASSWORD_KEYS: [&str; 1] = ["password"];

/// The data of one Secret, with its name for messages.
#[derive(Clone, Copy)]
pub struct SecretData<'a> {
    /// The Secret's name.
    pub name: &'a str,
    /// Its data.
    pub data: &'a BTreeMap<String, ByteString>,
}

/// Finds what the spec's grant and client authentication need. `secret` is absent where the spec names none.
pub fn find(spec: &TokenSourceSpec, secret: Option<SecretData<'_>>) -> Result<CredentialValues, Failure> {
    let default_keys = CredentialKeys::default();
    let keys = spec.credentials.as_ref().map_or(&default_keys, |credentials| &credentials.keys);
    let value = |what, named: &Option<String>, usual: &[&str]| {
        let secret = secret.ok_or_else(|| missing(what, "spec.credentials names no Secret"))?;
        find_value(secret, what, named.as_deref(), usual)
    };
    let client_id = match &spec.client_id {
        Some(id) => id.clone(),
        None => value("clientID", &keys.client_id, &CLIENT_ID_KEYS)?,
    };
    let client_secret = match spec.client_authentication.method {
        ClientAuthenticationMethod::Body | ClientAuthenticationMethod::Basic => {
            Some(value("clientSecret", &keys.client_secret, &CLIENT_SECRET_KEYS)?.into())
        }
        ClientAuthenticationMethod::None => None,
    };
    let user = match spec.grant.grant_type {
        GrantType::Password => {
            let username = value("username", &keys.username, &USERNAME_KEYS)?;
            Some((username, value("password", &keys.password, &PASSWORD_KEYS)?.into()))
        }
        GrantType::ClientCredentials => None,
    };
    Ok(CredentialValues { client_id, client_secret, user })
}

fn find_value(secret: SecretData<'_>, what: &str, named: Option<&str>, usual: &[&str]) -> Result<String, Failure> {
    let SecretData { name, data } = secret;
    let found = match named {
        Some(key) => data.get(key).map(|bytes| (key, bytes)),
        None => usual.iter().find_map(|key| data.get(*key).map(|bytes| (*key, bytes))),
    };
    let Some((key, ByteString(bytes))) = found else {
        let looked_for = named.map_or_else(|| usual.join(", "), ToOwned::to_owned);
        return Err(missing(what, &format!("Secret {name} has no key {looked_for}")));
    };
    match String::from_utf8(bytes.clone()) {
        Ok(text) if text.is_empty() => Err(missing(what, &format!("key {key} of Secret {name} is empty"))),
        Ok(text) => Ok(text),
        Err(_) => Err(missing(what, &format!("key {key} of Secret {name} is not UTF-8 text"))),
    }
}

fn missing(what: &str, why: &str) -> Failure {
    Failure::local(Reason::CredentialsIncomplete, format!("no {what}: {why} (spec.credentials.keys.{what} can name another)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn spec(json: serde_json::Value) -> TokenSourceSpec {
        let mut spec = json;
        spec["tokenURL"] = "https://auth.example.com/token".into();
        serde_json::from_value(spec).unwrap()
    }

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec()))).collect()
    }

    fn found(spec: &TokenSourceSpec, pairs: &[(&str, &str)]) -> Result<CredentialValues, Failure> {
        find(spec, Some(SecretData { name: "creds", data: &data(pairs) }))
    }

    #[test]
    fn the_usual_key_names_are_found() {
        let spec = spec(serde_json::json!({"credentials": {"secretRef": {"name": "creds"}}}));
        for (id, secret) in [("client_id", "client_secret"), ("clientId", "clientSecret"), ("clientid", "clientsecret")] {
            let values = found(&spec, &[(id, "orders"), (secret, "s3cret")]).unwrap();
            assert_eq!(values.client_id, "orders");
            assert_eq!(values.client_secret.unwrap().expose_secret(), "s3cret");
            assert!(values.user.is_none());
        }
    }

    #[test]
    fn named_keys_go_before_usual_ones_and_the_spec_client_id_before_both() {
        let spec = spec(serde_json::json!({"clientID": "fixed", "grant": {"type": "Password"},
            "credentials": {"secretRef": {"name": "creds"}, "keys": {"clientSecret": "s", "password": "p"}}}));
        let values =
            found(&spec, &[("client_id", "other"), ("s", "one"), ("client_secret", "two"), ("user", "alice"), ("p", "pw")]).unwrap();
        assert_eq!(values.client_id, "fixed");
        assert_eq!(values.client_secret.unwrap().expose_secret(), "one");
        assert_eq!(values.user.unwrap().0, "alice");
    }

    #[test]
    fn what_is_missing_is_named_and_no_value_is_shown() {
        let spec = spec(serde_json::json!({"credentials": {"secretRef": {"name": "creds"}, "keys": {"clientSecret": "mine"}}}));
        for (pairs, expected) in [
            (vec![("client_secret", "hidden")], "Secret creds has no key client_id, clientId, clientid, clientID, client-id"),
            (vec![("client_id", "a"), ("client_secret", "hidden")], "Secret creds has no key mine"),
            (vec![("client_id", "a"), ("mine", "")], "key mine of Secret creds is empty"),
        ] {
            let failure = found(&spec, &pairs).unwrap_err();
            assert_eq!(failure.reason, Reason::CredentialsIncomplete);
            assert!(failure.message.contains(expected), "{}", failure.message);
            assert!(!failure.message.contains("hidden"));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let spec = spec(serde_json::json!({"credentials": {"secretRef": {"name": "creds"}}}));
        let data = BTreeMap::from([("client_id".to_owned(), ByteString(vec![0xff, 0xfe]))]);
        let failure = find(&spec, Some(SecretData { name: "creds", data: &data })).unwrap_err();
        assert!(failure.message.contains("is not UTF-8 text"));
    }

    #[test]
    fn a_public_client_needs_no_secret() {
        let spec = spec(serde_json::json!({"clientID": "public", "clientAuthentication": {"method": "None"}}));
        assert!(find(&spec, None).unwrap().client_secret.is_none());
    }
}
