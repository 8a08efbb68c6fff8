//! The control plane, as the benchmark's own client sees it.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use tempfile::NamedTempFile;
use testenv::World;
use tokensource::api::TokenSource;
use tokio::time::sleep;

/// A namespace of this run, and how to reach it.
pub struct Cluster {
    pub client: Client,
    pub namespace: String,
    kubeconfig: NamedTempFile,
}

impl Cluster {
    /// A new namespace, with the CRD in place.
    pub async fn reach(name: &str) -> Self {
        _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::from_env().unwrap();
        let mut kubeconfig = Kubeconfig::read_from(world.kubeconfig().unwrap()).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await.unwrap();
        let client = Client::try_from(config).unwrap();
        install_crd(&client).await;
        let metadata = ObjectMeta { generate_name: Some(format!("bench-{name}-")), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let namespace = Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        let namespace = namespace.metadata.name.unwrap();
        // The operator's own namespace is this run's, so that no other's ledger counts.
        for context in kubeconfig.contexts.iter_mut().filter_map(|named| named.context.as_mut()) {
            context.namespace = Some(namespace.clone());
        }
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), serde_json::to_string(&kubeconfig).unwrap()).unwrap();
        Self { client, namespace, kubeconfig: file }
    }

    pub fn kubeconfig(&self) -> &Path {
        self.kubeconfig.path()
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn sources(&self) -> Api<TokenSource> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Removes what this run has made, so that the next begins with an empty API server.
    pub async fn clear(self) {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
        while namespaces.get_opt(&self.namespace).await.unwrap().is_some() {
            sleep(Duration::from_millis(500)).await;
        }
    }
}

async fn install_crd(client: &Client) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

    let crds: Api<kube::api::DynamicObject> =
        Api::all_with(client.clone(), &kube::core::ApiResource::erase::<CustomResourceDefinition>(&()));
    let name = "tokensources.tokensource.dev";
    crds.patch(name, &PatchParams::apply("bench").force(), &Patch::Apply(tokensource::api::crd::definition())).await.unwrap();
    loop {
        let crd = crds.get(name).await.unwrap();
        let conditions = crd.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
        if conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True") {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}
