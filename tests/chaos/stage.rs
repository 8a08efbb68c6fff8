//! The stage of a run: a world of its own, the authorization server, the sources, the operator; and words for what a person
//! in the cluster does.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::ApiResource;
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use testenv::{Component, Progress, RunningWorld, Scratch};
use tokensource::api::TokenSource;
use tokio::time::{Instant, sleep, timeout};

use crate::authorization_server::AuthorizationServer;
use crate::door::Door;
use crate::mark::Mark;
use crate::operators::{Launch, NAMED_HOST, Operators, check_premises};
use crate::random::Random;
use crate::report::say;
use crate::sources::{Kind, Source};
use crate::timeline::Timeline;
use crate::visits::Visits;
use crate::way::Ways;

/// The operator's own namespace.
const SYSTEM: &str = "tokensource-system";
const CRD: &str = "tokensources.tokensource.dev";

pub struct Stage {
    pub client: Client,
    pub world: tokio::sync::Mutex<RunningWorld>,
    pub scratch: Scratch,
    pub folder: PathBuf,
    pub timeline: Arc<Timeline>,
    pub server: AuthorizationServer,
    pub visits: Visits,
    pub doors: Vec<Door>,
    pub ways: Arc<Ways>,
    pub mark: Mark,
    pub sources: RwLock<BTreeMap<String, Source>>,
    /// How often each fault was seen to strike.
    pub struck: Mutex<BTreeMap<&'static str, u32>>,
    /// How long an answer of the API server is waited for.
    pub patience: Duration,
    kubeconfig: Kubeconfig,
}

