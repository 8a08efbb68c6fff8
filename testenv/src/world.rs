//! What a test asks for the addresses of the running world.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::accounts::{REALM, SAML_AUDIENCE};
use crate::audit::{self, AuditEntry};
use crate::helm::HelmMajor;
use crate::node::{CONTAINERD_NAMESPACE, TOOLS_IMAGE};

/// The environment variables by which `testenv run` tells its command where the world is.
pub(crate) mod variables {
    pub(crate) const KUBECONFIG: &str = "KUBECONFIG";
    pub(crate) const KUBECTL: &str = "TESTENV_KUBECTL";
    pub(crate) const AUDIT_LOG: &str = "TESTENV_AUDIT_LOG";
    pub(crate) const KEYCLOAK_URL: &str = "TESTENV_KEYCLOAK_URL";
    pub(crate) const KEYCLOAK_TLS_URL: &str = "TESTENV_KEYCLOAK_TLS_URL";
    pub(crate) const KEYCLOAK_CA: &str = "TESTENV_KEYCLOAK_CA";
    pub(crate) const UAA_URL: &str = "TESTENV_UAA_URL";
    pub(crate) const PKI: &str = "TESTENV_PKI";
    pub(crate) const CONTAINERD: &str = "TESTENV_CONTAINERD";
    pub(crate) const POD_LOGS: &str = "TESTENV_POD_LOGS";
    pub(crate) const HELM_3: &str = "TESTENV_HELM_3";
    pub(crate) const HELM_4: &str = "TESTENV_HELM_4";
    /// Those of ours, without `KUBECONFIG`, which is everybody's.
    pub(crate) const OWN: [&str; 11] =
        [KUBECTL, AUDIT_LOG, KEYCLOAK_URL, KEYCLOAK_TLS_URL, KEYCLOAK_CA, UAA_URL, PKI, CONTAINERD, POD_LOGS, HELM_3, HELM_4];
}

