//! Finds the credentials in the data of a Secret, under the keys that were named or the usual ones.

use secrecy::SecretString;

use super::binding::SecretData;
use super::failure::Failure;
use crate::api::assertion::AssertionSource;
use crate::api::client::ClientAuthenticationMethod;
use crate::api::condition::Reason;
use crate::api::credentials::CredentialKeys;
use crate::api::grant::GrantType;
use crate::api::v1alpha1::TokenSourceSpec;

/// What a token request needs to know that only the credentials Secret does.
#[derive(Debug, Clone)]
pub struct CredentialValues {
    /// The client id.
    pub client_id: String,
    /// The client secret, where the client authentication uses one.
    pub client_secret: Option<SecretString>,
    /// The client certificate, where the client authentication uses one.
    pub certificate: Option<Certificate>,
    /// The private key that assertions are signed with, where one is.
    pub signing_key: Option<SecretString>,
    /// The user, where the grant uses one.
    pub user: Option<User>,
    /// The first refresh token, where the grant uses one.
    pub refresh_token: Option<SecretString>,
    /// The token service's own Basic user, if there is one.
    pub basic_user: Option<(String, SecretString)>,
    /// The token URL, where the spec has none.
    pub token_url: Option<String>,
}

impl CredentialValues {
    /// What of this Secret and of the spec proves client and user. Assertions that are read from elsewhere come to it.
    pub fn proof(&self, spec: &TokenSourceSpec, namespace: &str) -> Proof {
        Proof {
            client: self.proof_of_the_client(client_assertion(spec), namespace),
            grant: self.proof_of_the_grant(spec.grant.assertion.as_deref(), namespace),
        }
    }

    fn proof_of_the_client(&self, assertion: Option<&AssertionSource>, namespace: &str) -> Vec<SecretString> {
        let mut proof: Vec<SecretString> = [&self.client_secret, &self.signing_key].into_iter().flatten().cloned().collect();
        match &self.certificate {
            Some(Certificate::Pem { certificate, key }) => proof.extend([certificate.clone(), key.clone()]),
            Some(Certificate::KeyStore { base64, password }) => proof.extend([base64.clone(), password.clone()]),
            None => {}
        }
        if let Some((name, password)) = &self.basic_user {
            proof.extend([name.clone().into(), password.clone()]);
        }
        proof.extend(assertion.and_then(|source| service_account(source, namespace)));
        proof
    }

    fn proof_of_the_grant(&self, assertion: Option<&AssertionSource>, namespace: &str) -> Vec<SecretString> {
        let mut proof: Vec<SecretString> = self.refresh_token.iter().cloned().collect();
        if let Some(user) = &self.user {
            proof.extend([user.name.clone().into(), user.password.clone()]);
            proof.extend(user.totp_secret.clone());
        }
        proof.extend(assertion.and_then(|source| service_account(source, namespace)));
        proof
    }
}

/// All that proves client and user and stays the same from one attempt to the next: what the lock-out ledger knows
/// credentials by.
#[derive(Debug, Clone)]
pub struct Proof {
    /// What proves the client.
    pub client: Vec<SecretString>,
    /// What the grant presents beside it: a user, an assertion, a refresh token.
    pub grant: Vec<SecretString>,
}

impl Proof {
    /// Client and grant together.
    pub fn whole(&self) -> impl Iterator<Item = &SecretString> {
        self.client.iter().chain(&self.grant)
    }
}

/// A ServiceAccount is known by its name, since its tokens are fresh each time.
fn service_account(source: &AssertionSource, namespace: &str) -> Option<SecretString> {
    source.service_account_ref.as_ref().map(|account| format!("ServiceAccount {namespace}/{}", account.name).into())
}

/// A resource owner.
#[derive(Debug, Clone)]
pub struct User {
    /// The user name.
    pub name: String,
    /// The password.
    pub password: SecretString,
    /// The secret of one-time codes, where the user has a second factor.
    pub totp_secret: Option<SecretString>,
}

