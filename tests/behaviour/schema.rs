//! The API server itself refuses what can't work, with our words; and it explains the fields.

use serde_json::{Value, json};

use crate::stage::Stage;

/// A spec that works, with changes; null takes a field away.
fn with(changes: &Value) -> Value {
    let mut spec = json!({"tokenURL": "https://auth.example.com/token", "credentials": {"secretRef": {"name": "client"}}});
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    spec
}

#[tokio::test]
async fn a_manifest_that_can_not_work_is_refused_with_the_way_to_mend_it() {
    let stage = Stage::set("schema").await;
    let cases = [
        (json!({"tokenURLType": "Common"}), "tokenURLType Common needs a tenant"),
        (json!({"tokenURL": "https://{tenant}.example.com/token"}), "tokenURL holds {tenant}, but tokenURLType is Dedicated"),
        (json!({"tokenURL": "auth.example.com/token"}), "tokenURL must be an absolute URL"),
        (json!({"tokenURL": "ftp://auth.example.com/token"}), "tokenURL must be an absolute URL"),
        (json!({"tokenURL": "https://id:secret@auth.example.com/token"}), "tokenURL must not hold user information"),
        (json!({"tokenURL": "https://auth.example.com/token#x"}), "tokenURL must not have a fragment"),
        (json!({"tokenURLType": "Common", "tenant": "a.b"}), "spec.tenant in body should match"),
        (
            json!({"grant": {"type": "Password"}, "credentials": null, "clientID": "c", "clientAuthentication": {"method": "None"}}),
            "the Password and RefreshToken grants need spec.credentials",
        ),
        (json!({"credentials": null}), "method Body, Basic and MutualTLS need spec.credentials"),
        (json!({"grant": {"type": "JWTBearer"}}), "grant.assertion belongs to the types JWTBearer"),
        (json!({"grant": {"assertion": {"tokenSourceRef": {"name": "x"}}}}), "grant.assertion belongs to the types JWTBearer"),
        (json!({"grant": {"type": "JWTBearer", "assertion": {}}}), "an assertion needs exactly one of"),
        (json!({"grant": {"subjectTokenType": "urn:x"}}), "belong to the type TokenExchange"),
        (
            json!({"clientAuthentication": {"method": "ClientAssertion"}}),
            "clientAuthentication.assertion belongs to the method ClientAssertion",
        ),
        (json!({"clientAuthentication": {"method": "ClientAssertion", "assertion": {"type": "JWTBearer"}}}), "exactly one of secretKeyRef"),
        (json!({"tokenURL": null, "credentials": null, "clientID": "c", "clientAuthentication": {"method": "None"}}), "no tokenURL"),
        (json!({"request": {"proxyURL": "http://u:p@proxy:3128"}}), "request.proxyURL must not hold user information"),
        (json!({"credentials": null, "clientAuthentication": {"method": "None"}}), "no client: set spec.clientID"),
        (json!({"grant": {"type": "Implicit"}}), "Unsupported value: \"Implicit\""),
        (
            json!({"refresh": {"renewBefore": "1m", "renewBeforePercentage": 20}}),
            "set only one of refresh.renewBefore and refresh.renewBeforePercentage",
        ),
        (json!({"refresh": {"renewBeforePercentage": 91}}), "should be less than or equal to 90"),
        (json!({"request": {"connectTimeout": "61s"}}), "request.connectTimeout must be 0s to 60s"),
        (json!({"request": {"readTimeout": "11m"}}), "request.readTimeout must be 0s to 600s"),
        (json!({"request": {"readTimeout": "soon"}}), "spec.request.readTimeout in body should match"),
        (json!({"request": {"headers": {"AUTHORIZATION": "x"}}}), "request.headers must not set Authorization"),
        (json!({"request": {"headers": {"bad name": "x"}}}), "a name must be an HTTP token"),
        (json!({"request": {"query": {"client_secret": "x"}}}), "request.query must not set a parameter"),
        (json!({"request": {"body": {"grant_type": "x"}}}), "request.body must not set a parameter"),
        (json!({"scopes": ["a"], "request": {"body": {"scope": "x"}}}), "request.body.scope would replace spec.scopes"),
        (json!({"scopes": ["a b"]}), "spec.scopes[0] in body should match"),
        (json!({"secret": {"labels": {"kubernetes.io/x": "y"}}}), "secret.labels must not use keys under"),
        (json!({"secret": {"labels": {"app.kubernetes.io/managed-by": "me"}}}), "secret.labels must not use keys under"),
        (json!({"secret": {"annotations": {"sub.k8s.io/x": "y"}}}), "secret.annotations must not use keys under"),
        (json!({"secret": {"type": "kubernetes.io/tls"}}), "Unsupported value: \"kubernetes.io/tls\""),
        (json!({"secret": {"type": "kubernetes.io/dockerconfigjson"}}), "needs the key .dockerconfigjson in secret.data"),
        (json!({"secret": {"type": "kubernetes.io/basic-auth", "data": {"x": "y"}}}), "needs the key username or password in secret.data"),
        (json!({"secret": {"data": {"bad key": "y"}}}), "secret.data: a key must consist of"),
        (
            json!({"secret": {"type": "kubernetes.io/basic-auth", "data": {"password": "y"}, "onExpiry": "Remove"}}),
            "need secret.type Opaque",
        ),
        (json!({"tls": {"caBundle": {}}}), "tls.caBundle needs exactly one of configMapRef and secretRef"),
        (json!({"maxExchangePeriodHours": 4321}), "should be less than or equal to 4320"),
        (json!({"credentials": {"secretRef": {"name": "client", "namespace": "other"}}}), "field not declared in schema"),
        (json!({"clientSecret": "written here"}), "field not declared in schema"),
    ];
    for (changes, expected) in cases {
        let error = stage.try_source("bad", with(&changes)).await.expect_err(&format!("{changes} was accepted"));
        assert!(error.contains(expected), "{changes}: {error}");
    }
}

