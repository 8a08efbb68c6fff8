//! The operator with the chart's ServiceAccount: it does its work, it is denied nothing, and it needs each of its rights.

use std::fs;
use std::process::{Child, Command, Stdio};

use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use testenv::{AuditEntry, HelmMajor, ScriptedEndpoint, Step, World};

use crate::cluster::{
    IMAGE, alone, chart, documents, eventually, fresh, helm, install_crd, kubectl, kubectl_with, namespace, ok, values, world,
};
use crate::rendering::arguments;
use crate::rights::{Right, granted};

/// A release whose operator runs here, on this machine, as the pod would.
struct Installed {
    world: World,
    own: String,
    watched: String,
    manifest: Vec<Value>,
}

impl Installed {
    fn install(name: &str, has_namespaces: bool) -> Self {
        let world = world();
        install_crd(&world);
        let (own, watched) = (fresh(name), fresh(&format!("{name}-watched")));
        namespace(&world, &own, &[]);
        namespace(&world, &watched, &[]);
        let text = json!({
            "crds": {"install": false},
            "namespaces": if has_namespaces { json!([watched]) } else { json!([]) },
            // The work of other tests is not this operator's.
            "labelSelector": format!("test={own}"),
            "egress": {"allowCidrs": ["127.0.0.0/8"]},
            "serviceAccountTokens": {"enabled": true},
        });
        let (file, chart) = (values(&text.to_string()), chart());
        let args = ["install", "rights", chart.to_str().unwrap(), "-n", &own, "--set", IMAGE, "-f", file.path().to_str().unwrap()];
        ok(&helm(&world, HelmMajor::Four, &args));
        let manifest = documents(&ok(&helm(&world, HelmMajor::Four, &["get", "manifest", "rights", "-n", &own])));
        Self { world, own, watched, manifest }
    }

    fn account(&self) -> String {
        format!("system:serviceaccount:{}:rights-tokensource", self.own)
    }

    /// A kubeconfig of the ServiceAccount, in the release's namespace.
    fn kubeconfig(&self) -> NamedTempFile {
        let token = ok(&kubectl(&self.world, &["create", "token", "rights-tokensource", "-n", &self.own]));
        let kubeconfig = Kubeconfig::read_from(self.world.kubeconfig().unwrap()).unwrap();
        let mut kubeconfig = serde_json::to_value(kubeconfig).unwrap();
        kubeconfig["users"][0]["user"] = json!({"token": token.trim()});
        kubeconfig["contexts"][0]["context"]["namespace"] = json!(self.own);
        values(&kubeconfig.to_string())
    }

