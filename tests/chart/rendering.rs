//! What Helm makes of the chart, and whether the API server takes it.

use serde_json::{Value, json};
use testenv::{HelmMajor, World};

use crate::cases::{CASES, WRONG};
use crate::cluster::{IMAGE, chart, documents, helm, kubectl, kubectl_with, namespace, of_kind, ok, template, values, world};

/// CRDs that a user of these values has, as small as can be.
const FOREIGN: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {plural: PLURAL, singular: SINGULAR, kind: KIND}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}
";

fn prepared() -> World {
    let world = world();
    for (plural, kind) in [("servicemonitors", "ServiceMonitor"), ("prometheusrules", "PrometheusRule")] {
        let crd = FOREIGN.replace("PLURAL", plural).replace("SINGULAR", &kind.to_lowercase()).replace("KIND", kind);
        ok(&kubectl_with(&world, &["apply", "--server-side"], &crd));
        ok(&kubectl(&world, &["wait", &format!("crd/{plural}.monitoring.coreos.com"), "--for=condition=Established", "--timeout=60s"]));
    }
    for name in ["chart-cases", "team-a", "team-b", "33"] {
        namespace(&world, name, &[]);
    }
    namespace(&world, "chart-restricted", &["pod-security.kubernetes.io/enforce=restricted"]);
    // A pod is refused, in a dry run too, where its account is not there.
    for account in ["keep-tokensource", "keeper", "theirs", "keep-22"] {
        for namespace in ["chart-cases", "chart-restricted"] {
            _ = kubectl(&world, &["create", "serviceaccount", account, "-n", namespace]);
        }
    }
    world
}

#[test]
fn every_manifest_of_every_case_is_taken_by_the_api_server_in_its_strict_mode() {
    let world = prepared();
    for major in HelmMajor::ALL {
        for (name, text) in CASES {
            let yaml = template(&world, major, text).unwrap_or_else(|error| panic!("{name}, {major:?}: {error}"));
            let flags = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"];
            let answer = kubectl_with(&world, &flags, &yaml);
            let complaint = String::from_utf8_lossy(&answer.stderr);
            assert!(answer.status.success() && !complaint.contains("unknown field"), "{name}, {major:?}: {complaint}");
        }
    }
}

#[test]
fn both_majors_render_the_same() {
    let world = world();
    for (name, text) in CASES {
        let [three, four] = HelmMajor::ALL.map(|major| documents(&template(&world, major, text).unwrap()));
        assert!(three == four, "{name}");
    }
}

#[test]
fn helm_lint_has_nothing_to_say_in_its_strict_mode() {
    let (world, chart) = (world(), chart());
    for major in HelmMajor::ALL {
        for (name, text) in CASES {
            let file = values(text);
            let args = ["lint", "--strict", chart.to_str().unwrap(), "--set", IMAGE, "-f", file.path().to_str().unwrap()];
            let output = helm(&world, major, &args);
            assert!(output.status.success(), "{name}, {major:?}: {}", String::from_utf8_lossy(&output.stdout));
        }
        ok(&helm(&world, major, &["lint", "--strict", chart.to_str().unwrap()]));
    }
}

#[test]
fn wrong_values_are_refused_by_name() {
    let world = world();
    for major in HelmMajor::ALL {
        for (text, word) in WRONG {
            let message = template(&world, major, text).err().unwrap_or_else(|| panic!("{text:?} is accepted, {major:?}"));
            assert!(message.contains(word), "{text:?}, {major:?}: {message}");
        }
        let chart = chart();
        let output = helm(&world, major, &["template", "keep", chart.to_str().unwrap()]);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("image.repository is required"));
    }
}

/// A pod of the Deployment's template, as the `ReplicaSet` would make it.
fn pod(documents: &[Value]) -> Value {
    let template = &of_kind(documents, "Deployment")["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!("operator");
    metadata["namespace"] = json!("chart-restricted");
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

#[test]
fn pods_meet_the_restricted_pod_security_standard_but_for_the_host_network() {
    let world = prepared();
    for (name, text) in CASES {
        let rendered = documents(&template(&world, HelmMajor::Four, text).unwrap());
        let mut test = of_kind(&rendered, "Pod").clone();
        test["metadata"]["namespace"] = json!("chart-restricted");
        for pod in [pod(&rendered), test] {
            let answer = kubectl_with(&world, &["create", "--dry-run=server", "--validate=strict"], &pod.to_string());
            let complaint = String::from_utf8_lossy(&answer.stderr);
            if name == "host network" {
                assert!(complaint.contains("host namespaces"), "{complaint}");
            } else {
                assert!(answer.status.success(), "{name}: {complaint}");
            }
        }
    }
}

#[test]
fn no_rule_of_the_operators_has_a_wildcard_and_serviceaccount_tokens_are_switched_on_only() {
    let world = world();
    for (name, text) in CASES {
        let yaml = template(&world, HelmMajor::Four, text).unwrap();
        let roles: Vec<Value> = documents(&yaml).into_iter().filter(|document| document["rules"].is_array()).collect();
        let granted = serde_json::to_string(&roles).unwrap();
        assert!(!granted.contains("\"*\""), "{name}");
        let wants_tokens = text.contains("serviceAccountTokens: {enabled: true");
        assert_eq!(granted.contains("serviceaccounts/token"), wants_tokens, "{name}");
        let is_wide = roles.iter().any(|role| role["kind"] == "ClusterRole" && role["rules"].to_string().contains("secrets"));
        assert_eq!(is_wide, !text.contains("namespaces: [") && !text.contains("rbac: {create: false}"), "{name}");
    }
}

/// `--namespace` and the like, of all arguments of the operator.
pub fn arguments(documents: &[Value]) -> Vec<String> {
    let arguments = &of_kind(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    arguments.as_array().unwrap().iter().map(|argument| argument.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_flag_of_run_can_be_set_and_stands_once() {
    let world = world();
    let text = format!("{}\nnamespaces: [team-a]", CASES.iter().find(|(name, _)| *name == "reach").unwrap().1);
    let text = format!("{text}\nserviceAccountTokens: {{trustedAudiences: [api]}}");
    let passed = arguments(&documents(&template(&world, HelmMajor::Four, &text).unwrap()));
    let passed: Vec<&str> = passed.iter().map(|argument| argument.split('=').next().unwrap()).collect();
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_tokensource")).args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags = help.lines().filter_map(|line| line.trim().strip_prefix("--")).map(|line| line.split([' ', '[']).next().unwrap());
    let unset: Vec<&str> = flags.filter(|flag| !passed.contains(&format!("--{flag}").as_str())).collect();
    assert!(help.contains("--namespace") && unset.is_empty(), "the chart can't set {unset:?}");
}