/// A client certificate as it lies in the Secret.
#[derive(Debug, Clone)]
pub enum Certificate {
    /// PEM certificate (with its chain) and private key.
    Pem {
        /// The certificate.
        certificate: SecretString,
        /// Its private key.
        key: SecretString,
    },
    /// A PKCS#12 key store.
    KeyStore {
        /// Its bytes, Base64-encoded so that they are zeroised like any secret.
        base64: SecretString,
        /// Its password.
        password: SecretString,
    },
}

const CLIENT_ID: [&str; 5] = ["client_id", "clientId", "clientid", "clientID", "client-id"];
const CLIENT_SECRET: [&str; 4] = ["client_secret", "clientSecret", "clientsecret", "client-secret"];
const USERNAME: [&str; 4] = ["username", "userName", "user", "user_name"];
const PASSWORD: [&str; 1] = ["password"];
const TOTP_SECRET: [&str; 2] = ["totpSecret", "totp_secret"];
const CERTIFICATE: [&str; 2] = ["tls.crt", "certificate"];
const PRIVATE_KEY: [&str; 4] = ["tls.key", "key", "privateKey", "private_key"];
const KEYSTORE: [&str; 3] = ["keystore", "keystore.p12", "keystore.pfx"];
const KEYSTORE_PASSWORD: [&str; 2] = ["keystorePassword", "keystore_password"];
const REFRESH_TOKEN: [&str; 2] = ["refresh_token", "refreshToken"];
const BASIC_USERNAME: [&str; 1] = ["basicUsername"];
const BASIC_PASSWORD: [&str; 1] = ["basicPassword"];
const TOKEN_URL: [&str; 4] = ["token_url", "tokenURL", "tokenUrl", "token_endpoint"];

/// Finds what the spec's grant and client authentication need. `secret` is absent where the spec names none.
pub fn find(spec: &TokenSourceSpec, secret: Option<&SecretData<'_>>) -> Result<CredentialValues, Failure> {
    let default_keys = CredentialKeys::default();
    let keys = spec.credentials.as_ref().map_or(&default_keys, |credentials| &credentials.keys);
    let reader = Reader { secret, keys };
    let method = spec.client_authentication.method;
    let basic_user = reader.basic_user()?;
    Ok(CredentialValues {
        client_id: spec.client_id.clone().map_or_else(|| reader.text("clientID", keys.client_id.as_deref(), &CLIENT_ID), Ok)?,
        client_secret: match method {
            // The header then holds the token service's own user instead of the client (SAP BTP Destination).
            ClientAuthenticationMethod::Basic if basic_user.is_some() => None,
            ClientAuthenticationMethod::Body | ClientAuthenticationMethod::Basic => {
                Some(reader.secret("clientSecret", keys.client_secret.as_deref(), &CLIENT_SECRET)?)
            }
            ClientAuthenticationMethod::MutualTls | ClientAuthenticationMethod::ClientAssertion | ClientAuthenticationMethod::None => None,
        },
        certificate: (method == ClientAuthenticationMethod::MutualTls).then(|| reader.certificate()).transpose()?,
        signing_key: signs(spec).then(|| reader.secret("privateKey", keys.private_key.as_deref(), &PRIVATE_KEY)).transpose()?,
        user: (spec.grant.grant_type == GrantType::Password).then(|| reader.user()).transpose()?,
        refresh_token: (spec.grant.grant_type == GrantType::RefreshToken)
            .then(|| reader.secret("refreshToken", keys.refresh_token.as_deref(), &REFRESH_TOKEN))
            .transpose()?,
        basic_user,
        token_url: spec.token_url.is_none().then(|| reader.token_url(method)).transpose()?,
    })
}

fn signs(spec: &TokenSourceSpec) -> bool {
    client_assertion(spec).into_iter().chain(spec.grant.assertion.as_deref()).any(|source| source.signed_jwt.is_some())
}

fn client_assertion(spec: &TokenSourceSpec) -> Option<&AssertionSource> {
    spec.client_authentication.assertion.as_ref().map(|assertion| &assertion.source)
}

/// Reads values out of the Secret, and names what is missing.
struct Reader<'a> {
    secret: Option<&'a SecretData<'a>>,
    keys: &'a CredentialKeys,
}

