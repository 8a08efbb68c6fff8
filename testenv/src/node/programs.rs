//! The programs of a node: containerd and its kin from the distribution, kubelet and scheduler as the control plane's.

use std::env;
use std::path::PathBuf;

use rustix::process::geteuid;

use crate::cache::Cache;
use crate::control_plane::NodeBinaries;
use crate::error::Error;
use crate::progress::Progress;
use crate::scratch::Scratch;

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) kubelet: PathBuf,
    pub(crate) scheduler: PathBuf,
    pub(crate) containerd: PathBuf,
    pub(crate) ctr: PathBuf,
    pub(crate) busybox: PathBuf,
}

impl Programs {
    /// Finds or builds them; what only the distribution has is asked for first.
    pub(crate) async fn obtain(cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        // containerd starts the last two itself.
        let [containerd, ctr, _, _] = [
            installed("containerd", "containerd")?,
            installed("ctr", "containerd")?,
            installed("containerd-shim-runc-v2", "containerd")?,
            installed("runc", "runc")?,
        ];
        let busybox = installed("busybox", "busybox-static")?;
        let NodeBinaries { kubelet, scheduler } = NodeBinaries::obtain(cache, scratch, progress).await?;
        Ok(Self { kubelet, scheduler, containerd, ctr, busybox })
    }
}

fn installed(program: &'static str, package: &'static str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file());
    found.ok_or(Error::NotInstalled { program, package })
}
