//! A destination in, manifests and a report out.

use serde_json::Value;

use super::authentication::Authentication;
use super::draft::Draft;
use super::error::ImportError;
use super::names::{NAME_MAX, is_kubernetes_name, kubernetes_name};
use super::parse::Destination;
use super::report::Report;
use super::{client, leftovers, request};

/// The longest name of a namespace (RFC 1123 label).
const LABEL_MAX: usize = 63;

/// What the destination itself does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The namespace of both objects. None: that of `kubectl apply`.
    pub namespace: Option<String>,
    /// The name of the `TokenSource`. None: made of the destination's.
    pub name: Option<String>,
    /// The tenant's subdomain, where the token URL is shared by tenants.
    pub tenant: Option<String>,
}

/// What a destination has become. Holds credentials: `secret` is for the standard output and nothing else.
#[derive(Clone, PartialEq)]
pub struct Manifests {
    /// A `v1` Secret with the credentials.
    pub secret: Value,
    /// A `tokensource.dev/v1alpha1` `TokenSource` that refers to it.
    pub source: Value,
    /// What became of every property.
    pub report: Report,
}

/// Converts a destination. Every property of it is in the report afterwards.
pub fn convert(destination: Destination, options: &Options) -> Result<Manifests, ImportError> {
    let authentication = match destination.value("Authentication").map(str::trim) {
        Some(text) if !text.is_empty() => Authentication::parse(text)?,
        Some(_) | None => return Err(ImportError::Missing { property: "Authentication", fix: "say how the target is called" }),
    };
    let name = name(&destination, options)?;
    let mut draft = Draft::new(destination, authentication, name);
    if draft.take("Name").is_some() {
        let into = format!("metadata.name: {}", draft.name);
        draft.report.carried("Name", into);
    }
    request::endpoint(&mut draft, options.tenant.as_deref())?;
    request::grant(&mut draft)?;
    client::client(&mut draft)?;
    request::scopes(&mut draft);
    request::timeouts(&mut draft);
    request::extra_parts(&mut draft);
    request::proxy(&mut draft);
    request::trust(&mut draft);
    leftovers::leftovers(&mut draft);
    let (secret, source, report) = draft.finish(options.namespace.as_deref());
    Ok(Manifests { secret, source, report })
}

