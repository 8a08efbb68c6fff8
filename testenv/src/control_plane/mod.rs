//! A Kubernetes control plane without nodes: etcd, kube-apiserver, kube-controller-manager.

mod binaries;
mod configuration;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

pub(crate) use binaries::{Binaries, NodeBinaries};
pub(crate) use configuration::Configuration;

use crate::error::Error;
use crate::ports;
use crate::process::Process;
use crate::progress::Progress;
use crate::ready;
use crate::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(120);

/// A running control plane.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    etcd: Process,
    apiserver: Process,
    controller_manager: Process,
    /// Keys, kubeconfigs, the audit log.
    pub(crate) configuration: Configuration,
    /// The program.
    pub(crate) kubectl: PathBuf,
}

impl ControlPlane {
    /// Starts it, and waits until the API server is ready and the controllers run.
    pub(crate) async fn start(binaries: &Binaries, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        progress.say("control plane", "starting etcd, kube-apiserver and kube-controller-manager …");
        let started = ready::retried(|| Self::try_start(binaries, scratch)).await?;
        progress.say("control plane", "ready");
        Ok(started)
    }

    async fn try_start(binaries: &Binaries, scratch: &Scratch) -> Result<Self, Error> {
        let folder = scratch.fresh_folder("control-plane")?;
        let [client, peer, api, controllers] = ports::free()?;
        let (etcd_url, server) = (format!("http://127.0.0.1:{client}"), format!("https://127.0.0.1:{api}"));
        let configuration = Configuration::write(&folder, &server)?;
        let mut etcd = Process::spawn(scratch, "etcd", &binaries.etcd, |command| {
            etcd_arguments(command, &folder.join("etcd"), &etcd_url, &format!("http://127.0.0.1:{peer}"));
        })
        .await?;
        let mut apiserver = Process::spawn(scratch, "kube-apiserver", &binaries.apiserver, |command| {
            apiserver_arguments(command, &configuration, &etcd_url, api);
        })
        .await?;
        let client = ready::probe_client(Some(&configuration.ca))?;
        // The controller manager gives up after 10 s without an API server, so it comes second.
        ready::until_ok(&client, &format!("{server}/readyz"), &mut [&mut etcd, &mut apiserver], LIMIT).await?;
        let mut controller_manager = Process::spawn(scratch, "kube-controller-manager", &binaries.controller_manager, |command| {
            controller_manager_arguments(command, &configuration, controllers);
        })
        .await?;
        let controllers_health = format!("https://127.0.0.1:{controllers}/healthz");
        ready::until_ok(&client, &controllers_health, &mut [&mut apiserver, &mut controller_manager], LIMIT).await?;
        Ok(Self { etcd, apiserver, controller_manager, configuration, kubectl: binaries.kubectl.clone() })
    }

    /// Ends it, clients first, so that none waits for a server that is gone.
    pub(crate) async fn end(self) {
        self.controller_manager.end().await;
        self.apiserver.end().await;
        self.etcd.end().await;
    }
}

fn etcd_arguments(command: &mut Command, data: &Path, client_url: &str, peer_url: &str) {
    command.arg("--name=testenv").arg(format!("--data-dir={}", data.display()));
    command.arg(format!("--listen-client-urls={client_url}")).arg(format!("--advertise-client-urls={client_url}"));
    command.arg(format!("--listen-peer-urls={peer_url}")).arg(format!("--initial-advertise-peer-urls={peer_url}"));
    command.arg(format!("--initial-cluster=testenv={peer_url}"));
    // Nobody needs this data after a power cut.
    command.arg("--unsafe-no-fsync").arg("--log-level=warn");
}

fn apiserver_arguments(command: &mut Command, configuration: &Configuration, etcd_url: &str, port: u16) {
    let path = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    command.arg(format!("--etcd-servers={etcd_url}"));
    command.args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"]).arg(format!("--secure-port={port}"));
    command.arg(path("tls-cert-file", &configuration.serving_certificate));
    command.arg(path("tls-private-key-file", &configuration.serving_key));
    command.args(["--authorization-mode=Node,RBAC", "--anonymous-auth=true"]).arg(path("token-auth-file", &configuration.tokens));
    command.arg("--service-account-issuer=https://kubernetes.default.svc");
    command.arg(path("service-account-key-file", &configuration.service_account_key));
    command.arg(path("service-account-signing-key-file", &configuration.service_account_key));
    command.arg("--service-cluster-ip-range=10.0.0.0/24");
    // There is no second API server to agree with about the endpoints of service `kubernetes`.
    command.arg("--endpoint-reconciler-type=none");
    command.arg(path("audit-policy-file", &configuration.audit_policy)).arg(path("audit-log-path", &configuration.audit_log));
    // Written before the answer is sent: a test that has its answer finds it in the log.
    command.args(["--audit-log-mode=blocking", "--audit-log-format=json"]);
}

fn controller_manager_arguments(command: &mut Command, configuration: &Configuration, port: u16) {
    let path = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    command.args(["--bind-address=127.0.0.1"]).arg(format!("--secure-port={port}"));
    command.arg(path("tls-cert-file", &configuration.serving_certificate));
    command.arg(path("tls-private-key-file", &configuration.serving_key));
    for flag in ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"] {
        command.arg(path(flag, &configuration.controller_manager));
    }
    command.arg(path("root-ca-file", &configuration.ca));
    command.arg(path("service-account-private-key-file", &configuration.service_account_key));
    // One instance: an election would only cost seconds and requests.
    command.args(["--use-service-account-credentials=true", "--leader-elect=false"]);
}