    fn start(&self) -> Operator {
        let (kubeconfig, log) = (self.kubeconfig(), NamedTempFile::new().unwrap());
        let arguments = arguments(&self.manifest).into_iter().filter(|argument| !argument.starts_with("--metrics-addr"));
        let child = Command::new(env!("CARGO_BIN_EXE_tokensource"))
            .args(arguments)
            .arg("--metrics-addr=127.0.0.1:0")
            .env("KUBECONFIG", kubeconfig.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Operator { child, log, _kubeconfig: kubeconfig }
    }

    fn apply(&self, object: &Value) {
        ok(&kubectl_with(&self.world, &["apply", "-n", &self.watched], &object.to_string()));
    }

    fn source(&self, name: &str, spec: &Value) {
        let metadata = json!({"name": name, "labels": {"test": self.own}});
        self.apply(&json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": metadata, "spec": spec}));
    }

    fn force(&self, name: &str, value: &str) {
        let annotation = format!("tokensource.dev/refresh-requested-at={value}");
        ok(&kubectl(&self.world, &["annotate", &format!("tks/{name}"), "-n", &self.watched, "--overwrite", &annotation]));
    }

    async fn until(&self, name: &str, condition: &str, reason: &str, operator: &Operator) {
        let path = format!("jsonpath={{.status.conditions[?(@.type==\"{condition}\")].reason}}");
        let what = || kubectl(&self.world, &["get", &format!("tks/{name}"), "-n", &self.watched, "-o", &path]).stdout;
        eventually(&format!("{name} is {reason}; {}", operator.log()), || async { what() == reason.as_bytes() }).await;
    }

    fn requests(&self) -> Vec<AuditEntry> {
        let all = self.world.audit_log().unwrap();
        all.into_iter().filter(|entry| entry.user == self.account()).collect()
    }

    fn unused(&self) -> Vec<Right> {
        let requests = self.requests();
        let rights = granted(&self.manifest);
        assert!(rights.len() > 10, "{rights:?}");
        rights.into_iter().filter(|right| !requests.iter().any(|request| right.is_used_by(request))).collect()
    }

    /// Sources that need everything the operator can do: a CA bundle, a ServiceAccount's token, an Event that comes again.
    async fn work(&self, operator: &Operator) {
        let endpoint = ScriptedEndpoint::start_tls().await.unwrap();
        let token = || Step::Token { expires_in: 3600 };
        let refused = Step::Json { status: 400, body: json!({"error": "invalid_scope"}) };
        endpoint.script("orders", vec![token(), refused, token()]);
        endpoint.script("workload", vec![token()]);
        let about = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        let mut client = about("Secret", "client");
        client["stringData"] = json!({"client_id": "c", "client_secret": "s"});
        let mut ca = about("ConfigMap", "ca");
        ca["data"] = json!({"ca.crt": endpoint.ca_pem().unwrap()});
        for object in [client, ca, about("ServiceAccount", "workload")] {
            self.apply(&object);
        }
        let tls = json!({"caBundle": {"configMapRef": {"name": "ca", "key": "ca.crt"}}});
        let assertion = json!({"serviceAccountRef": {"name": "workload"}});
        self.source("orders", &json!({"tokenURL": endpoint.url("orders"), "credentials": {"secretRef": {"name": "client"}}, "tls": tls}));
        self.source(
            "workload",
            &json!({"tokenURL": endpoint.url("workload"), "clientID": "w", "tls": tls,
                "clientAuthentication": {"method": "ClientAssertion", "assertion": assertion}}),
        );
        self.until("orders", "Ready", "TokenIssued", operator).await;
        self.until("workload", "Ready", "TokenIssued", operator).await;
        self.force("orders", "1");
        self.until("orders", "Refreshed", "InvalidScope", operator).await;
        self.force("orders", "2");
        self.until("orders", "Refreshed", "TokenIssued", operator).await;
        eventually("Events are written", || async {
            let events = kubectl(&self.world, &["get", "events.events.k8s.io", "-n", &self.watched, "-o", "jsonpath={.items[*].reason}"]);
            let said = String::from_utf8(events.stdout).unwrap();
            said.contains("InvalidScope") && said.contains("TokenIssued")
        })
        .await;
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        _ = helm(&self.world, HelmMajor::Four, &["uninstall", "rights", "-n", &self.own]);
    }
}

struct Operator {
    child: Child,
    log: NamedTempFile,
    _kubeconfig: NamedTempFile,
}

impl Operator {
    fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

async fn works_with_the_rights_it_has_and_needs_them(name: &str, has_namespaces: bool) {
    let _turn = alone().await;
    let installed = Installed::install(name, has_namespaces);
    let operator = installed.start();
    installed.work(&operator).await;
    eventually(&format!("a request for each right; without one: {:?}", installed.unused()), || async { installed.unused().is_empty() })
        .await;
    let denied: Vec<AuditEntry> = installed.requests().into_iter().filter(|request| request.code == 403).collect();
    assert!(denied.is_empty(), "denied: {denied:?}");
}

#[tokio::test]
async fn with_a_cluster_role_the_operator_is_denied_nothing_and_uses_all_it_has() {
    works_with_the_rights_it_has_and_needs_them("chart-wide", false).await;
}

#[tokio::test]
async fn with_roles_in_its_namespaces_the_operator_is_denied_nothing_and_uses_all_it_has() {
    works_with_the_rights_it_has_and_needs_them("chart-narrow", true).await;
}
