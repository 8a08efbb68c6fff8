//! Which hosts a namespace's label allows, as the API server judges it.

use serde_json::{Value, json};
use testenv::{HelmMajor, World};

use crate::cluster::{alone, documents, eventually, install_crd, kubectl, kubectl_with, namespace, ok, template, world};

const POLICY: &str = r#"
admissionPolicy:
  enabled: true
  tokenHosts:
    group: ["*.example.com", login.example.org]
"#;

/// The policy, for as long as the test runs: it holds in the whole cluster.
struct Applied<'a>(&'a World, String);

impl<'a> Applied<'a> {
    fn new(world: &'a World, text: &str) -> Self {
        let rendered = documents(&template(world, HelmMajor::Four, text).unwrap());
        let policy = rendered.into_iter().filter(|document| document["kind"].as_str().unwrap().starts_with("ValidatingAdmissionPolicy"));
        let applied = Self(world, json!({"apiVersion": "v1", "kind": "List", "items": policy.collect::<Vec<Value>>()}).to_string());
        ok(&kubectl_with(world, &["apply"], &applied.1));
        applied
    }
}

impl Drop for Applied<'_> {
    fn drop(&mut self) {
        _ = kubectl_with(self.0, &["delete"], &self.1);
    }
}

fn source(namespace: &str, spec: &Value) -> String {
    let mut spec = spec.clone();
    spec["clientID"] = json!("c");
    spec["clientAuthentication"] = json!({"method": "None"});
    let metadata = json!({"name": "judged", "namespace": namespace});
    json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": metadata, "spec": spec}).to_string()
}

/// What the policy says to a source, if anything.
fn refusal(world: &World, namespace: &str, spec: &Value) -> Option<String> {
    let answer = kubectl_with(world, &["create", "--dry-run=server"], &source(namespace, spec));
    let complaint = String::from_utf8(answer.stderr).unwrap();
    if answer.status.success() {
        return None;
    }
    assert!(complaint.contains("ValidatingAdmissionPolicy"), "refused by another: {complaint}");
    Some(complaint)
}

fn url(text: &str) -> Value {
    json!({"tokenURL": text})
}

/// A sentence, the source, and what the refusal must say.
fn cases() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let common = |url: &str| json!({"tokenURL": url, "tokenURLType": "Common", "tenant": "acme"});
    let proxied = |proxy: &str| json!({"tokenURL": "https://a.example.com/t", "request": {"proxyURL": proxy}});
    let host = Some("the host of spec.tokenURL is none of those");
    let plain = Some("spec.tokenURL must be an https URL with a plain host name");
    let proxy = Some("the host of spec.request.proxyURL is none of those");
    vec![
        ("a host below the domain", url("https://a.example.com/oauth/token"), None),
        ("far below it, with port and query", url("https://a.b.example.com:8443/t?x=https://evil.test/"), None),
        ("a host by its whole name", url("https://login.example.org"), None),
        ("in capitals", url("https://LOGIN.EXAMPLE.ORG/t"), None),
        ("the domain itself is not below it", url("https://example.com/t"), host),
        ("a host below one that is named whole", url("https://x.login.example.org/t"), host),
        ("an end that only looks alike", url("https://evilexample.com/t"), host),
        ("another host with the name in its path", url("https://evil.test/.example.com"), host),
        ("another host with the name in its query", url("https://evil.test?.example.com"), host),
        ("a backslash, which the operator takes for a slash", url("https://evil.test\\.example.com/t"), plain),
        ("a percent sign in the host", url("https://evil.test%2f.example.com/t"), plain),
        ("a letter that becomes another", url("https://evil.test\u{ff0f}.example.com/t"), plain),
        ("an address", url("https://[::1]/t"), plain),
        ("plain http", url("http://a.example.com/t"), plain),
        ("left to the credentials", json!({"credentials": {"secretRef": {"name": "binding"}}}), plain),
        ("a tenant in its place", common("https://{tenant}.example.com/t"), None),
        ("a tenant in its place elsewhere", common("https://{tenant}.evil.test/t"), host),
        ("a tenant in the path", common("https://a.example.com/{tenant}/t"), None),
        ("a tenant in front of the domain", common("https://example.com/t"), None),
        ("a tenant in front of a whole name", common("https://login.example.org/t"), host),
        ("a proxy of the group", proxied("http://proxy.example.com:3128"), None),
        ("a proxy elsewhere", proxied("http://evil.test:3128"), proxy),
    ]
}

#[tokio::test]
async fn a_labelled_namespace_may_name_its_hosts_and_no_others() {
    let (_turn, world) = (alone().await, world());
    install_crd(&world);
    for (name, label) in [("chart-group", "group"), ("chart-nobody", "unknown"), ("chart-unlabelled", "")] {
        let label = if label.is_empty() { "unrelated=x".to_owned() } else { format!("tokensource.dev/token-hosts={label}") };
        namespace(&world, name, &[&label]);
    }
    let _policy = Applied::new(&world, POLICY);
    let (good, bad) = (url("https://a.example.com/t"), url("https://evil.test/t"));
    eventually("the policy holds", || async { refusal(&world, "chart-group", &bad).is_some() }).await;

    for (sentence, spec, expected) in cases() {
        let said = refusal(&world, "chart-group", &spec);
        match (&said, expected) {
            (None, None) => {}
            (Some(said), Some(words)) => assert!(said.contains(words), "{sentence}: {said}"),
            (_, _) => panic!("{sentence}: {said:?}"),
        }
    }
    assert!(refusal(&world, "chart-nobody", &good).unwrap().contains("is none of those that label tokensource.dev/token-hosts=unknown"));
    let said = refusal(&world, "chart-unlabelled", &good).unwrap();
    assert!(said.contains("no TokenSource may stand in a namespace without the label tokensource.dev/token-hosts"), "{said}");
}

#[tokio::test]
async fn unlabelled_namespaces_can_be_left_free_and_older_sources_keep_their_spec() {
    let (_turn, world) = (alone().await, world());
    install_crd(&world);
    namespace(&world, "chart-free", &["unrelated=x"]);
    namespace(&world, "chart-older", &["tokensource.dev/token-hosts=group"]);
    let bad = url("https://evil.test/t");
    ok(&kubectl_with(&world, &["apply"], &source("chart-older", &bad)));
    let policy = POLICY.replace("enabled: true", "enabled: true\n  unlabelledNamespaces: Allow");
    let _policy = Applied::new(&world, &policy);
    eventually("the policy holds", || async {
        let answer = kubectl_with(&world, &["create", "--dry-run=server"], &source("chart-older", &bad).replace("judged", "new"));
        String::from_utf8_lossy(&answer.stderr).contains("is none of those")
    })
    .await;
    assert_eq!(refusal(&world, "chart-free", &bad), None);
    ok(&kubectl(&world, &["annotate", "tks/judged", "-n", "chart-older", "--overwrite", "tokensource.dev/refresh-requested-at=1"]));
    let moved = kubectl_with(&world, &["apply"], &source("chart-older", &url("https://worse.test/t")));
    assert!(!moved.status.success());
    ok(&kubectl(&world, &["delete", "tks/judged", "-n", "chart-older"]));
}
