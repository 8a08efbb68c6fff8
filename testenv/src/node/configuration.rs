//! The files that containerd and the kubelet are started with. Everything that they write lies under the node's folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::images::TOOLS_IMAGE;
use super::premises;
use crate::error::{Error, InFile};
use crate::ports;
use crate::yaml;

/// Where the files are.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) containerd: PathBuf,
    pub(super) kubelet: PathBuf,
    pub(super) kubelet_root: PathBuf,
    /// Where the kubelet says whether it is healthy.
    pub(super) kubelet_port: u16,
    pub(super) socket: PathBuf,
    pub(super) pod_logs: PathBuf,
}

impl Configuration {
    /// Writes them to `folder`.
    pub(super) fn write(folder: &Path) -> Result<Self, Error> {
        let [kubelet_port] = ports::free()?;
        let configuration = Self {
            containerd: folder.join("containerd.toml"),
            kubelet: folder.join("kubelet.yaml"),
            kubelet_root: folder.join("kubelet"),
            kubelet_port,
            socket: premises::socket(folder),
            pod_logs: folder.join("pod-logs"),
        };
        let networks = folder.join("networks");
        fs::create_dir_all(&networks).in_file(&networks)?;
        write(&networks.join("none.conflist"), NO_NETWORK)?;
        write(&configuration.containerd, &containerd(folder, &configuration.socket))?;
        write(&configuration.kubelet, &configuration.for_kubelet(folder))?;
        Ok(configuration)
    }

    /// Nothing of the host's own is changed (iptables), nobody is let in (no server), and no pod is turned away because the
    /// machine is full. A changed Secret is seen at once and reaches its volumes within seconds: the kubelet's usual minute
    /// would only make tests long.
    fn for_kubelet(&self, folder: &Path) -> String {
        yaml::document(&json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": format!("unix://{}", self.socket.display()),
            "podLogsDir": self.pod_logs,
            "volumePluginDir": folder.join("volume-plugins"),
            "healthzBindAddress": "127.0.0.1",
            "healthzPort": self.kubelet_port,
            "enableServer": false,
            "makeIPTablesUtilChains": false,
            "failCgroupV1": false,
            "failSwapOn": false,
            "cgroupDriver": "cgroupfs",
            "cgroupsPerQOS": false,
            "enforceNodeAllocatable": [],
            "configMapAndSecretChangeDetectionStrategy": "Watch",
            "syncFrequency": "5s",
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        }))
    }
}

/// The node counts as ready with any network that parses; this one is never set up, since pods share the host's.
const NO_NETWORK: &str = r#"{"cniVersion": "0.4.0", "name": "none", "plugins": [{"type": "none"}]}"#;

/// `restrict_oom_score_adj`: inside a container or a small virtual machine even root may lack the capability to lower it.
fn containerd(folder: &Path, socket: &Path) -> String {
    // A JSON string is a string of TOML's too.
    let quoted = |path: &Path| json!(path).to_string();
    let within = |name: &str| quoted(&folder.join(name));
    format!(
        r#"version = 2
root = {root}
state = {state}
[grpc]
address = {socket}
[plugins."io.containerd.internal.v1.opt"]
path = {opt}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{TOOLS_IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {networks}
conf_dir = {networks}
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = {runc}
SystemdCgroup = false
"#,
        root = within("containerd"),
        state = quoted(&premises::containerd_state(folder)),
        socket = quoted(socket),
        opt = within("opt"),
        networks = within("networks"),
        runc = within("runc"),
    )
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).in_file(path)
}
