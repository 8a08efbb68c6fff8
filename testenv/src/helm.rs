//! Helm, both majors that people use: `PATH` first, then the cache, then a build from the pinned Go modules.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::Cache;
use crate::error::Error;
use crate::go;
use crate::progress::Progress;
use crate::scratch::Scratch;

const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/helm");

/// Minor version of the Kubernetes libraries that `testenv/helm/go.mod` pins.
const KUBERNETES_MINOR: &str = "37";

/// A major version of Helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelmMajor {
    /// Helm 3.
    Three,
    /// Helm 4.
    Four,
}

impl HelmMajor {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Three, Self::Four];

    /// `testenv/helm/go.mod` pins the same.
    const fn version(self) -> &'static str {
        match self {
            Self::Three => "v3.22.0",
            Self::Four => "v4.3.1",
        }
    }

    const fn digit(self) -> &'static str {
        match self {
            Self::Three => "3",
            Self::Four => "4",
        }
    }
}

/// The programs.
#[derive(Clone, Debug)]
pub(crate) struct Helms {
    pub(crate) three: PathBuf,
    pub(crate) four: PathBuf,
}

impl Helms {
    /// Finds or builds both, one after the other: they share most of what is compiled.
    pub(crate) async fn obtain(cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        let four = obtain(HelmMajor::Four, cache, scratch, progress).await?;
        Ok(Self { three: obtain(HelmMajor::Three, cache, scratch, progress).await?, four })
    }
}

async fn obtain(major: HelmMajor, cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<PathBuf, Error> {
    if let Some(found) = find(major) {
        return Ok(found);
    }
    let item = format!("helm-{}/helm", major.version());
    cache.item(&item, progress, async |target| build(major, &target, scratch, progress).await).await
}

async fn build(major: HelmMajor, target: &Path, scratch: &Scratch, progress: &Progress) -> Result<(), Error> {
    let (digit, version) = (major.digit(), major.version());
    let build = go::Build {
        part: "helm",
        name: &format!("helm{digit}"),
        version,
        module: MODULE,
        package: &format!("helm.sh/helm/v{digit}/cmd/helm"),
        linker_flags: &linker_flags(digit, version),
        takes: "2 to 5 minutes",
    };
    build.run(target, scratch, progress).await
}

/// Helm 3 takes the Kubernetes version that it renders for from the linker too: without it charts would be for 1.20. Helm 4
/// knows it by itself, and no such variable; the linker passes over what is not there.
fn linker_flags(digit: &str, version: &str) -> String {
    let helm = format!("helm.sh/helm/v{digit}");
    let kubernetes =
        |package: &str| format!("-X {helm}/{package}.k8sVersionMajor=1 -X {helm}/{package}.k8sVersionMinor={KUBERNETES_MINOR}");
    format!("-s -w -X {helm}/internal/version.version={version} {} {}", kubernetes("pkg/chartutil"), kubernetes("pkg/lint/rules"))
}

/// A program in `PATH` that says it is of this major: `helm3` and `helm4` are the names where somebody has both.
fn find(major: HelmMajor) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let named = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    [format!("helm{}", major.digit()), "helm".to_owned()].iter().filter_map(|name| named(name)).find(|path| is_of(major, path))
}

fn is_of(major: HelmMajor, program: &Path) -> bool {
    let said = Command::new(program).args(["version", "--template", "{{.Version}}"]).output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).starts_with(&format!("v{}.", major.digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_that_go_mod_pins() {
        let module = std::fs::read_to_string(Path::new(MODULE).join("go.mod")).unwrap();
        for major in HelmMajor::ALL {
            assert!(module.contains(&format!("helm.sh/helm/v{} {} ", major.digit(), major.version())), "{major:?}");
        }
        assert!(module.contains(&format!("k8s.io/client-go v0.{KUBERNETES_MINOR}.")));
    }

    #[test]
    fn another_program_is_no_helm() {
        assert!(!is_of(HelmMajor::Four, Path::new("/bin/echo")));
        assert!(!is_of(HelmMajor::Four, Path::new("/no/such/program")));
    }
}
