//! The operator as a release of the chart, with the image that `make image` has built.

use std::env;
use std::net::TcpListener;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use testenv::{HelmMajor, World};

use crate::cluster::{Cluster, printed};

const NAME: &str = "tokensource";
const NAMESPACE: &str = "tokensource-system";
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/tokensource");
/// The same image under another tag: what an upgrade changes.
const NEXT_TAG: &str = "next";

/// The release and the images that it may have.
pub struct Release<'a> {
    world: &'a World,
    cluster: &'a Cluster,
    repository: String,
    tag: String,
    metrics_port: u16,
}

impl<'a> Release<'a> {
    /// Gives the node the image.
    pub fn of(world: &'a World, cluster: &'a Cluster) -> Self {
        let image = env::var("TOKENSOURCE_IMAGE").expect("run `make e2e`, which builds the image and names it");
        let archive = env::var_os("TOKENSOURCE_IMAGE_TAR").expect("run `make e2e`");
        let (repository, tag) = image.rsplit_once(':').unwrap();
        cluster.import_image(&archive, &image, &format!("{repository}:{NEXT_TAG}"));
        // The pod has the host's network, and 8080 may be somebody's.
        let metrics_port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        Self { world, cluster, repository: repository.to_owned(), tag: tag.to_owned(), metrics_port }
    }

    pub fn install(&self) {
        self.helm(&["install", NAME, CHART, "--create-namespace", "--values"], Some(&self.tag));
        self.must_run(&self.tag);
    }

    /// `helm test`: the operator's image and rights suffice for `tokensource status`, and the labelled sources are Ready.
    pub fn test(&self) {
        let mut command = self.world.helm(HelmMajor::Four).unwrap();
        printed(command.args(["test", NAME, "--namespace", NAMESPACE, "--timeout", "120s"]));
    }

    pub fn upgrade(&self) {
        self.helm(&["upgrade", NAME, CHART, "--values"], Some(NEXT_TAG));
        self.must_run(NEXT_TAG);
    }

    /// To the first revision.
    pub fn roll_back(&self) {
        self.helm(&["rollback", NAME, "1"], None);
        self.must_run(&self.tag);
    }

    pub fn uninstall(&self) {
        self.helm(&["uninstall", NAME], None);
        assert!(!self.cluster.kubectl(["get", "crd", "tokensources.tokensource.dev", "-o", "name"]).is_empty(), "the CRD stays");
    }

    /// Runs `helm` and waits; the last word takes a file of values for the image with this tag.
    fn helm(&self, words: &[&str], tag: Option<&str>) {
        let mut command = self.world.helm(HelmMajor::Four).unwrap();
        command.args(words);
        let values = NamedTempFile::new().unwrap();
        if let Some(tag) = tag {
            std::fs::write(values.path(), self.values(tag).to_string()).unwrap();
            command.arg(values.path());
        }
        printed(command.args(["--namespace", NAMESPACE, "--wait", "--timeout", "120s"]));
    }

    fn must_run(&self, tag: &str) {
        let images = self.cluster.kubectl(["get", "pods", "-n", NAMESPACE, "-o", "jsonpath={.items[*].spec.containers[*].image}"]);
        assert!(images.split(' ').any(|image| image == format!("{}:{tag}", self.repository)), "{images}");
    }

    /// The node has no network of its own and no DNS, so the pod uses the host's, and is told where the API server is. The
    /// authorization server is on loopback. Two replicas would want the same port.
    fn values(&self, tag: &str) -> Value {
        let (host, port) = self.cluster.api_server();
        json!({
            "image": {"repository": self.repository, "tag": tag, "pullPolicy": "Never"},
            "replicas": 1,
            "hostNetwork": true,
            "dnsPolicy": "Default",
            "metrics": {"port": self.metrics_port},
            "egress": {"allowCidrs": ["127.0.0.0/8"]},
            "extraEnv": [{"name": "KUBERNETES_SERVICE_HOST", "value": host}, {"name": "KUBERNETES_SERVICE_PORT", "value": port}],
        })
    }
}
