//! The folder that a node lives in, and its clearing. Containers are children of shims that outlive containerd on purpose,
//! and their mounts outlive everybody: without this, removing the folder would fail, or empty what is mounted there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::error::Error;
use crate::guardian::Guardian;
use crate::scratch::Scratch;

/// Clears the folder `$1`. A shim is known by the socket on its command line; only those of this folder are touched, by their ids.
pub(crate) const CLEAR: &str = r#"
socket=$1/containerd.sock
tasks=$1/state/io.containerd.runtime.v2.task/k8s.io
for process in /proc/[0-9]*; do
  tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF -- "$socket" || continue
  shim=${process#/proc/}
  for child in $(grep -ls "^PPid:[[:space:]]*$shim\$" /proc/[0-9]*/status); do
    child=${child#/proc/}
    kill -s KILL "${child%/status}" 2>/dev/null
  done
  kill -s KILL "$shim" 2>/dev/null
done
for task in "$tasks"/*; do
  [ -f "$task/address" ] || continue
  address=$(cat "$task/address")
  rm -f -- "${address#unix://}"
  rmdir /sys/fs/cgroup/k8s.io/"${task##*/}" /sys/fs/cgroup/*/k8s.io/"${task##*/}" 2>/dev/null
done
while read -r _ place _; do
  case $place in "$1"/*) printf '%s\n' "$place" ;; esac
done </proc/self/mounts | sort -r | while read -r place; do umount -l "$place"; done
for link in /var/log/containers/*; do
  case $(readlink "$link") in "$1"/*) rm -f -- "$link" ;; esac
done
# Empty ones only: a node of somebody else keeps its own.
rmdir /sys/fs/cgroup/k8s.io /sys/fs/cgroup/*/k8s.io /run/containerd/s /run/containerd 2>/dev/null
"#;

/// containerd's socket in a node's folder.
pub(super) fn socket(folder: &Path) -> PathBuf {
    folder.join("containerd.sock")
}

/// Where containerd keeps what runs.
pub(super) fn containerd_state(folder: &Path) -> PathBuf {
    folder.join("state")
}

/// The folder; cleared when dropped, and by the guardian if testenv itself is killed.
#[derive(Debug)]
pub(super) struct Premises {
    folder: PathBuf,
    guardian: Arc<Guardian>,
}

impl Premises {
    /// A new folder.
    pub(super) fn take(scratch: &Scratch) -> Result<Self, Error> {
        let folder = scratch.fresh_folder("node")?;
        let guardian = Arc::clone(scratch.guardian());
        guardian.guard_node(&folder);
        Ok(Self { folder, guardian })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Premises {
    fn drop(&mut self) {
        let mut clearing = Command::new("sh");
        clearing.args(["-c", CLEAR, "testenv-clear"]).arg(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Where it can't even be started, the guardian tries again.
        if clearing.status().is_ok() {
            self.guardian.release_node(&self.folder);
        }
    }
}