/// There is no world, or not the part of it that was asked for. Its `Debug` is the message too, for `unwrap` in tests.
#[derive(thiserror::Error)]
pub enum NoWorld {
    /// Not started by `testenv run`.
    #[error("no test world: run `make test`, or `cargo run -p testenv -- run -- cargo test`")]
    NotRunning,
    /// Started by `testenv run --with …` without this part.
    #[error("this test world has no {variable}: run `testenv run` without `--with`, or with `{component}` in it")]
    Without {
        /// The environment variable that is missing.
        variable: &'static str,
        /// The value for `--with`.
        component: &'static str,
    },
    /// The audit log can't be read.
    #[error("can't read the audit log {}: {source}", path.display())]
    AuditLog {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl fmt::Debug for NoWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The world that `testenv run` started, seen from a test. Many tests share it: use a namespace each.
#[derive(Clone, Debug)]
pub struct World {
    pki: PathBuf,
    kubeconfig: Option<PathBuf>,
    kubectl: Option<PathBuf>,
    audit_log: Option<PathBuf>,
    keycloak_url: Option<String>,
    keycloak_tls_url: Option<String>,
    keycloak_ca: Option<PathBuf>,
    uaa_url: Option<String>,
    containerd: Option<PathBuf>,
    pod_logs: Option<PathBuf>,
    helm_3: Option<PathBuf>,
    helm_4: Option<PathBuf>,
}

impl World {
    /// The world this process was started in by `testenv run`.
    pub fn from_env() -> Result<Self, NoWorld> {
        Self::from_variables(|name| env::var_os(name))
    }

    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, NoWorld> {
        let path = |name| variable(name).map(PathBuf::from);
        let text = |name| variable(name).and_then(|value| value.into_string().ok());
        let kubectl = path(variables::KUBECTL);
        Ok(Self {
            pki: path(variables::PKI).ok_or(NoWorld::NotRunning)?,
            // Without our own kubectl the KUBECONFIG is a developer's: tests must not touch that cluster.
            kubeconfig: path(variables::KUBECONFIG).filter(|_| kubectl.is_some()),
            kubectl,
            audit_log: path(variables::AUDIT_LOG),
            keycloak_url: text(variables::KEYCLOAK_URL),
            keycloak_tls_url: text(variables::KEYCLOAK_TLS_URL),
            keycloak_ca: path(variables::KEYCLOAK_CA),
            uaa_url: text(variables::UAA_URL),
            containerd: path(variables::CONTAINERD),
            pod_logs: path(variables::POD_LOGS),
            helm_3: path(variables::HELM_3),
            helm_4: path(variables::HELM_4),
        })
    }

    /// The administrator's kubeconfig file.
    pub fn kubeconfig(&self) -> Result<&Path, NoWorld> {
        self.kubeconfig.as_deref().ok_or(without(variables::KUBECONFIG, "control-plane"))
    }

    /// `kubectl` as administrator; add arguments and run it.
    pub fn kubectl(&self) -> Result<Command, NoWorld> {
        let program = self.kubectl.as_deref().ok_or(without(variables::KUBECTL, "control-plane"))?;
        let mut command = Command::new(program);
        command.env(variables::KUBECONFIG, self.kubeconfig()?);
        Ok(command)
    }

    /// `helm` as administrator where there is a control plane; add arguments and run it. It keeps nothing at home.
    pub fn helm(&self, major: HelmMajor) -> Result<Command, NoWorld> {
        let (program, variable) = match major {
            HelmMajor::Three => (&self.helm_3, variables::HELM_3),
            HelmMajor::Four => (&self.helm_4, variables::HELM_4),
        };
        let mut command = Command::new(program.as_deref().ok_or(without(variable, "helm"))?);
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(variable, self.pki.join("no-helm-home"));
        }
        match &self.kubeconfig {
            Some(kubeconfig) => command.env(variables::KUBECONFIG, kubeconfig),
            // Never a developer's own cluster.
            None => command.env(variables::KUBECONFIG, "/dev/null"),
        };
        Ok(command)
    }

    /// The requests that the API server has answered or is answering (watches), oldest first, one entry a request.
    pub fn audit_log(&self) -> Result<Vec<AuditEntry>, NoWorld> {
        let path = self.audit_log.as_deref().ok_or(without(variables::AUDIT_LOG, "control-plane"))?;
        let bytes = fs::read(path).map_err(|source| NoWorld::AuditLog { path: path.to_owned(), source })?;
        Ok(audit::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// Keycloak's base URL, plain http, without a slash at the end.
    pub fn keycloak_url(&self) -> Result<&str, NoWorld> {
        self.keycloak_url.as_deref().ok_or(without(variables::KEYCLOAK_URL, "keycloak"))
    }

    /// Keycloak's base URL with https, without a slash at the end; trust [`Self::keycloak_ca`].
    pub fn keycloak_tls_url(&self) -> Result<&str, NoWorld> {
        self.keycloak_tls_url.as_deref().ok_or(without(variables::KEYCLOAK_TLS_URL, "keycloak"))
    }

    /// PEM file of the CA that signed Keycloak's serving certificate.
    pub fn keycloak_ca(&self) -> Result<&Path, NoWorld> {
        self.keycloak_ca.as_deref().ok_or(without(variables::KEYCLOAK_CA, "keycloak"))
    }

    /// The token endpoint of Keycloak's realm, plain http.
    pub fn keycloak_token_url(&self) -> Result<String, NoWorld> {
        self.keycloak_token_url_of(REALM)
    }

    /// The token endpoint of a realm of Keycloak's, there or not, plain http.
    pub fn keycloak_token_url_of(&self, realm: &str) -> Result<String, NoWorld> {
        Ok(realm_token_url(self.keycloak_url()?, realm))
    }

    /// The token endpoint of Keycloak's realm with https; it asks for a client certificate, and takes none too.
    pub fn keycloak_tls_token_url(&self) -> Result<String, NoWorld> {
        Ok(realm_token_url(self.keycloak_tls_url()?, REALM))
    }

    /// The UAA's base URL, with its context path, without a slash at the end.
    pub fn uaa_url(&self) -> Result<&str, NoWorld> {
        self.uaa_url.as_deref().ok_or(without(variables::UAA_URL, "uaa"))
    }

    /// The UAA's token endpoint.
    pub fn uaa_token_url(&self) -> Result<String, NoWorld> {
        Ok(format!("{}/oauth/token", self.uaa_url()?))
    }

    /// The UAA's token endpoint for the saml2-bearer grant: Spring Security SAML has one an alias.
    pub fn uaa_saml_token_url(&self) -> Result<String, NoWorld> {
        Ok(format!("{}/oauth/token/alias/{SAML_AUDIENCE}", self.uaa_url()?))
    }

    /// `ctr` for the node's images and containers; add arguments and run it.
    pub fn ctr(&self) -> Result<Command, NoWorld> {
        let socket = self.containerd.as_deref().ok_or(without(variables::CONTAINERD, "node"))?;
        let mut command = Command::new("ctr");
        command.arg("-a").arg(socket).args(["-n", CONTAINERD_NAMESPACE]);
        Ok(command)
    }

    /// The folder with what the node's containers print: `NAMESPACE_POD_UID/CONTAINER/N.log`.
    pub fn pod_logs(&self) -> Result<&Path, NoWorld> {
        self.pod_logs.as_deref().ok_or(without(variables::POD_LOGS, "node"))
    }

    /// An image that the node has: `/bin/busybox` and nothing else.
    pub fn tools_image(&self) -> &'static str {
        TOOLS_IMAGE
    }

    /// The folder with the world's PEM files; their names are in [`crate::Pki`].
    pub fn pki(&self) -> &Path {
        &self.pki
    }
}

fn without(variable: &'static str, component: &'static str) -> NoWorld {
    NoWorld::Without { variable, component }
}

fn realm_token_url(base: &str, realm: &str) -> String {
    format!("{base}/realms/{realm}/protocol/openid-connect/token")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(set: &'static [(&str, &str)]) -> Result<World, NoWorld> {
        World::from_variables(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn without_any_variable_the_message_says_what_to_run() {
        let message = format!("{:?}", world(&[]).unwrap_err());
        assert_eq!(message, "no test world: run `make test`, or `cargo run -p testenv -- run -- cargo test`");
    }

    #[test]
    fn a_kubeconfig_that_is_not_ours_is_never_used() {
        let world = world(&[("TESTENV_PKI", "pki"), ("KUBECONFIG", "production")]).unwrap();
        assert!(world.kubeconfig().is_err());
        assert!(world.kubectl().is_err());
    }

    #[test]
    fn token_urls_follow_from_the_base_urls() {
        let world = world(&[("TESTENV_PKI", "pki"), ("TESTENV_KEYCLOAK_URL", "http://k"), ("TESTENV_UAA_URL", "http://u/uaa")]).unwrap();
        assert_eq!(world.keycloak_token_url().unwrap(), "http://k/realms/op/protocol/openid-connect/token");
        assert_eq!(world.uaa_token_url().unwrap(), "http://u/uaa/oauth/token");
        assert!(world.keycloak_tls_token_url().is_err());
    }
}
