//! The token request: where it goes, by which grant, for which scopes, with which extra parts, over which network.

use http::{HeaderName, HeaderValue};
use serde_json::json;

use super::authentication::Authentication;
use super::draft::Draft;
use super::error::ImportError;
use crate::oauth::endpoint::{EndpointError, TokenEndpoint, UrlType};
use crate::oauth::request::{RESERVED_HEADERS, RESERVED_PARAMETERS};

const URL: &str = "tokenServiceURL";
const URL_TYPE: &str = "tokenServiceURLType";
const PROXY_TYPE: &str = "ProxyType";
const TOKEN_PROXY_TYPE: &str = "tokenServiceURL.ProxyType";

/// What the Destination service takes where a time-out is out of range.
const TIMEOUT_DEFAULT: &str = "10s";

/// `tokenServiceURL` and `tokenServiceURLType`.
pub(super) fn endpoint(draft: &mut Draft, tenant: Option<&str>) -> Result<(), ImportError> {
    let url = draft.take(URL).ok_or(ImportError::Missing { property: URL, fix: "add the URL of the token endpoint" })?;
    let url = url.trim();
    let common = is_common(draft)?;
    let url_type = match (common, tenant) {
        (false, _) => UrlType::Dedicated,
        (true, Some(tenant)) => UrlType::Common { tenant },
        (true, None) => return Err(ImportError::NeedsTenant),
    };
    TokenEndpoint::parse(url, url_type, true).map_err(|error| {
        if error == EndpointError::Tenant { ImportError::BadName { flag: "tenant", max: 63 } } else { ImportError::TokenUrl(error) }
    })?;
    draft.set(&["tokenURL"], url);
    draft.report.carried(URL, "spec.tokenURL");
    if url.starts_with("http:") {
        draft.report.todo("tokenServiceURL is plain http, which the operator refuses unless it runs with --allow-http: use https");
    }
    match (common, tenant) {
        (true, tenant) => draft.set(&["tenant"], tenant),
        (false, Some(_)) => draft.report.note("--tenant was not used: tokenServiceURLType is not Common"),
        (false, None) => {}
    }
    Ok(())
}

fn is_common(draft: &mut Draft) -> Result<bool, ImportError> {
    let exchange = draft.authentication == Authentication::TokenExchange;
    match draft.take(URL_TYPE).as_deref().map(str::trim) {
        None => Ok(false),
        Some("Common") if exchange => {
            draft.report.left_out(URL_TYPE, "OAuth2TokenExchange takes its token URL as it is");
            Ok(false)
        }
        Some(known @ ("Common" | "Dedicated")) => {
            draft.set(&["tokenURLType"], known);
            draft.report.carried(URL_TYPE, format!("spec.tokenURLType: {known}"));
            Ok(known == "Common")
        }
        Some(_) => Err(ImportError::Invalid { property: URL_TYPE, problem: "must be Dedicated or Common" }),
    }
}

/// `Authentication`, and the credentials that are the grant's.
pub(super) fn grant(draft: &mut Draft) -> Result<(), ImportError> {
    let authentication = draft.authentication;
    let grant = authentication.grant_type();
    draft.set(&["grant", "type"], grant);
    let carried = format!("spec.grant.type: {grant}");
    if draft.take("Authentication").is_some() {
        draft.report.carried("Authentication", carried);
    }
    match authentication {
        Authentication::ClientCredentials | Authentication::TechnicalUserPropagation => {}
        Authentication::Password => user(draft)?,
        Authentication::JwtBearer => assertion(draft, "the caller's token (a JWT)"),
        Authentication::UserTokenExchange => {
            assertion(draft, "the user's token (a JWT)");
            draft.report.note("the two steps of OAuth2UserTokenExchange have no counterpart: XSUAA's JWTBearer grant does the same in one");
        }
        Authentication::SamlBearer => assertion(draft, "a SAML 2.0 assertion, which the Destination service would make itself"),
        Authentication::TokenExchange => {
            assertion(draft, "the subject token");
            draft.set(&["grant", "subjectTokenType"], "urn:ietf:params:oauth:token-type:access_token");
            draft.report.todo(
                "set spec.grant.subjectTokenType to what callers sent as X-Subject-Token-Type, if the subject token is no access token",
            );
        }
        Authentication::RefreshToken => {
            draft.name_key("refreshToken", "refresh_token");
            draft.placeholder("refresh_token", "callers sent the refresh token with each call");
        }
    }
    Ok(())
}

fn user(draft: &mut Draft) -> Result<(), ImportError> {
    if !draft.credential("User", "username") {
        return Err(ImportError::Missing { property: "User", fix: "OAuth2Password needs the user's name" });
    }
    if !draft.credential("Password", "password") {
        draft.placeholder("password", "the export has no Password");
    }
    Ok(())
}

fn assertion(draft: &mut Draft, what: &str) {
    let name = format!("{}-assertion", draft.name);
    draft.set(&["grant", "assertion"], json!({"secretKeyRef": {"name": name, "key": "assertion"}}));
    draft.report.todo(format!(
        "a destination gets {what} with each call, and a TokenSource needs a source of it: create Secret {name} with key assertion, or name a tokenSourceRef, serviceAccountRef or signedJWT in spec.grant.assertion"
    ));
}