fn name(destination: &Destination, options: &Options) -> Result<String, ImportError> {
    if options.namespace.as_ref().is_some_and(|namespace| namespace.contains('.') || !is_kubernetes_name(namespace, LABEL_MAX)) {
        return Err(ImportError::BadName { flag: "namespace", max: LABEL_MAX });
    }
    match &options.name {
        Some(name) if is_kubernetes_name(name, NAME_MAX) => Ok(name.clone()),
        Some(_) => Err(ImportError::BadName { flag: "name", max: NAME_MAX }),
        None => Ok(kubernetes_name(destination.value("Name").unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::{WITHHELD, parse};
    use super::super::report::Outcome;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn converted(mut properties: Value, more: &Value, options: &Options) -> Result<Manifests, String> {
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let destination = parse(properties.to_string().as_bytes()).map_err(|error| error.to_string())?.remove(0);
        convert(destination, options).map_err(|error| error.to_string())
    }

    fn plain() -> Value {
        json!({"Name": "orders", "Authentication": "OAuth2ClientCredentials", "tokenServiceURL": "https://auth.example.com/token",
            "clientId": "shop", "clientSecret": "s3cret"})
    }

    fn with(more: &Value) -> Manifests {
        converted(plain(), more, &Options::default()).unwrap()
    }

    fn why(manifests: &Manifests, property: &str) -> String {
        match manifests.report.outcome(property) {
            Some(Outcome::LeftOut(why)) => why.clone(),
            other => panic!("{property}: {other:?}"),
        }
    }

    const FEED: &str = r#"{
        "Name": "Feed_OData", "Type": "HTTP", "URL": "https://feed.example.com/odata", "ProxyType": "Internet",
        "Authentication": "OAuth2ClientCredentials", "tokenServiceURL": "https://feed.example.com/v1/token",
        "tokenServiceURLType": "Dedicated", "tokenServiceUser": "gate", "tokenServicePassword": "g4te", "clientId": "feed",
        "clientSecret": "s3cret", "scope": "write  Read", "tokenService.addClientCredentialsInBody": "false",
        "tokenServiceURL.ConnectionTimeoutInSeconds": "90", "tokenServiceURL.SocketReadTimeoutInSeconds": 30,
        "tokenServiceURL.headers.X-Zone": "z1", "tokenServiceURL.queries.lang": "en", "tokenService.body.resource": "urn:feed",
        "URL.headers.Accept": "application/json"
    }"#;

    #[test]
    fn a_destination_becomes_a_secret_a_token_source_and_a_report() {
        let options = Options { namespace: Some("apps".into()), ..Options::default() };
        let manifests = convert(parse(FEED.as_bytes()).unwrap().remove(0), &options).unwrap();
        assert_eq!(
            manifests.secret,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "feed-odata-credentials", "namespace": "apps"}, "type": "Opaque",
                "stringData": {"client_id": "feed", "client_secret": "s3cret", "basicUsername": "gate", "basicPassword": "g4te"}})
        );
        assert_eq!(
            manifests.source,
            json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": "feed-odata", "namespace": "apps"},
            "spec": {
                "tokenURL": "https://feed.example.com/v1/token", "tokenURLType": "Dedicated", "grant": {"type": "ClientCredentials"},
                "credentials": {"secretRef": {"name": "feed-odata-credentials"},
                    "keys": {"basicUsername": "basicUsername", "basicPassword": "basicPassword"}},
                "clientAuthentication": {"method": "Basic"}, "scopes": ["write", "Read"],
                "request": {"headers": {"X-Zone": "z1"}, "query": {"lang": "en"}, "body": {"resource": "urn:feed"},
                    "connectTimeout": "10s", "readTimeout": "30s"},
            }})
        );
        let report = manifests.report.to_string();
        let first: Vec<&str> = report.lines().take(3).collect();
        assert_eq!(
            first,
            [
                "Name -> metadata.name: feed-odata",
                "Type: left out: for the call to the target, not for the token: not part of a TokenSource",
                "URL: left out: for the call to the target, not for the token: not part of a TokenSource",
            ]
        );
        assert!(
            report.contains("ConnectionTimeoutInSeconds -> spec.request.connectTimeout: 10s: is not 0 to 60, so the default"),
            "{report}"
        );
        assert!(["s3cret", "g4te", "gate", "z1"].iter().all(|value| !report.contains(value)), "{report}");
        assert_eq!(report.lines().count(), 19);
    }

    #[test]
    fn each_kind_of_authentication_has_its_grant_and_says_what_it_lacks() {
        for (authentication, more, grant, keys, todo) in [
            ("OAuth2ClientCredentials", json!({}), json!({"type": "ClientCredentials"}), vec![], ""),
            ("OAuth2TechnicalUserPropagation", json!({"ProxyType": "OnPremise"}), json!({"type": "ClientCredentials"}), vec![], ""),
            ("OAuth2Password", json!({"User": "eve", "Password": "pw"}), json!({"type": "Password"}), vec!["username", "password"], ""),
            (
                "OAuth2Password",
                json!({"User": "eve"}),
                json!({"type": "Password"}),
                vec!["username", "password"],
                "REPLACE-ME at key password",
            ),
            ("OAuth2JWTBearer", json!({}), bearer("JWTBearer"), vec![], "create Secret orders-assertion"),
            ("OAuth2UserTokenExchange", json!({}), bearer("JWTBearer"), vec![], "create Secret orders-assertion"),
            ("OAuth2SAMLBearerAssertion", json!({"audience": "a"}), bearer("SAML2Bearer"), vec![], "a SAML 2.0 assertion"),
            ("OAuth2RefreshToken", json!({}), json!({"type": "RefreshToken"}), vec!["refresh_token"], "REPLACE-ME at key refresh_token"),
        ] {
            let mut more = more;
            more["Authentication"] = authentication.into();
            let manifests = with(&more);
            assert_eq!(manifests.source["spec"]["grant"], grant, "{authentication}");
            assert!(keys.iter().all(|key| manifests.secret["stringData"].get(key).is_some()), "{authentication}");
            let todos = manifests.report.todos().join("\n");
            assert!(if todo.is_empty() { todos.is_empty() } else { todos.contains(todo) }, "{authentication}: {todos}");
        }
        let exchange = with(&json!({"Authentication": "OAuth2TokenExchange", "tokenServiceURLType": "Common"}));
        assert_eq!(exchange.source["spec"]["grant"]["subjectTokenType"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!(why(&exchange, "tokenServiceURLType"), "OAuth2TokenExchange takes its token URL as it is");
    }

    fn bearer(grant: &str) -> Value {
        json!({"type": grant, "assertion": {"secretKeyRef": {"name": "orders-assertion", "key": "assertion"}}})
    }

    #[test]
    fn the_client_authenticates_as_the_destination_did() {
        const JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        const SAML: &str = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
        let user = json!({"tokenServiceUser": "u", "tokenServicePassword": "p"});
        for (meaning, more, expected) in [
            ("in the body by default", json!({}), json!({"method": "Body"})),
            ("in the body", json!({"tokenService.addClientCredentialsInBody": true}), json!({"method": "Body"})),
            ("in the header", json!({"tokenService.addClientCredentialsInBody": "FALSE"}), json!({"method": "Basic"})),
            ("the token service's user beside the body", user.clone(), json!({"method": "Body"})),
            (
                "the token service's user alone",
                json!({"tokenServiceUser": "u", "tokenServicePassword": "p", "clientSecret": ""}),
                json!({"method": "None"}),
            ),
            ("by a key store", json!({"tokenService.KeyStoreLocation": "shop.p12"}), json!({"method": "MutualTLS"})),
            (
                "by the token of another destination",
                json!({"clientAssertion.destinationName": "Gives_It", "clientAssertion.type": SAML, "tokenService.KeyStoreLocation": "x.p12"}),
                json!({"method": "ClientAssertion", "assertion": {"type": "SAML2Bearer", "tokenSourceRef": {"name": "gives-it"}}}),
            ),
            (
                "by one of unnamed kind",
                json!({"clientAssertion.destinationName": "x"}),
                json!({"method": "ClientAssertion", "assertion": {"type": "JWTBearer", "tokenSourceRef": {"name": "x"}}}),
            ),
            ("while giving assertions to others", json!({"clientAssertion.type": JWT}), json!({"method": "Body"})),
        ] {
            assert_eq!(with(&more).source["spec"]["clientAuthentication"], expected, "{meaning}");
        }
    }

    #[test]
    fn a_key_store_is_named_and_its_file_asked_for() {
        for (location, keys, todo) in [
            (
                "shop.jks",
                json!({"keystore": "shop.jks", "keystorePassword": "keystorePassword"}),
                "as key shop.jks to Secret orders-credentials",
            ),
            ("a b/c.p12", json!({"keystore": "keystore", "keystorePassword": "keystorePassword"}), "as key keystore to"),
            ("shop.PEM", json!({"keystorePassword": "keystorePassword"}), "as key tls.crt"),
        ] {
            let manifests = with(&json!({"tokenService.KeyStoreLocation": location, "tokenService.KeyStorePassword": "pw"}));
            assert_eq!(manifests.source["spec"]["credentials"]["keys"], keys, "{location}");
            assert!(manifests.report.todos()[0].contains(todo), "{location}");
        }
    }

    #[test]
    fn what_the_export_left_out_gets_a_placeholder_and_is_said() {
        for more in [json!({"clientSecret": WITHHELD}), json!({"clientSecret": null})] {
            let manifests = with(&more);
            assert_eq!(manifests.secret["stringData"]["client_secret"], "REPLACE-ME");
            assert!(manifests.report.todos()[0].ends_with("replace REPLACE-ME at key client_secret of Secret orders-credentials"));
        }
    }

    #[test]
    fn a_shared_token_url_needs_its_tenant() {
        let common = json!({"tokenServiceURLType": "Common"});
        let tenant = |tenant: &str| Options { tenant: Some(tenant.to_owned()), ..Options::default() };
        let manifests = converted(plain(), &common, &tenant("mytenant")).unwrap();
        let spec = &manifests.source["spec"];
        assert_eq!((&spec["tokenURLType"], &spec["tenant"]), (&json!("Common"), &json!("mytenant")));
        let missing = converted(plain(), &common, &Options::default()).err().unwrap();
        assert!(missing.starts_with("tokenServiceURLType: is Common") && missing.ends_with("with --tenant"), "{missing}");
        assert!(converted(plain(), &common, &tenant("a.b")).err().unwrap().starts_with("--tenant: "));
        assert!(converted(plain(), &json!({}), &tenant("a")).unwrap().report.to_string().contains("NOTE: --tenant was not used"));
    }

    #[test]
    fn what_has_no_counterpart_is_named_with_the_reason() {
        for (property, value, expected) in [
            ("HTML5.DynamicDestination", "true", "for the call to the target"),
            ("sap-client", "100", "for the call to the target"),
            ("WebIDEUsage", "odata_gen", "for the call to the target"),
            ("User", "eve", "for the call to the target"),
            ("ProxyType", "OnPremise", "the way to a token endpoint off the Internet"),
            ("TrustAll", "true", "certificates are always verified"),
            ("TrustStoreLocation", "trust.jks", "the file itself is not in the export"),
            ("TrustStorePassword", "pw", "certificates in PEM have no password"),
            ("HostnameVerifier", "Strict", "host names are always verified"),
            ("x_user_token.jwks_uri", "https://a.example.com", "checks the token of the caller"),
            ("tokenService.KeyStorePassword", "pw", "a TokenSource has no such setting"),
            ("tokenServiceURL.headers.Authorization", "Basic x", "the token request sets this header itself"),
            ("tokenServiceURL.headers.a b", "x", "is no header name"),
            ("tokenServiceURL.headers.a", "x\ny", "its value holds characters"),
            ("tokenServiceURL.queries.grant_type", "x", "the grant or the client authentication sends"),
            ("tokenService.body.", "x", "has no parameter's name"),
            ("clientAssertion.type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "says what others use this token as"),
            ("scope", " ", "is empty"),
            ("frobnicate", "x", "unknown here"),
        ] {
            let reason = why(&with(&json!({property: value})), property);
            assert!(reason.starts_with(expected), "{property}: {reason}");
        }
    }

    #[test]
    fn bad_input_names_the_property_and_the_fix() {
        for (more, expected) in [
            (json!({"Authentication": "BasicAuthentication"}), "Authentication: BasicAuthentication needs no token"),
            (json!({"Authentication": "OAuth2AuthorizationCode"}), "Authentication: OAuth2AuthorizationCode needs a person"),
            (json!({"Authentication": "x\u{1b}[2J"}), "Authentication: x\\u{1b}[2J is unknown: use one of OAuth2ClientCredentials, "),
            (json!({"Authentication": ""}), "Authentication: is missing"),
            (json!({"tokenServiceURL": ""}), "tokenServiceURL: is missing: add the URL"),
            (json!({"tokenServiceURL": "auth.example.com"}), "tokenServiceURL: is no absolute URL"),
            (
                json!({"tokenServiceURL": "https://{tenant}.auth.example.com"}),
                "tokenServiceURL: holds {tenant}, but tokenURLType is Dedicated",
            ),
            (json!({"tokenServiceURLType": "Shared"}), "tokenServiceURLType: must be Dedicated or Common"),
            (json!({"clientId": ""}), "clientId: is missing"),
            (
                json!({"tokenService.addClientCredentialsInBody": "maybe"}),
                "tokenService.addClientCredentialsInBody: is neither true nor false",
            ),
            (json!({"tokenServicePassword": "p"}), "tokenServiceUser: is missing: tokenServicePassword needs it"),
            (json!({"clientAssertion.type": "x"}), "clientAssertion.type: must be urn:"),
            (json!({"Authentication": "OAuth2Password"}), "User: is missing"),
        ] {
            let problem = converted(plain(), &more, &Options::default()).err().unwrap();
            assert!(problem.starts_with(expected) && !problem.contains("s3cret"), "{problem}");
        }
        for (flag, options) in [
            ("--name", Options { name: Some("A_B".into()), ..Options::default() }),
            ("--namespace", Options { namespace: Some("a.b".into()), ..Options::default() }),
        ] {
            assert!(converted(plain(), &json!({}), &options).err().unwrap().starts_with(flag));
        }
    }

    #[test]
    fn the_answer_of_the_destination_service_is_converted_and_what_stands_beside_is_named() {
        let answer = json!({"owner": {}, "destinationConfiguration": plain(), "authTokens": [{"value": "t0ken"}]});
        let destination = parse(answer.to_string().as_bytes()).unwrap().remove(0);
        let manifests = convert(destination, &Options::default()).unwrap();
        assert!(why(&manifests, "authTokens").starts_with("stands beside the destination"));
        assert!(!manifests.report.to_string().contains("t0ken"));
    }

    /// Properties that matter, with values that they may not have.
    fn properties() -> impl Strategy<Value = Vec<(String, String)>> {
        let names = proptest::sample::select(
            &[
                "Name",
                "tokenServiceURL",
                "tokenServiceURLType",
                "clientSecret",
                "clientKey",
                "tokenServiceUser",
                "tokenServicePassword",
                "scope",
                "tokenService.addClientCredentialsInBody",
                "tokenServiceURL.headers.a",
                "tokenServiceURL.headers.",
                "tokenServiceURL.queries.b",
                "tokenService.body.c",
                "tokenServiceURL.ConnectionTimeoutInSeconds",
                "tokenService.KeyStoreLocation",
                "tokenService.KeyStorePassword",
                "clientAssertion.destinationName",
                "clientAssertion.type",
                "ProxyType",
                "tokenServiceURL.ProxyType",
                "TrustAll",
                "User",
                "Password",
                "x",
            ][..],
        );
        let values =
            prop_oneof!["\\PC{0,12}", Just("true".to_owned()), Just("Common".to_owned()), Just(WITHHELD.to_owned()), Just(String::new())];
        proptest::collection::btree_map(names.prop_map(str::to_owned), values, 0..12).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn nothing_panics_and_every_property_is_in_the_report(some in properties(), kind in 0..8_usize, url in any::<bool>()) {
            let kind = Authentication::listed().split(", ").nth(kind).unwrap().to_owned();
            let mut destination = Destination { properties: some, beside: Vec::new() };
            if url {
                destination.properties.retain(|(name, _)| name != "tokenServiceURL" && name != "tokenServiceURLType");
                destination.properties.push(("tokenServiceURL".into(), "https://auth.example.com/token".into()));
            }
            destination.properties.push(("Authentication".into(), kind));
            destination.properties.push(("clientId".into(), "shop".into()));
            if let Ok(manifests) = convert(destination.clone(), &Options { tenant: Some("t".into()), ..Options::default() }) {
                for (property, _) in &destination.properties {
                    prop_assert!(manifests.report.outcome(property).is_some(), "{}", property);
                }
            }
        }
    }
}
