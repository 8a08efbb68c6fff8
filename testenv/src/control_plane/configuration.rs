//! The files that the control plane is started with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::error::{Error, InFile};
use crate::node;
use crate::pki;
use crate::yaml;

/// What is asked of this API server lasts minutes and is reachable from this machine only.
const ADMINISTRATOR_TOKEN: &str = "testenv-administrator";
const CONTROLLER_MANAGER_TOKEN: &str = "testenv-controller-manager";
const SCHEDULER_TOKEN: &str = "testenv-scheduler";
const NODE_TOKEN: &str = "testenv-node";

/// Names that clients on this machine and, by convention, in pods use for an API server.
const SERVER_NAMES: [&str; 6] = ["127.0.0.1", "10.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];

/// One request a line, without bodies. Not logged twice: `RequestReceived` would say the same as the answer.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n  - level: Metadata\n";

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) ca: PathBuf,
    pub(crate) serving_certificate: PathBuf,
    pub(crate) serving_key: PathBuf,
    pub(crate) service_account_key: PathBuf,
    pub(crate) tokens: PathBuf,
    pub(crate) audit_policy: PathBuf,
    /// JSON lines, one or two a request.
    pub(crate) audit_log: PathBuf,
    /// A kubeconfig file, as the following.
    pub(crate) administrator: PathBuf,
    pub(crate) controller_manager: PathBuf,
    pub(crate) scheduler: PathBuf,
    pub(crate) node: PathBuf,
}

impl Configuration {
    /// Writes them to `folder`, for an API server at `server` (URL).
    pub(crate) fn write(folder: &Path, server: &str) -> Result<Self, Error> {
        let file = |name: &str| folder.join(name);
        let configuration = Self {
            ca: file("ca.crt"),
            serving_certificate: file("apiserver.crt"),
            serving_key: file("apiserver.key"),
            service_account_key: file("service-account.key"),
            tokens: file("tokens.csv"),
            audit_policy: file("audit-policy.yaml"),
            audit_log: file("audit.jsonl"),
            administrator: file("kubeconfig"),
            controller_manager: file("controller-manager.kubeconfig"),
            scheduler: file("scheduler.kubeconfig"),
            node: file("node.kubeconfig"),
        };
        let ca_pem = configuration.write_keys()?;
        write_private(&configuration.tokens, &tokens())?;
        write_private(&configuration.audit_policy, AUDIT_POLICY)?;
        write_private(&configuration.audit_log, "")?;
        for (path, user, token) in [
            (&configuration.administrator, "administrator", ADMINISTRATOR_TOKEN),
            (&configuration.controller_manager, "controller-manager", CONTROLLER_MANAGER_TOKEN),
            (&configuration.scheduler, "scheduler", SCHEDULER_TOKEN),
            (&configuration.node, "node", NODE_TOKEN),
        ] {
            write_private(path, &kubeconfig(server, &ca_pem, user, token))?;
        }
        Ok(configuration)
    }

    /// A CA of our own, because rustls refuses the API server's self-signed certificate as an issuer. Gives the CA's PEM.
    fn write_keys(&self) -> Result<String, Error> {
        let ca = pki::authority("testenv-kubernetes-ca")?;
        let key = rcgen::KeyPair::generate()?;
        let certificate = pki::serving("kube-apiserver", &SERVER_NAMES)?.signed_by(&key, &ca)?;
        write_private(&self.ca, &ca.pem())?;
        write_private(&self.serving_certificate, &certificate.pem())?;
        write_private(&self.serving_key, &key.serialize_pem())?;
        write_private(&self.service_account_key, &pki::rsa_key()?.serialize_pem())?;
        Ok(ca.pem())
    }
}

/// `system:kube-controller-manager` and `system:kube-scheduler` are bound by the API server's bootstrap roles; controllers
/// have service accounts of their own, so that the audit log tells them apart. A node's user is known by its name and group.
fn tokens() -> String {
    format!(
        "{ADMINISTRATOR_TOKEN},administrator,administrator,\"system:masters\"\n\
         {CONTROLLER_MANAGER_TOKEN},system:kube-controller-manager,system:kube-controller-manager\n\
         {SCHEDULER_TOKEN},system:kube-scheduler,system:kube-scheduler\n\
         {NODE_TOKEN},system:node:{node},system:node:{node},\"system:nodes\"\n",
        node = node::NAME,
    )
}

fn kubeconfig(server: &str, ca_pem: &str, user: &str, token: &str) -> String {
    yaml::document(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testenv", "cluster": {"server": server, "certificate-authority-data": STANDARD.encode(ca_pem)}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "testenv", "context": {"cluster": "testenv", "user": user}}],
        "current-context": "testenv",
    }))
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).in_file(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).in_file(path)
}
