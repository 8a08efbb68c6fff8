//! The sources that are measured, with their credentials.

use futures::{StreamExt as _, stream};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::cluster::Cluster;
use crate::endpoint::Endpoint;

/// Whose credentials the sources have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    /// Each its own.
    OneEach,
    /// All the same.
    Shared,
}

pub fn name(index: usize) -> String {
    format!("source-{index:05}")
}

/// The name and client id of a source's own client.
pub fn client_of(source: &str) -> String {
    format!("{source}-client")
}

/// Writes so many sources. Nothing is measured here.
pub async fn write(cluster: &Cluster, endpoint: &Endpoint, count: usize, clients: Clients) {
    let credentials = match clients {
        Clients::OneEach => count,
        Clients::Shared => 1,
    };
    let secrets = cluster.secrets();
    each(0..credentials, |index| {
        let secrets = secrets.clone();
        async move {
            let name = client_of(&name(index));
            let data = json!({"client_id": name, "client_secret": "s"});
            let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
            secrets.patch(&name, &PatchParams::apply("bench"), &Patch::Apply(secret)).await.unwrap();
        }
    })
    .await;
    let (sources, url) = (cluster.sources(), endpoint.url.clone());
    each(0..count, |index| {
        let (sources, url) = (sources.clone(), url.clone());
        async move {
            let client = client_of(&name(if clients == Clients::Shared { 0 } else { index }));
            let spec = json!({"tokenURL": url, "credentials": {"secretRef": {"name": client}}});
            let source =
                json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": name(index)}, "spec": spec});
            sources.patch(&name(index), &PatchParams::apply("bench"), &Patch::Apply(source)).await.unwrap();
        }
    })
    .await;
}

/// Does it for each index, many at a time.
pub async fn each<F: Future<Output = ()>>(indices: std::ops::Range<usize>, action: impl Fn(usize) -> F) {
    stream::iter(indices.map(action)).buffer_unordered(64).collect::<Vec<()>>().await;
}
