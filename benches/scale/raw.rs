//! What the API server takes at best: plain server-side applies of objects like the operator's, by the same client library.

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokensource::api::TokenSource;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::sources::each;

/// Writes a second. One half are Secrets with a token in them, the other half statuses of sources: what a refresh writes.
pub async fn writes_a_second(count: usize) -> f64 {
    let cluster = Cluster::reach("raw").await;
    let sources = cluster.sources();
    each(0..count, |index| {
        let sources = sources.clone();
        async move {
            let name = format!("raw-{index:05}");
            let spec = json!({"tokenURL": "http://127.0.0.1:1/token", "clientID": "raw", "clientAuthentication": {"method": "None"}, "suspend": true});
            let source = json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": name}, "spec": spec});
            sources.patch(&name, &PatchParams::apply("bench"), &Patch::Apply(source)).await.unwrap();
        }
    })
    .await;
    let began = Instant::now();
    each(0..count, |index| write_as_a_refresh_does(&cluster, &sources, index)).await;
    let rate = 2.0 * count as f64 / began.elapsed().as_secs_f64();
    drop(sources);
    cluster.clear().await;
    rate
}

async fn write_as_a_refresh_does(cluster: &Cluster, sources: &Api<TokenSource>, index: usize) {
    let name = format!("raw-{index:05}");
    let metadata = json!({"name": name, "labels": {"app.kubernetes.io/managed-by": "raw"},
        "annotations": {"tokensource.dev/expires-at": "2026-01-01T00:00:00Z", "tokensource.dev/renew-at": "2026-01-01T00:00:00Z",
            "tokensource.dev/request-digest": "0".repeat(65), "tokensource.dev/credentials-version": "0".repeat(45)}});
    let data = json!({"access_token": format!("{index:0>900}"), "token_type": "Bearer", "expires_in": "86400"});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data});
    cluster.secrets().patch(&name, &PatchParams::apply("bench").force(), &Patch::Apply(secret)).await.unwrap();
    let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason, "message": "the token is fresh", "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1});
    let status = json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "status": {
        "observedGeneration": 1, "secretName": name, "tokenType": "Bearer", "lastRefreshTime": "2026-01-01T00:00:00Z",
        "expirationTime": "2026-01-01T00:00:00Z", "renewalTime": "2026-01-01T00:00:00Z",
        "conditions": [condition("Ready", "TokenIssued"), condition("Refreshed", "TokenIssued")]}});
    sources.patch_status(&name, &PatchParams::apply("bench").force(), &Patch::Apply(status)).await.unwrap();
}
