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

/// A server of the control plane that can be taken away for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlPlaneServer {
    /// etcd. Its data stay.
    Etcd,
    /// kube-apiserver.
    Apiserver,
}

impl ControlPlaneServer {
    fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Apiserver => "kube-apiserver",
        }
    }
}

/// A running control plane.
#[derive(Debug)]
pub struct ControlPlane {
    etcd: Option<Process>,
    apiserver: Option<Process>,
    controller_manager: Process,
    launch: Launch,
    starts: u32,
    /// Keys, kubeconfigs, the audit log.
    pub(crate) configuration: Configuration,
    /// The program.
    pub(crate) kubectl: PathBuf,
}

/// What a server is started with, again too: the same addresses and data.
#[derive(Debug)]
struct Launch {
    etcd: PathBuf,
    apiserver: PathBuf,
    data: PathBuf,
    etcd_url: String,
    peer_url: String,
    port: u16,
}

impl Launch {
    async fn start(
        &self,
        server: ControlPlaneServer,
        log: &str,
        configuration: &Configuration,
        scratch: &Scratch,
    ) -> Result<Process, Error> {
        match server {
            ControlPlaneServer::Etcd => {
                Process::spawn(scratch, log, &self.etcd, |command| etcd_arguments(command, &self.data, &self.etcd_url, &self.peer_url))
                    .await
            }
            ControlPlaneServer::Apiserver => {
                let set_up = |command: &mut Command| apiserver_arguments(command, configuration, &self.etcd_url, self.port);
                Process::spawn(scratch, log, &self.apiserver, set_up).await
            }
        }
    }

    fn readyz(&self) -> String {
        format!("https://127.0.0.1:{}/readyz", self.port)
    }
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
        let launch = Launch {
            etcd: binaries.etcd.clone(),
            apiserver: binaries.apiserver.clone(),
            data: folder.join("etcd"),
            etcd_url,
            peer_url: format!("http://127.0.0.1:{peer}"),
            port: api,
        };
        let start = |server: ControlPlaneServer| launch.start(server, server.name(), &configuration, scratch);
        let mut etcd = start(ControlPlaneServer::Etcd).await?;
        let mut apiserver = start(ControlPlaneServer::Apiserver).await?;
        let client = ready::probe_client(Some(&configuration.ca))?;
        // The controller manager gives up after 10 s without an API server, so it comes second.
        ready::until_ok(&client, &launch.readyz(), &mut [&mut etcd, &mut apiserver], LIMIT).await?;
        let mut controller_manager = Process::spawn(scratch, "kube-controller-manager", &binaries.controller_manager, |command| {
            controller_manager_arguments(command, &configuration, controllers);
        })
        .await?;
        let controllers_health = format!("https://127.0.0.1:{controllers}/healthz");
        ready::until_ok(&client, &controllers_health, &mut [&mut apiserver, &mut controller_manager], LIMIT).await?;
        let (etcd, apiserver, kubectl) = (Some(etcd), Some(apiserver), binaries.kubectl.clone());
        Ok(Self { etcd, apiserver, controller_manager, launch, starts: 1, configuration, kubectl })
    }

    /// Ends it, clients first, so that none waits for a server that is gone.
    pub(crate) async fn end(self) {
        self.controller_manager.end().await;
        for server in [self.apiserver, self.etcd].into_iter().flatten() {
            server.end().await;
        }
    }

    /// Kills a server, without a warning.
    pub fn kill(&mut self, server: ControlPlaneServer) {
        drop(self.process(server).take());
    }

    /// Starts a server that was killed, where it was, and waits until the API server is ready again.
    pub async fn start_again(&mut self, server: ControlPlaneServer, scratch: &Scratch) -> Result<(), Error> {
        self.starts += 1;
        let log = format!("{}-{}", server.name(), self.starts);
        *self.process(server) = Some(self.launch.start(server, &log, &self.configuration, scratch).await?);
        let client = ready::probe_client(Some(&self.configuration.ca))?;
        let mut processes: Vec<&mut Process> = [self.etcd.as_mut(), self.apiserver.as_mut()].into_iter().flatten().collect();
        ready::until_ok(&client, &self.launch.readyz(), &mut processes, LIMIT).await
    }

    fn process(&mut self, server: ControlPlaneServer) -> &mut Option<Process> {
        match server {
            ControlPlaneServer::Etcd => &mut self.etcd,
            ControlPlaneServer::Apiserver => &mut self.apiserver,
        }
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
