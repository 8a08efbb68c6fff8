//! The world that tokensource is tested in: a real control plane, a real Keycloak, a real UAA, and a scripted token
//! endpoint for the faults that no real server commits on request. Never shipped.
//!
//! ```text
//!   testenv run -- COMMAND            starts the world, exports its addresses, runs COMMAND, ends the world
//!        │
//!   running_world ──► control_plane   etcd, kube-apiserver, kube-controller-manager (KUBEBUILDER_ASSETS, PATH, cache or Go modules)
//!        │       ├──► node            containerd, kubelet, kube-scheduler: only where asked for, as root
//!        │       ├──► keycloak        from Maven, once
//!        │       ├──► uaa             from Maven, once
//!        │       └──► helm            majors 3 and 4 (PATH, cache or Go modules)
//!        ▼
//!   environment variables ──► world::World::from_env   what a test asks for addresses
//! ```
//!
//! Tests use [`World`] for the real servers, [`ScriptedEndpoint`] for faults, and [`accounts`] for who may log in.

pub mod accounts;
mod audit;
mod bill_of_materials;
mod cache;
mod control_plane;
mod error;
mod go;
mod guarded_child;
mod guarded_command;
mod guardian;
mod helm;
mod image;
mod java;
mod keycloak;
mod keycloak_realm;
mod maven;
mod node;
mod pki;
mod ports;
mod process;
mod progress;
mod ready;
mod running_world;
mod scratch;
mod scripted;
mod uaa;
mod uaa_config;
mod world;
mod yaml;

pub use audit::AuditEntry;
pub use bill_of_materials::BillOfMaterials;
pub use control_plane::{ControlPlane, ControlPlaneServer};
pub use error::Error;
pub use guarded_command::GuardedCommand;
pub use helm::HelmMajor;
pub use image::{DockerfileError, ImageOrder};
pub use pki::Pki;
pub use progress::Progress;
pub use running_world::{Component, RunningWorld, obtain};
pub use scratch::Scratch;
pub use scripted::{RecordedRequest, ScriptedEndpoint, Step, TLS_NAMES};
pub use world::{NoWorld, World};
