//! Decides. Sees the custom resource and the OAuth types as data: no client, no async, no clock, no randomness;
//! `now` and the seed of the jitter are arguments.

pub mod allowance;
pub mod assertion;
pub mod attempts;
pub mod binding;
pub mod circumstances;
pub mod credentials;
pub mod digest;
pub mod explain;
pub mod failure;
pub mod handbook;
pub mod hint;
pub mod hosts;
pub mod leadership;
pub mod manifests;
pub mod meaning;
pub mod observed;
pub mod outcome;
pub mod overview;
pub mod pace;
pub mod plan;
pub mod probe;
pub mod punctuality;
pub mod references;
pub mod refresh;
pub mod remedy;
pub mod request;
#[cfg(test)]
mod scene;
pub mod schedule;
pub mod secret;
pub mod secret_facts;
#[cfg(test)]
pub(crate) mod specimens;
pub mod status;
pub mod target;
pub mod template;
pub mod turns;