/// `scope`: split at blanks, in order, in its letter case (RFC 6749 §3.3).
pub(super) fn scopes(draft: &mut Draft) {
    if let Some(scope) = draft.take("scope") {
        let scopes: Vec<&str> = scope.split_ascii_whitespace().collect();
        draft.set(&["scopes"], scopes);
        draft.report.carried("scope", "spec.scopes");
    }
}

/// `tokenServiceURL.headers.…`, `tokenServiceURL.queries.…` and `tokenService.body.…`.
pub(super) fn extra_parts(draft: &mut Draft) {
    for (prefix, part) in [("tokenServiceURL.headers.", "headers"), ("tokenServiceURL.queries.", "query"), ("tokenService.body.", "body")] {
        for (property, key, value) in draft.take_group(prefix) {
            let obstacle = if part == "headers" { header_obstacle(&key, &value) } else { parameter_obstacle(draft, &key) };
            if let Some(why) = obstacle {
                draft.report.left_out(&property, why);
            } else {
                draft.report.carried(&property, format!("spec.request.{part}, in the clear"));
                draft.set(&["request", part, &key], value);
            }
        }
    }
}

fn header_obstacle(name: &str, value: &str) -> Option<&'static str> {
    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        (Err(_), _) => Some("is no header name (RFC 9110 section 5.1)"),
        (_, Err(_)) => Some("its value holds characters that a header can't carry"),
        (Ok(name), Ok(_)) if RESERVED_HEADERS.contains(&name.as_str()) => Some("the token request sets this header itself"),
        (Ok(_), Ok(_)) => None,
    }
}

fn parameter_obstacle(draft: &Draft, name: &str) -> Option<&'static str> {
    match name {
        "" => Some("has no parameter's name after the last dot"),
        "scope" if draft.has("scopes") => Some("spec.scopes sends this parameter"),
        name if RESERVED_PARAMETERS.contains(&name) => Some("the grant or the client authentication sends this parameter"),
        _ => None,
    }
}

/// `tokenServiceURL.ConnectionTimeoutInSeconds` (0 to 60) and `tokenServiceURL.SocketReadTimeoutInSeconds` (0 to 600).
pub(super) fn timeouts(draft: &mut Draft) {
    for (property, field, max) in [
        ("tokenServiceURL.ConnectionTimeoutInSeconds", "connectTimeout", 60),
        ("tokenServiceURL.SocketReadTimeoutInSeconds", "readTimeout", 600),
    ] {
        let Some(value) = draft.take(property) else {
            continue;
        };
        let seconds = value.trim().parse::<u16>().ok().filter(|seconds| *seconds <= max);
        let timeout = seconds.map_or_else(|| TIMEOUT_DEFAULT.to_owned(), |seconds| format!("{seconds}s"));
        let why =
            if seconds.is_none() { format!(": is not 0 to {max}, so the default, as in the Destination service") } else { String::new() };
        draft.report.carried(property, format!("spec.request.{field}: {timeout}{why}"));
        draft.set(&["request", field], timeout);
    }
}

/// `ProxyType`, and `tokenServiceURL.ProxyType`, which goes before it.
pub(super) fn proxy(draft: &mut Draft) {
    let whole = draft.take(PROXY_TYPE);
    let own = draft.take(TOKEN_PROXY_TYPE);
    if whole.is_some() && own.is_some() {
        draft.report.left_out(PROXY_TYPE, format!("is for the call to the target; for the token there is {TOKEN_PROXY_TYPE}"));
    } else if whole.is_some() && draft.authentication == Authentication::TechnicalUserPropagation {
        draft.report.left_out(PROXY_TYPE, "is for the call to the target; OAuth2TechnicalUserPropagation gets its token from the Internet");
        return;
    }
    let (property, kind) = match (own, whole) {
        (Some(kind), _) => (TOKEN_PROXY_TYPE, kind),
        (None, Some(kind)) => (PROXY_TYPE, kind),
        (None, None) => return,
    };
    if kind.trim() == "Internet" {
        draft.report.carried(property, "nothing to set: the token endpoint is reached directly");
        return;
    }
    draft.report.left_out(property, "the way to a token endpoint off the Internet is not in an export");
    draft
        .report
        .todo("the token endpoint is not on the Internet: set spec.request.proxyURL to a proxy that reaches it, if the cluster can't");
}

/// `TrustAll`, `TrustStoreLocation` and the like.
pub(super) fn trust(draft: &mut Draft) {
    const ADD: &str = "put the authorities' certificates (PEM) into a ConfigMap and name it in spec.tls.caBundle.configMapRef";
    if let Some(value) = draft.take("TrustAll") {
        let all = value.trim().eq_ignore_ascii_case("true");
        draft.report.left_out("TrustAll", "certificates are always verified");
        if all {
            draft.report.todo(format!("TrustAll has no counterpart: {ADD}, if the token endpoint's are not public ones"));
        }
    }
    if draft.take("TrustStoreLocation").is_some() {
        draft.report.left_out("TrustStoreLocation", "the file itself is not in the export");
        draft.report.todo(format!("the export has no trust store: {ADD}"));
    }
    for (property, why) in [
        ("TrustStorePassword", "certificates in PEM have no password"),
        ("TrustStore.Password", "certificates in PEM have no password"),
        ("HostnameVerifier", "host names are always verified"),
    ] {
        if draft.take_unread(property) {
            draft.report.left_out(property, why);
        }
    }
}
