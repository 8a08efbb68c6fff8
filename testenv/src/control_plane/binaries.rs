//! Where the control plane's programs come from: `KUBEBUILDER_ASSETS` (the envtest convention), then `PATH`, then the
//! cache, then a build from the pinned Go modules. Each program is searched for itself: envtest has no
//! kube-controller-manager.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::error::Error;
use crate::go;
use crate::progress::Progress;
use crate::scratch::Scratch;

/// `testenv/control-plane/go.mod` pins the same.
const KUBERNETES_VERSION: &str = "v1.36.3";
const ETCD_VERSION: &str = "v3.6.8";
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/control-plane");

/// The programs of a control plane.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub(crate) etcd: PathBuf,
    pub(crate) apiserver: PathBuf,
    pub(crate) controller_manager: PathBuf,
    pub(crate) kubectl: PathBuf,
}

/// The control plane's programs on a node.
#[derive(Clone, Debug)]
pub(crate) struct NodeBinaries {
    pub(crate) kubelet: PathBuf,
    pub(crate) scheduler: PathBuf,
}

/// A program, and the Go package it is built from.
struct Program {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    takes: &'static str,
}

const ETCD: Program = Program { name: "etcd", package: "go.etcd.io/etcd/server/v3", version: ETCD_VERSION, takes: "half a minute" };
const APISERVER: Program = of_kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "about 5 minutes");
const CONTROLLER_MANAGER: Program =
    of_kubernetes("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", "about a minute");
const KUBELET: Program = of_kubernetes("kubelet", "k8s.io/kubernetes/cmd/kubelet", "about a minute");
const SCHEDULER: Program = of_kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", "half a minute");
const KUBECTL: Program = of_kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl", "half a minute");

const fn of_kubernetes(name: &'static str, package: &'static str, takes: &'static str) -> Program {
    Program { name, package, version: KUBERNETES_VERSION, takes }
}

impl Binaries {
    /// Finds or builds all of them. One after the other: a Go build uses all cores, and later ones use what earlier compiled.
    pub(crate) async fn obtain(cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        let source = Source::of_environment(cache, scratch, progress);
        Ok(Self {
            apiserver: source.obtain(&APISERVER).await?,
            controller_manager: source.obtain(&CONTROLLER_MANAGER).await?,
            etcd: source.obtain(&ETCD).await?,
            kubectl: source.obtain(&KUBECTL).await?,
        })
    }
}

impl NodeBinaries {
    /// Finds or builds both.
    pub(crate) async fn obtain(cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        let source = Source::of_environment(cache, scratch, progress);
        Ok(Self { kubelet: source.obtain(&KUBELET).await?, scheduler: source.obtain(&SCHEDULER).await? })
    }
}

struct Source<'a> {
    folders: Vec<PathBuf>,
    cache: &'a Cache,
    scratch: &'a Scratch,
    progress: &'a Progress,
}

impl<'a> Source<'a> {
    fn of_environment(cache: &'a Cache, scratch: &'a Scratch, progress: &'a Progress) -> Self {
        let folders = search_path(env::var_os("KUBEBUILDER_ASSETS").as_deref(), env::var_os("PATH").as_deref());
        Self { folders, cache, scratch, progress }
    }

    async fn obtain(&self, program: &Program) -> Result<PathBuf, Error> {
        if let Some(found) = find(program.name, &self.folders) {
            return Ok(found);
        }
        let item = format!("kubernetes-{KUBERNETES_VERSION}/{}", program.name);
        self.cache.item(&item, self.progress, |target| self.build(program, target)).await
    }

    async fn build(&self, program: &Program, target: PathBuf) -> Result<(), Error> {
        let build = go::Build {
            part: "control plane",
            name: program.name,
            version: program.version,
            module: MODULE,
            package: program.package,
            linker_flags: &linker_flags(),
            takes: program.takes,
        };
        build.run(&target, self.scratch, self.progress).await
    }
}

/// Without a version, Helm and kubectl stumble over `v0.0.0-master+$Format`.
fn linker_flags() -> String {
    let mut numbers = KUBERNETES_VERSION.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let package = "k8s.io/component-base/version";
    format!("-s -w -X {package}.gitVersion={KUBERNETES_VERSION} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}")
}

fn search_path(assets: Option<&OsStr>, path: Option<&OsStr>) -> Vec<PathBuf> {
    let assets = assets.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    assets.into_iter().chain(path.iter().flat_map(env::split_paths)).collect()
}

fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubebuilder_assets_come_before_the_path() {
        let folders = search_path(Some(OsStr::new("assets")), Some(OsStr::new("bin:sbin")));
        assert_eq!(folders, [PathBuf::from("assets"), PathBuf::from("bin"), PathBuf::from("sbin")]);
        assert_eq!(search_path(Some(OsStr::new("")), None), Vec::<PathBuf>::new());
    }

    #[test]
    fn only_programs_are_found() {
        let folders = [PathBuf::from(MODULE), PathBuf::from("/bin"), PathBuf::from("/usr/bin")];
        assert_eq!(find("go.mod", &folders), None);
        assert!(find("sh", &folders).is_some());
    }

    #[test]
    fn the_version_is_the_one_that_go_mod_pins() {
        let module = std::fs::read_to_string(Path::new(MODULE).join("go.mod")).unwrap();
        assert!(module.contains(&format!("require k8s.io/kubernetes {KUBERNETES_VERSION}\n")));
        assert!(module.contains(&format!("go.etcd.io/etcd/server/v3 {ETCD_VERSION} ")));
        assert!(linker_flags().ends_with("gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"));
    }
}
