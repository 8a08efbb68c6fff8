//! Starts and ends the world's components together.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cache::Cache;
use crate::control_plane::{Binaries, ControlPlane};
use crate::error::Error;
use crate::helm::Helms;
use crate::keycloak::{self, Keycloak};
use crate::node::{Node, Programs};
use crate::pki::Pki;
use crate::progress::Progress;
use crate::scratch::Scratch;
use crate::uaa::{self, Uaa};
use crate::world::{NoWorld, World, variables};

/// A part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Component {
    /// etcd, kube-apiserver, kube-controller-manager.
    ControlPlane,
    /// Keycloak.
    Keycloak,
    /// Cloud Foundry UAA.
    Uaa,
    /// Helm 3 and Helm 4: programs, nothing that runs.
    Helm,
    /// containerd, kubelet, kube-scheduler: a node that pods run on, and the control plane. Root only.
    Node,
}

impl Component {
    /// The whole world, as far as it needs no root.
    pub const ALL: [Self; 4] = [Self::ControlPlane, Self::Keycloak, Self::Uaa, Self::Helm];

    /// A node alone is of no use.
    fn is_wanted(self, components: &[Self]) -> bool {
        components.contains(&self) || (self == Self::ControlPlane && components.contains(&Self::Node))
    }
}

/// Builds and fetches what `components` need into the cache, so that a start needs no network.
pub async fn obtain(components: &[Component], scratch: &Scratch, progress: &Progress) -> Result<(), Error> {
    let cache = Cache::open()?;
    let wanted = |component: Component| component.is_wanted(components);
    let control_plane = when(wanted(Component::ControlPlane), || Binaries::obtain(&cache, scratch, progress));
    let node = when(wanted(Component::Node), || Programs::obtain(&cache, scratch, progress));
    let keycloak = when(wanted(Component::Keycloak), || keycloak::obtain(&cache, scratch, progress));
    let uaa = when(wanted(Component::Uaa), || uaa::obtain(&cache, scratch, progress));
    // A Go build uses all cores, and the node's programs use what the control plane's compiled.
    let control_plane_then_node = async {
        control_plane.await?;
        node.await
    };
    tokio::try_join!(control_plane_then_node, keycloak, uaa)?;
    // Last: a Go build takes all cores.
    when(wanted(Component::Helm), || Helms::obtain(&cache, scratch, progress)).await?;
    Ok(())
}

/// The running components. Dropping it kills them; [`RunningWorld::end`] is kinder.
#[derive(Debug)]
pub struct RunningWorld {
    pki: PathBuf,
    keycloak_ca: PathBuf,
    /// Before the control plane: what is dropped first must not lose its server.
    node: Option<Node>,
    control_plane: Option<ControlPlane>,
    keycloak: Option<Keycloak>,
    uaa: Option<Uaa>,
    helms: Option<Helms>,
}

impl RunningWorld {
    /// Obtains and starts `components`, all at once; ready when it returns.
    pub async fn start(components: &[Component], scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        let cache = Cache::open()?;
        let pki = Pki::create(scratch.fresh_folder("pki")?)?;
        let wanted = |component: Component| component.is_wanted(components);
        // First: a build takes all cores, and servers that start beside it would run out of time.
        let helms = when(wanted(Component::Helm), || Helms::obtain(&cache, scratch, progress)).await?;
        let control_plane = when(wanted(Component::ControlPlane), async || {
            let binaries = Binaries::obtain(&cache, scratch, progress).await?;
            let programs = when(wanted(Component::Node), || Programs::obtain(&cache, scratch, progress)).await?;
            let control_plane = ControlPlane::start(&binaries, scratch, progress).await?;
            let node = match &programs {
                Some(programs) => Some(Node::start(programs, &control_plane, scratch, progress).await?),
                None => None,
            };
            Ok((control_plane, node))
        });
        let keycloak = when(wanted(Component::Keycloak), async || {
            let distribution = keycloak::obtain(&cache, scratch, progress).await?;
            Keycloak::start(&distribution, &pki, scratch, progress).await
        });
        let uaa = when(wanted(Component::Uaa), async || {
            let distribution = uaa::obtain(&cache, scratch, progress).await?;
            Uaa::start(&distribution, &pki, scratch, progress).await
        });
        let (control_plane, keycloak, uaa) = tokio::try_join!(control_plane, keycloak, uaa)?;
        let (control_plane, node) = control_plane.map_or((None, None), |(control_plane, node)| (Some(control_plane), node));
        Ok(Self { pki: pki.folder().to_owned(), keycloak_ca: pki.certificate(Pki::CA), node, control_plane, keycloak, uaa, helms })
    }

    /// The environment variables that [`crate::World::from_env`] reads.
    pub fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut set = vec![(variables::PKI, self.pki.clone().into_os_string())];
        if let Some(control_plane) = &self.control_plane {
            set.push((variables::KUBECONFIG, control_plane.configuration.administrator.clone().into()));
            set.push((variables::KUBECTL, control_plane.kubectl.clone().into()));
            set.push((variables::AUDIT_LOG, control_plane.configuration.audit_log.clone().into()));
        }
        if let Some(node) = &self.node {
            set.push((variables::CONTAINERD, node.socket.clone().into()));
            set.push((variables::POD_LOGS, node.pod_logs.clone().into()));
        }
        if let Some(keycloak) = &self.keycloak {
            set.push((variables::KEYCLOAK_URL, keycloak.url.clone().into()));
            set.push((variables::KEYCLOAK_TLS_URL, keycloak.tls_url.clone().into()));
            set.push((variables::KEYCLOAK_CA, self.keycloak_ca.clone().into()));
        }
        if let Some(uaa) = &self.uaa {
            set.push((variables::UAA_URL, uaa.url.clone().into()));
        }
        if let Some(helms) = &self.helms {
            set.push((variables::HELM_3, helms.three.clone().into()));
            set.push((variables::HELM_4, helms.four.clone().into()));
        }
        set
    }

    /// What a test asks for addresses, where it started the world itself.
    pub fn world(&self) -> Result<World, NoWorld> {
        let set = self.variables();
        World::from_variables(|name| set.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone()))
    }

    /// The control plane, for a test that takes its servers away. Such a test starts a world of its own.
    pub fn control_plane(&mut self) -> Option<&mut ControlPlane> {
        self.control_plane.as_mut()
    }

    /// Those of our variables that an outer world may have set and this one must not inherit.
    pub fn own_variables() -> &'static [&'static str] {
        &variables::OWN
    }

    /// Ends everything, the components at once; the node before its control plane.
    pub async fn end(self, scratch: &Scratch) {
        tokio::join!(
            async {
                if let Some(node) = self.node {
                    node.end(scratch).await;
                }
                if let Some(control_plane) = self.control_plane {
                    control_plane.end().await;
                }
            },
            async {
                if let Some(keycloak) = self.keycloak {
                    keycloak.end().await;
                }
            },
            async {
                if let Some(uaa) = self.uaa {
                    uaa.end().await;
                }
            },
        );
    }
}

async fn when<T, F: Future<Output = Result<T, Error>>>(wanted: bool, start: impl FnOnce() -> F) -> Result<Option<T>, Error> {
    if wanted { start().await.map(Some) } else { Ok(None) }
}
