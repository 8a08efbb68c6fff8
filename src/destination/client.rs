//! The client and how it authenticates: `clientId`, `clientSecret`, `tokenServiceUser`, `tokenService.KeyStore…`,
//! `clientAssertion.…`.

use serde_json::json;

use super::authentication::Authentication;
use super::draft::Draft;
use super::error::ImportError;
use super::names::{is_secret_key, kubernetes_name};

const ASSERTION_TYPE: &str = "clientAssertion.type";
const ASSERTION_DESTINATION: &str = "clientAssertion.destinationName";
const KEY_STORE: &str = "tokenService.KeyStoreLocation";
const KEY_STORE_PASSWORD: &str = "tokenService.KeyStorePassword";
const IN_BODY: &str = "tokenService.addClientCredentialsInBody";

/// How the client authenticates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Body,
    Basic,
    MutualTls,
    ClientAssertion,
    None,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "Body",
            Self::Basic => "Basic",
            Self::MutualTls => "MutualTLS",
            Self::ClientAssertion => "ClientAssertion",
            Self::None => "None",
        }
    }
}

pub(super) fn client(draft: &mut Draft) -> Result<(), ImportError> {
    client_id(draft)?;
    let basic_user = basic_user(draft)?;
    let secret = draft.credential("clientSecret", "client_secret");
    let stronger = match assertion(draft)? {
        Some(method) => {
            for property in [KEY_STORE, KEY_STORE_PASSWORD] {
                if draft.take_unread(property) {
                    draft.report.left_out(property, "the client authenticates by its assertion");
                }
            }
            Some(method)
        }
        None => key_store(draft),
    };
    let in_body = draft.take_bool(IN_BODY)?;
    let method = match stronger {
        Some(method) => method,
        None if in_body == Some(false) => Method::Basic,
        // The token service's own user vouches for a client that has no secret.
        None if !secret && basic_user => Method::None,
        None => Method::Body,
    };
    if in_body.is_some() {
        let into = format!("spec.clientAuthentication.method: {}", method.as_str());
        match (stronger.is_some(), basic_user && method == Method::Basic) {
            (true, _) => draft.report.left_out(IN_BODY, format!("the client authenticates by {}, without its secret", method.as_str())),
            (false, true) => draft.report.carried(IN_BODY, format!("{into}; tokenServiceUser goes before the client in the header")),
            (false, false) => draft.report.carried(IN_BODY, into),
        }
    }
    if !secret && !basic_user && matches!(method, Method::Body | Method::Basic) {
        draft.placeholder("client_secret", "the export has no clientSecret");
    }
    draft.set(&["clientAuthentication", "method"], method.as_str());
    Ok(())
}

/// `clientKey` is what `OAuth2SAMLBearerAssertion` calls the client id.
fn client_id(draft: &mut Draft) -> Result<(), ImportError> {
    let saml = draft.authentication == Authentication::SamlBearer;
    if draft.credential("clientId", "client_id") || (saml && draft.credential("clientKey", "client_id")) {
        return Ok(());
    }
    let property = if saml { "clientKey" } else { "clientId" };
    Err(ImportError::Missing { property, fix: "add the id of the OAuth client" })
}

/// The token service's own user goes into the `Authorization` header, before the client.
fn basic_user(draft: &mut Draft) -> Result<bool, ImportError> {
    let user = draft.credential("tokenServiceUser", "basicUsername");
    let password = draft.credential("tokenServicePassword", "basicPassword");
    match (user, password) {
        (false, false) => return Ok(false),
        (false, true) => return Err(ImportError::Missing { property: "tokenServiceUser", fix: "tokenServicePassword needs it" }),
        (true, false) => draft.placeholder("basicPassword", "the export has no tokenServicePassword"),
        (true, true) => {}
    }
    draft.name_key("basicUsername", "basicUsername");
    draft.name_key("basicPassword", "basicPassword");
    Ok(true)
}

/// The destination that *gives* an assertion has the type, the one that *uses* it has the name.
fn assertion(draft: &mut Draft) -> Result<Option<Method>, ImportError> {
    let kind = match draft.take(ASSERTION_TYPE).as_deref() {
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") => Some("JWTBearer"),
        Some("urn:ietf:params:oauth:client-assertion-type:saml2-bearer") => Some("SAML2Bearer"),
        Some(_) => {
            let problem = "must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer or …:saml2-bearer";
            return Err(ImportError::Invalid { property: ASSERTION_TYPE, problem });
        }
        None => None,
    };
    let Some(destination) = draft.take(ASSERTION_DESTINATION) else {
        if let Some(kind) = kind {
            let field = format!("spec.clientAuthentication.assertion.type: {kind}");
            draft.report.left_out(ASSERTION_TYPE, format!("says what others use this token as: there it is {field}"));
        }
        return Ok(None);
    };
    let source = kubernetes_name(&destination);
    draft.set(
        &["clientAuthentication", "assertion"],
        json!({"type": kind.unwrap_or("JWTBearer"), "tokenSourceRef": {"name": source.clone()}}),
    );
    draft.report.carried(ASSERTION_DESTINATION, format!("spec.clientAuthentication.assertion.tokenSourceRef.name: {source}"));
    draft
        .report
        .todo(format!("import the destination that {ASSERTION_DESTINATION} names too, into the same namespace, as TokenSource {source}"));
    match kind {
        Some(kind) => draft.report.carried(ASSERTION_TYPE, format!("spec.clientAuthentication.assertion.type: {kind}")),
        None => {
            draft
                .report
                .note("the assertion is taken for a JWT: set spec.clientAuthentication.assertion.type to SAML2Bearer if it is SAML");
        }
    }
    Ok(Some(Method::ClientAssertion))
}

/// The file of a key store is never in an export, only its name.
fn key_store(draft: &mut Draft) -> Option<Method> {
    let location = draft.take(KEY_STORE)?;
    let secret = draft.secret();
    let extension = location.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    if ["pem", "crt", "cer"].contains(&extension.as_str()) {
        draft.report.carried(KEY_STORE, "spec.clientAuthentication.method: MutualTLS; the file itself is not in the export");
        draft
            .report
            .todo(format!("add the client certificate as key tls.crt and its private key as key tls.key to Secret {secret}, both PEM"));
    } else {
        let key = if is_secret_key(&location) { location } else { "keystore".to_owned() };
        draft.report.carried(KEY_STORE, format!("spec.credentials.keys.keystore: {key}; the file itself is not in the export"));
        draft
            .report
            .todo(format!("add the key store as PKCS#12 (keytool -importkeystore converts a .jks) as key {key} to Secret {secret}"));
        draft.name_key("keystore", &key);
    }
    if draft.credential(KEY_STORE_PASSWORD, "keystorePassword") {
        draft.name_key("keystorePassword", "keystorePassword");
    }
    Some(Method::MutualTls)
}
