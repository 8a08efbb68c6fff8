//! What the API server takes at best: plain server-side applies of the very objects that the operator wrote, by the same
//! client library.

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokensource::api::TokenSource;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::sources::{each, name};

/// A Secret and a status as the operator wrote them.
pub struct Written {
    secret: Value,
    status: Value,
}

impl Written {
    /// Those of the first source.
    pub async fn by_operator(cluster: &Cluster) -> Self {
        let mut secret = serde_json::to_value(cluster.secrets().get(&name(0)).await.unwrap()).unwrap();
        for key in ["managedFields", "resourceVersion", "uid", "creationTimestamp", "namespace"] {
            secret["metadata"].as_object_mut().unwrap().remove(key);
        }
        secret["apiVersion"] = json!("v1");
        secret["kind"] = json!("Secret");
        let source = serde_json::to_value(cluster.sources().get(&name(0)).await.unwrap()).unwrap();
        Self { secret, status: source["status"].clone() }
    }

    fn secret_of(&self, source: &TokenSource) -> Value {
        let mut secret = self.secret.clone();
        secret["metadata"]["name"] = json!(source.metadata.name);
        secret["metadata"]["ownerReferences"][0]["name"] = json!(source.metadata.name);
        secret["metadata"]["ownerReferences"][0]["uid"] = json!(source.metadata.uid);
        secret
    }

    fn status_of(&self, source: &TokenSource) -> Value {
        json!({
            "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource",
            "metadata": {"uid": source.metadata.uid}, "status": self.status,
        })
    }
}

/// Writes a second: one half are Secrets, the other half statuses, as a refresh writes them.
pub async fn writes_a_second(count: usize, written: &Written) -> f64 {
    let cluster = Cluster::reach("raw").await;
    let sources = cluster.sources();
    each(0..count, |index| {
        let sources = sources.clone();
        async move {
            let spec = json!({"tokenURL": "http://127.0.0.1:1/token", "clientID": "raw", "clientAuthentication": {"method": "None"}, "suspend": true});
            let metadata = json!({"name": name(index)});
            let source = json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": metadata, "spec": spec});
            sources.patch(&name(index), &PatchParams::apply("bench"), &Patch::Apply(source)).await.unwrap();
        }
    })
    .await;
    let made = sources.list(&kube::api::ListParams::default()).await.unwrap().items;
    let began = Instant::now();
    each(0..count, |index| write_as_a_refresh_does(&cluster, &sources, &made[index], written)).await;
    let rate = 2.0 * count as f64 / began.elapsed().as_secs_f64();
    drop(sources);
    cluster.clear().await;
    rate
}

async fn write_as_a_refresh_does(cluster: &Cluster, sources: &Api<TokenSource>, source: &TokenSource, written: &Written) {
    let (name, params) = (source.metadata.name.as_deref().unwrap(), PatchParams::apply("bench").force());
    cluster.secrets().patch_metadata(name, &params, &Patch::Apply(written.secret_of(source))).await.unwrap();
    sources.patch_status(name, &params, &Patch::Apply(written.status_of(source))).await.unwrap();
}
