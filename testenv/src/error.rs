//! Why a world can't be had, and the command that mends it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::image::DockerfileError;

/// Why a world, or a part of it, can't be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A control plane or Helm is to be built, and there is no Go.
    #[error(
        "no Go toolchain found: install Go 1.26; or set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kube-controller-manager, and have Helm 3 and 4 in PATH (helm3, helm4)"
    )]
    NoGo,
    /// A node mounts, and starts containers.
    #[error("a node works as root only: run it as root, or leave it out: `testenv run --with control-plane …`")]
    NotRoot,
    /// A node needs a program that only the distribution has.
    #[error(
        "no {program} found: install it (Debian: `apt-get install {package}`), or leave out the node: `testenv run --with control-plane …`"
    )]
    NotInstalled {
        /// What is missing.
        program: &'static str,
        /// Debian's package.
        package: &'static str,
    },
    /// Keycloak or the UAA is to be obtained, and there is no Maven.
    #[error("no Maven found: install it (Debian: `apt-get install maven`), or leave out the servers: `testenv run --with control-plane …`")]
    NoMaven,
    /// Keycloak and the UAA need a Java runtime.
    #[error(
        "no Java 17 or newer found ({found}): install one (Debian: `apt-get install openjdk-17-jre-headless`) or set JAVA_HOME, or leave out the servers: `testenv run --with control-plane …`"
    )]
    NoJava {
        /// What there is instead.
        found: String,
    },
    /// Archives are unpacked with `unzip`.
    #[error("no unzip found: install it (Debian: `apt-get install unzip`)")]
    NoUnzip,
    /// There is nowhere to keep what was built.
    #[error("no cache folder: set TOKENSOURCE_TESTENV_CACHE, or HOME")]
    NoCacheFolder,
    /// A program that builds or fetches something failed.
    #[error("{what} failed; its log is {}, which ends with:\n{last_lines}", log.display())]
    Build {
        /// What was being done.
        what: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        last_lines: String,
    },
    /// A server ended before it was ready.
    #[error("{process} ended while starting; its log is {}, which ends with:\n{last_lines}", log.display())]
    Ended {
        /// The server's name.
        process: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        last_lines: String,
    },
    /// A server did not become ready in time.
    #[error("{process} was not ready after {} s; its log is {}, which ends with:\n{last_lines}", limit.as_secs(), log.display())]
    NotReady {
        /// The server's name.
        process: String,
        /// How long was waited.
        limit: Duration,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        last_lines: String,
    },
    /// A program can't be started at all.
    #[error("can't start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A file or folder can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No free loopback port.
    #[error("no free port on 127.0.0.1: {0}")]
    Port(io::Error),
    /// Keys or certificates could not be made.
    #[error("can't make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The scripted endpoint's TLS could not be set up.
    #[error("can't set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The readiness probes' HTTP client could not be set up.
    #[error("can't set up https: {0}")]
    Https(#[from] reqwest::Error),
    /// A configuration could not be written as JSON.
    #[error("can't write a configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// A Dockerfile can't be followed here.
    #[error(transparent)]
    Dockerfile(#[from] DockerfileError),
}

impl Error {
    /// True where the message names a log, which then has to stay.
    pub fn names_log(&self) -> bool {
        matches!(self, Self::Build { .. } | Self::Ended { .. } | Self::NotReady { .. })
    }

    /// True where the port was taken between choosing and listening: another try with other ports helps.
    pub(crate) fn is_port_taken(&self) -> bool {
        let Self::Ended { last_lines, .. } = self else { return false };
        ["address already in use", "Address already in use", "already in use", "BindException"].iter().any(|sign| last_lines.contains(sign))
    }
}

/// Names the file in an I/O error.
pub(crate) trait InFile<T> {
    /// The error with `path`.
    fn in_file(self, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T> InFile<T> for io::Result<T> {
    fn in_file(self, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|source| Error::File { path: path.into(), source })
    }
}
