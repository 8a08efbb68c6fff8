//! A node for the control plane: containerd, the kubelet and the scheduler. It changes the machine that it runs on (mounts,
//! cgroups, processes that are nobody's children), so it works for root only, and takes everything back at its end.
//!
//! Pods get the host's network: there is no network plugin.

mod configuration;
mod images;
mod premises;
mod programs;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

pub(crate) use images::TOOLS_IMAGE;
pub(crate) use premises::CLEAR;
pub(crate) use programs::Programs;

use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::ports;
use crate::process::{self, Process};
use crate::progress::Progress;
use crate::ready;
use crate::scratch::Scratch;
use configuration::Configuration;
use premises::Premises;

/// The node's name.
pub(crate) const NAME: &str = "testenv";
/// Where containerd keeps what a kubelet has ordered.
pub(crate) const CONTAINERD_NAMESPACE: &str = "k8s.io";

const LIMIT: Duration = Duration::from_secs(60);

/// Ends what runs in containers while containerd still knows it; the shims then end by themselves. `$1` is `ctr`, `$2` the socket.
const END_TASKS: &str = r#"
for task in $("$1" -a "$2" -n k8s.io tasks list -q); do "$1" -a "$2" -n k8s.io tasks delete --force "$task" >/dev/null; done
"#;

/// A running node. Dropped from top to bottom: who starts containers goes before who runs them.
#[derive(Debug)]
pub(crate) struct Node {
    kubelet: Process,
    scheduler: Process,
    containerd: Process,
    ctr: PathBuf,
    /// containerd's socket.
    pub(crate) socket: PathBuf,
    /// What containers print: a folder a pod.
    pub(crate) pod_logs: PathBuf,
    premises: Premises,
}

impl Node {
    /// Starts it; when this returns the kubelet is healthy, and the node becomes ready within seconds.
    pub(crate) async fn start(
        programs: &Programs,
        control_plane: &ControlPlane,
        scratch: &Scratch,
        progress: &Progress,
    ) -> Result<Self, Error> {
        progress.say("node", "starting containerd, kubelet and kube-scheduler …");
        let premises = Premises::take(scratch)?;
        let configuration = Configuration::write(premises.folder())?;
        let mut containerd = Process::spawn(scratch, "containerd", &programs.containerd, |command| {
            command.arg("--config").arg(&configuration.containerd);
        })
        .await?;
        until_containerd_answers(programs, &configuration.socket, &mut containerd).await?;
        images::import(programs, &configuration.socket, scratch).await?;
        let scheduler = start_scheduler(programs, control_plane, scratch).await?;
        let kubelet = start_kubelet(programs, control_plane, &configuration, scratch).await?;
        progress.say("node", "ready");
        let Configuration { socket, pod_logs, .. } = configuration;
        Ok(Self { kubelet, scheduler, containerd, ctr: programs.ctr.clone(), socket, pod_logs, premises })
    }

    /// Ends it with everything that runs on it.
    pub(crate) async fn end(self, scratch: &Scratch) {
        self.kubelet.end().await;
        self.scheduler.end().await;
        // What this leaves is found on the premises.
        let _ = process::run(scratch, "ending-tasks", "ending the containers", Path::new("sh"), |command| {
            command.args(["-c", END_TASKS, "end-tasks"]).arg(&self.ctr).arg(&self.socket);
        })
        .await;
        self.containerd.end().await;
        drop(self.premises);
    }
}

/// `ctr` for this node's containers and images.
fn ctr(command: &mut Command, socket: &Path) {
    command.arg("-a").arg(socket).args(["-n", CONTAINERD_NAMESPACE]);
}

async fn until_containerd_answers(programs: &Programs, socket: &Path, containerd: &mut Process) -> Result<(), Error> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < LIMIT {
        containerd.check_running()?;
        let mut version = Command::new(&programs.ctr);
        ctr(&mut version, socket);
        if version.arg("version").output().await.is_ok_and(|output| output.status.success()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (log, last_lines) = (containerd.log().to_owned(), containerd.last_lines());
    Err(Error::NotReady { process: containerd.name().to_owned(), limit: LIMIT, log, last_lines })
}

async fn start_scheduler(programs: &Programs, control_plane: &ControlPlane, scratch: &Scratch) -> Result<Process, Error> {
    let files = &control_plane.configuration;
    let [port] = ports::free()?;
    let mut scheduler = Process::spawn(scratch, "kube-scheduler", &programs.scheduler, |command| {
        command.arg("--leader-elect=false").arg("--bind-address=127.0.0.1").arg(format!("--secure-port={port}"));
        command.arg("--tls-cert-file").arg(&files.serving_certificate).arg("--tls-private-key-file").arg(&files.serving_key);
        for flag in ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"] {
            command.arg(flag).arg(&files.scheduler);
        }
    })
    .await?;
    let client = ready::probe_client(Some(&files.ca))?;
    ready::until_ok(&client, &format!("https://127.0.0.1:{port}/healthz"), &mut [&mut scheduler], LIMIT).await?;
    Ok(scheduler)
}

async fn start_kubelet(
    programs: &Programs,
    control_plane: &ControlPlane,
    configuration: &Configuration,
    scratch: &Scratch,
) -> Result<Process, Error> {
    let mut kubelet = Process::spawn(scratch, "kubelet", &programs.kubelet, |command| {
        command.arg("--config").arg(&configuration.kubelet).arg("--kubeconfig").arg(&control_plane.configuration.node);
        command.arg("--root-dir").arg(&configuration.kubelet_root).arg("--cert-dir").arg(configuration.kubelet_root.join("pki"));
        command.arg(format!("--hostname-override={NAME}"));
    })
    .await?;
    let client = ready::probe_client(None)?;
    ready::until_ok(&client, &format!("http://127.0.0.1:{}/healthz", configuration.kubelet_port), &mut [&mut kubelet], LIMIT).await?;
    Ok(kubelet)
}