impl Reader<'_> {
    fn user(&self) -> Result<User, Failure> {
        Ok(User {
            name: self.text("username", self.keys.username.as_deref(), &USERNAME)?,
            password: self.secret("password", self.keys.password.as_deref(), &PASSWORD)?,
            totp_secret: self.optional("totpSecret", self.keys.totp_secret.as_deref(), &TOTP_SECRET)?.map(Into::into),
        })
    }

    fn certificate(&self) -> Result<Certificate, Failure> {
        let keys = self.keys;
        let named = keys.keystore.is_some();
        let bytes = self.bytes("keystore", keys.keystore.as_deref(), &KEYSTORE);
        if let (true, Err(missing)) = (named, &bytes) {
            return Err(missing.clone());
        }
        if let Ok((_, bytes)) = bytes {
            let password = self.optional("keystorePassword", keys.keystore_password.as_deref(), &KEYSTORE_PASSWORD)?;
            let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes).into();
            return Ok(Certificate::KeyStore { base64, password: password.unwrap_or_default().into() });
        }
        Ok(Certificate::Pem {
            certificate: self.secret("certificate", keys.certificate.as_deref(), &CERTIFICATE)?,
            key: self.secret("privateKey", keys.private_key.as_deref(), &PRIVATE_KEY)?,
        })
    }

    /// Both of name and password, or neither.
    fn basic_user(&self) -> Result<Option<(String, SecretString)>, Failure> {
        let keys = self.keys;
        let Some(name) = self.optional("basicUsername", keys.basic_username.as_deref(), &BASIC_USERNAME)? else {
            return Ok(None);
        };
        Ok(Some((name, self.secret("basicPassword", keys.basic_password.as_deref(), &BASIC_PASSWORD)?)))
    }

    fn token_url(&self, method: ClientAuthenticationMethod) -> Result<String, Failure> {
        if let Some(url) = self.optional("tokenURL", self.keys.token_url.as_deref(), &TOKEN_URL)? {
            return Ok(url.trim().to_owned());
        }
        let by_certificate = method == ClientAuthenticationMethod::MutualTls;
        let derived = self.secret.and_then(|secret| secret.derived_token_url(by_certificate));
        derived.ok_or_else(|| missing("tokenURL", "neither spec.tokenURL nor a service binding's url names the token endpoint"))
    }

    fn secret(&self, what: &str, named: Option<&str>, usual: &[&str]) -> Result<SecretString, Failure> {
        self.text(what, named, usual).map(Into::into)
    }

    fn text(&self, what: &str, named: Option<&str>, usual: &[&str]) -> Result<String, Failure> {
        let (key, bytes) = self.bytes(what, named, usual)?;
        let name = self.secret.map(|secret| secret.name).unwrap_or_default();
        match String::from_utf8(bytes) {
            Ok(text) if text.is_empty() => Err(missing(what, &format!("key {key} of Secret {name} is empty"))),
            Ok(text) => Ok(text),
            Err(_) => Err(missing(what, &format!("key {key} of Secret {name} is not UTF-8 text"))),
        }
    }

    /// What may be missing, unless its key was named.
    fn optional(&self, what: &str, named: Option<&str>, usual: &[&str]) -> Result<Option<String>, Failure> {
        let is_there = self.secret.is_some_and(|secret| secret.first(usual).is_some());
        if named.is_some() || is_there { self.text(what, named, usual).map(Some) } else { Ok(None) }
    }

    fn bytes(&self, what: &str, named: Option<&str>, usual: &[&str]) -> Result<(String, Vec<u8>), Failure> {
        let secret = self.secret.ok_or_else(|| missing(what, "spec.credentials names no Secret"))?;
        let found = match named {
            Some(key) => secret.bytes(key).map(|bytes| (key, bytes)),
            None => secret.first(usual),
        };
        let looked_for = || named.map_or_else(|| usual.join(", "), ToOwned::to_owned);
        let (key, bytes) = found.ok_or_else(|| missing(what, &format!("Secret {} has no key {}", secret.name, looked_for())))?;
        Ok((key.to_owned(), bytes))
    }
}

fn missing(what: &str, why: &str) -> Failure {
    Failure::local(Reason::CredentialsIncomplete, format!("no {what}: {why} (spec.credentials.keys.{what} can name another)"))
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