#[tokio::test]
async fn what_can_work_is_accepted() {
    let stage = Stage::set("accepted").await;
    for (index, changes) in [
        json!({}),
        json!({"tokenURLType": "Common", "tenant": "mytenant"}),
        json!({"secret": {"labels": {"app.kubernetes.io/part-of": "shop"}}}),
        json!({"request": {"connectTimeout": "0s", "readTimeout": "10m", "headers": {"X-Api-Key": "k"}, "body": {"resource": "urn:r"}}}),
        json!({"credentials": null, "clientID": "public", "clientAuthentication": {"method": "None"}}),
    ]
    .into_iter()
    .enumerate()
    {
        stage.source(&format!("good-{index}"), with(&changes)).await;
    }
}

#[tokio::test]
async fn kubectl_explains_every_field_and_prints_the_documented_columns() {
    let stage = Stage::set("explain").await;
    stage.source("orders", with(&json!({}))).await;
    let run = |arguments: &[&str]| {
        let output = stage.world.kubectl().unwrap().args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let explained = run(&["explain", "tokensources.spec", "--recursive=false"]);
    assert!(explained.contains("tokenURL") && !explained.contains("<no description>") && !explained.contains("<empty>"), "{explained}");
    let header = |wide: &[&str]| {
        let table = run(&[&["get", "tks", "-n", &stage.namespace], wide].concat());
        table
            .lines()
            .next()
            .unwrap_or_default()
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(header(&[]), ["NAME", "READY", "REASON", "SECRET", "EXPIRES", "RENEWS", "AGE"]);
    assert_eq!(header(&["-o", "wide"])[7..], ["TOKEN URL", "GRANT"]);
}

#[tokio::test]
async fn a_source_that_no_operator_has_seen_says_so() {
    let stage = Stage::set("pending").await;
    let source = stage.source("orders", with(&json!({}))).await;
    let conditions = source.status.unwrap().conditions;
    let told: Vec<String> =
        conditions.iter().map(|condition| format!("{:?} {:?} {}", condition.condition_type, condition.status, condition.reason)).collect();
    assert_eq!(told, ["Ready Unknown Pending", "Refreshed Unknown Pending"]);
}