impl Stage {
    /// A world without an operator.
    pub async fn set(name: &str, random: &Random) -> Self {
        _ = rustls::crypto::ring::default_provider().install_default();
        check_premises();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let (scratch, progress) = (Scratch::create().unwrap(), Progress::start());
        let world = RunningWorld::start(&[Component::ControlPlane], &scratch, &progress).await.unwrap();
        let kubeconfig = Kubeconfig::read_from(world.world().unwrap().kubeconfig().unwrap()).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let cluster = kubeconfig.clusters[0].cluster.clone().unwrap();
        let ca = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, cluster.certificate_authority_data.unwrap()).unwrap();
        let ways = Ways::to(&cluster.server.unwrap(), &ca, random.fork("ways"));
        let mark = Mark::new();
        let server = AuthorizationServer::new(&mark);
        let (visits, mut doors) = (Visits::default(), Vec::new());
        for (number, (host, keeps_alive)) in [("127.0.0.1", true), ("127.0.0.1", true), (NAMED_HOST, false)].into_iter().enumerate() {
            doors.push(Door::open(number, host, keeps_alive, &server, &visits).await);
        }
        let stage = Self {
            client,
            world: tokio::sync::Mutex::new(world),
            scratch,
            folder,
            timeline: Arc::new(Timeline::new()),
            server,
            visits,
            doors,
            ways,
            mark,
            sources: RwLock::default(),
            struck: Mutex::default(),
            patience: Duration::from_secs(4),
            kubeconfig,
        };
        stage.install_crd().await;
        stage.namespace(SYSTEM).await;
        stage
    }

    /// Starts the operator, with the namespace of its own in its kubeconfig.
    pub async fn operators(&self, program: PathBuf, log: String, flags: Vec<String>) -> Arc<Operators> {
        let mut kubeconfig = self.kubeconfig.clone();
        for context in kubeconfig.contexts.iter_mut().filter_map(|named| named.context.as_mut()) {
            context.namespace = Some(SYSTEM.to_owned());
        }
        let (ways, timeline) = (Arc::clone(&self.ways), Arc::clone(&self.timeline));
        let (folder, mark) = (self.folder.clone(), self.mark.clone());
        Operators::start(Launch { program, kubeconfig, ways, timeline, folder, mark, log, flags }).await
    }

    /// A fault was seen to strike.
    pub fn strikes(&self, fault: &'static str) {
        let count = *self.struck.lock().unwrap().entry(fault).and_modify(|count| *count += 1).or_insert(1);
        say(&format!("{:6.1} s  {fault} ({count})", self.timeline.began.elapsed().as_secs_f64()));
    }

    fn crds(&self) -> Api<DynamicObject> {
        use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
        Api::all_with(self.client.clone(), &ApiResource::erase::<CustomResourceDefinition>(&()))
    }

    async fn install_crd(&self) {
        let definition = tokensource::api::crd::definition();
        self.insist(|| async { self.crds().patch(CRD, &PatchParams::apply("test").force(), &Patch::Apply(&definition)).await }).await;
        loop {
            let crd = self.insist(|| self.crds_get()).await;
            let conditions = crd.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
            if conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True") {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn crds_get(&self) -> kube::Result<DynamicObject> {
        self.crds().get(CRD).await
    }

    /// Updates the CRD in place, as an upgrade does: another column. True if it is another generation.
    pub async fn update_crd(&self, round: usize) -> bool {
        let before = self.insist(|| self.crds_get()).await.metadata.generation;
        let mut definition = tokensource::api::crd::definition();
        let column = json!({"name": format!("Round {round}"), "type": "string", "jsonPath": ".metadata.uid", "priority": 1});
        definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array_mut().unwrap().push(column);
        self.insist(|| async { self.crds().patch(CRD, &PatchParams::apply("test").force(), &Patch::Apply(&definition)).await }).await;
        self.insist(|| self.crds_get()).await.metadata.generation > before
    }

    pub async fn namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        self.insist(|| async { namespaces.patch(name, &PatchParams::apply("user").force(), &Patch::Apply(&namespace)).await }).await;
    }

    /// Deletes a namespace and waits until it is gone.
    pub async fn delete_namespace(&self, name: &str) {
        let (namespaces, deadline): (Api<Namespace>, _) = (Api::all(self.client.clone()), Instant::now() + Duration::from_secs(120));
        loop {
            assert!(Instant::now() < deadline, "namespace {name} is never gone");
            _ = namespaces.delete(name, &DeleteParams::default()).await;
            if matches!(namespaces.get_opt(name).await, Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    pub fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn token_sources(&self, namespace: &str) -> Api<TokenSource> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Writes a Secret of the user's; gives its version.
    pub async fn secret(&self, namespace: &str, name: &str, data: &HashMap<String, String>) -> String {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        let params = PatchParams::apply("user").force();
        let written = self.insist(|| async { self.secrets(namespace).patch(name, &params, &Patch::Apply(&secret)).await }).await;
        written.metadata.resource_version.unwrap()
    }

    /// Writes a source with its credentials; a token is needed from then on.
    pub async fn add(&self, mut source: Source) {
        self.secret(&source.namespace, &source.credentials, &source.data).await;
        source.needed = Some(Instant::now());
        let object = json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": source.name}, "spec": source.spec});
        let params = PatchParams::apply("user").force();
        self.insist(|| async { self.token_sources(&source.namespace).patch(&source.name, &params, &Patch::Apply(&object)).await }).await;
        source.needed = Some(Instant::now());
        self.sources.write().unwrap().insert(source.key(), source);
    }

    /// Writes a Secret that is no concern of the operator's; gives its version.
    pub async fn foreign(&self, namespace: &str, name: &str, secret: &Value) -> String {
        let params = PatchParams::apply("user").force();
        let written = self.insist(|| async { self.secrets(namespace).patch(name, &params, &Patch::Apply(secret)).await }).await;
        written.metadata.resource_version.unwrap()
    }

    /// Writes a ConfigMap, to own something; gives its UID.
    pub async fn config_map(&self, namespace: &str, name: &str) -> String {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let params = PatchParams::apply("user").force();
        let written = self.insist(|| async { config_maps.patch(name, &params, &Patch::Apply(&config_map)).await }).await;
        written.metadata.uid.unwrap()
    }

    /// Forces a token request.
    pub async fn request_refresh(&self, source: &Source, value: &str) {
        let patch = json!({"metadata": {"annotations": {"tokensource.dev/refresh-requested-at": value}}});
        let sources = self.token_sources(&source.namespace);
        self.insist(|| async { sources.patch(&source.name, &PatchParams::default(), &Patch::Merge(&patch)).await }).await;
    }

    /// A token is needed from now on: somebody has taken it away, or given other credentials.
    pub fn needs(&self, key: &str) {
        if let Some(source) = self.sources.write().unwrap().get_mut(key) {
            source.needed = Some(Instant::now());
        }
    }

    /// Gives a source another client secret.
    pub async fn give_secret(&self, source: &Source, secret: &str) {
        let (key, mut data) = (source.key(), source.data.clone());
        data.insert("client_secret".to_owned(), secret.to_owned());
        self.needs(&key);
        self.secret(&source.namespace, &source.credentials, &data).await;
        if let Some(known) = self.sources.write().unwrap().get_mut(&key) {
            known.data = data;
        }
        self.needs(&key);
    }

    /// The sources of some kinds.
    pub fn of(&self, kinds: &[Kind]) -> Vec<Source> {
        self.sources.read().unwrap().values().filter(|source| kinds.contains(&source.kind)).cloned().collect()
    }

    /// Until the API server takes it. Two minutes are longer than any fault.
    pub async fn insist<T, F: Future<Output = kube::Result<T>>>(&self, act: impl Fn() -> F) -> T {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            match timeout(Duration::from_secs(10), act()).await {
                Ok(Ok(done)) => return done,
                failed => assert!(Instant::now() < deadline, "the API server never took it: {:?}", failed.map(Result::err)),
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    pub async fn raw(&self, path: &str) -> Option<String> {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        timeout(self.patience, self.client.request_text(request)).await.ok()?.ok()
    }

    /// Ends the world.
    pub async fn end(self) {
        self.world.into_inner().end(&self.scratch).await;
    }
}

/// What a list holds.
pub fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}
