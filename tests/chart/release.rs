//! A release's life: install, upgrade, rollback, uninstall, and again; the CRD outlives it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use testenv::{HelmMajor, World};

use crate::cluster::{IMAGE, alone, chart, fresh, helm, install_crd, kubectl, kubectl_with, namespace, ok, world};

const COLUMN: &str = "    - jsonPath: .spec.grant.type\n      name: Grant\n      priority: 1\n      type: string\n";
const SOURCE: &str = r"
apiVersion: tokensource.dev/v1alpha1
kind: TokenSource
metadata: {name: stays}
spec: {tokenURL: https://login.example.com/token, clientID: c, clientAuthentication: {method: None}}
";

/// The chart as an earlier version had it, with a CRD that lacks a column.
fn earlier_chart() -> TempDir {
    let folder = TempDir::new().unwrap();
    copy(&chart(), folder.path());
    let (crd, about) = (folder.path().join("files/crd.yaml"), folder.path().join("Chart.yaml"));
    let text = fs::read_to_string(&crd).unwrap();
    assert!(text.contains(COLUMN));
    fs::write(&crd, text.replace(COLUMN, "")).unwrap();
    let text = fs::read_to_string(&about).unwrap();
    fs::write(&about, text.replace("\nversion: ", "\nversion: 0.0.1-before.")).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { _ = fs::copy(entry.path(), target).unwrap() }
    }
}

struct Release<'a> {
    world: &'a World,
    major: HelmMajor,
    namespace: &'a str,
}

impl Release<'_> {
    fn helm(&self, args: &[&str]) -> String {
        ok(&helm(self.world, self.major, &[args, &["-n", self.namespace]].concat()))
    }

    fn install(&self, from: &Path, more: &[&str]) -> String {
        self.helm(&[&["install", "keep", from.to_str().unwrap(), "--set", IMAGE], more].concat())
    }

    fn object(&self, what: &str) -> Option<Value> {
        let answer = kubectl(self.world, &["get", what, "-n", self.namespace, "-o", "json"]);
        answer.status.success().then(|| serde_json::from_slice(&answer.stdout).unwrap())
    }

    fn replicas(&self) -> Value {
        self.object("deployment/keep-tokensource").unwrap()["spec"]["replicas"].clone()
    }

    fn crd(&self) -> Value {
        self.object("crd/tokensources.tokensource.dev").unwrap()
    }

    fn crd_is_new(&self) -> bool {
        self.crd()["spec"]["versions"][0]["additionalPrinterColumns"].to_string().contains("\"Grant\"")
    }

    /// From an earlier version to this one, back, and on; then out, and in again.
    fn live(&self, first: &[&str]) {
        let (earlier, chart) = (earlier_chart(), chart());
        let notes = self.install(earlier.path(), first);
        assert!(notes.contains("kubectl get tks") && notes.contains("The CRD stays"), "{notes}");
        assert_eq!((self.replicas(), self.crd_is_new()), (2.into(), false));

        let upgrade = ["upgrade", "keep", chart.to_str().unwrap(), "--set", IMAGE, "--set", "replicas=3"];
        self.helm(&upgrade);
        assert_eq!((self.replicas(), self.crd_is_new()), (3.into(), true));
        self.helm(&["rollback", "keep", "1"]);
        assert_eq!(self.replicas(), 2);
        self.helm(&upgrade);
        assert!(self.crd_is_new());

        ok(&kubectl_with(self.world, &["apply", "-n", self.namespace], SOURCE));
        let uid = self.crd()["metadata"]["uid"].clone();
        self.helm(&["uninstall", "keep"]);
        assert!(self.object("deployment/keep-tokensource").is_none());
        assert_eq!((self.crd()["metadata"]["uid"].clone(), self.object("tks/stays").is_some()), (uid.clone(), true));

        self.install(&chart, &[]);
        assert_eq!(self.crd()["metadata"]["uid"], uid);
        self.helm(&["uninstall", "keep"]);
        ok(&kubectl(self.world, &["delete", "tks/stays", "-n", self.namespace]));
    }
}

#[tokio::test]
async fn the_crd_is_upgraded_with_the_release_and_outlives_it() {
    let (_turn, world, name) = (alone().await, world(), fresh("chart-life"));
    install_crd(&world);
    namespace(&world, &name, &[]);
    // The CRD of somebody else becomes the release's; Helm 4, which applies on the server, says that it means it where Helm 3
    // or kubectl wrote before.
    for (major, first) in [(HelmMajor::Three, "--take-ownership"), (HelmMajor::Four, "--force-conflicts")] {
        Release { world: &world, major, namespace: &name }.live(&[first]);
    }
}

#[tokio::test]
async fn releases_of_one_name_live_side_by_side_where_one_brings_the_crd() {
    let (_turn, world) = (alone().await, world());
    install_crd(&world);
    let names = [fresh("chart-left"), fresh("chart-right")];
    for (major, name) in HelmMajor::ALL.into_iter().zip(&names) {
        namespace(&world, name, &[]);
        let watched = format!("namespaces={{{name}}}");
        let release = Release { world: &world, major, namespace: name };
        release.install(&chart(), &["--set", "crds.install=false", "--set", &watched]);
    }
    for (major, name) in HelmMajor::ALL.into_iter().zip(&names) {
        Release { world: &world, major, namespace: name }.helm(&["uninstall", "keep"]);
    }
}
