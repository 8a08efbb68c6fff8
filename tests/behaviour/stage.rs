//! The stage of one test: a namespace of its own, the operator's binary running for it, and words to write and read
//! the objects in it.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Namespace, Secret};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use testenv::{ScriptedEndpoint, Step, World};
use tokensource::api::TokenSource;
use tokensource::api::condition::{ConditionStatus, ConditionType, find};
use tokensource::api::status::TokenSourceStatus;
use tokio::time::{Instant, sleep};

/// How long a test waits for what should come within seconds. Long, for slow machines: nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One test's namespace.
pub struct Stage {
    pub client: Client,
    pub namespace: String,
    pub world: World,
    /// For the operator: its own namespace is the test's, so that no test's refusals count in another.
    kubeconfig: NamedTempFile,
}

impl Stage {
    /// A new namespace, with the CRD in place. `name` is the behaviour.
    pub async fn set(name: &str) -> Self {
        _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::from_env().unwrap();
        let kubeconfig = Kubeconfig::read_from(world.kubeconfig().unwrap()).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let client = Client::try_from(config).unwrap();
        install_crd(&client).await;
        let metadata = ObjectMeta { generate_name: Some(format!("{name}-")), ..ObjectMeta::default() };
        let namespace = Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() })
            .await
            .unwrap();
        let namespace = namespace.metadata.name.unwrap();
        let kubeconfig = kubeconfig_in(&world, &namespace);
        Self { client, namespace, world, kubeconfig }
    }

    /// The same stage for an operator that reaches the API server at another address.
    pub fn by_way_of(&self, server: &str) -> Self {
        let mut kubeconfig = Kubeconfig::read_from(self.kubeconfig.path()).unwrap();
        for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            cluster.server = Some(server.to_owned());
        }
        let (client, namespace, world) = (self.client.clone(), self.namespace.clone(), World::from_env().unwrap());
        Self { client, namespace, world, kubeconfig: written(&kubeconfig) }
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn sources(&self) -> Api<TokenSource> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Starts the operator for this namespace, with plain http and loopback allowed.
    pub fn operator(&self) -> Operator {
        self.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8"])
    }

    /// Starts the operator for this namespace.
    pub fn operator_with(&self, flags: &[&str]) -> Operator {
        self.operator_logging("warn,tokensource=trace", flags)
    }

    /// Starts the operator for this namespace, with another choice of what is logged.
    pub fn operator_logging(&self, what: &str, flags: &[&str]) -> Operator {
        let log = NamedTempFile::new().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tokensource"))
            .args(["run", "--namespace", &self.namespace, "--metrics-addr", "127.0.0.1:0"])
            .args(flags)
            .env("KUBECONFIG", self.kubeconfig.path())
            .env("RUST_LOG", what)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Operator { child, log }
    }

    /// Writes a Secret of the user's.
    pub async fn secret(&self, name: &str, data: &[(&str, &str)]) {
        let data: BTreeMap<_, _> = data.iter().copied().collect();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        self.secrets().patch(name, &PatchParams::apply("user").force(), &Patch::Apply(secret)).await.unwrap();
    }

    /// Writes a Secret of the user's with values that are no text.
    pub async fn secret_of_bytes(&self, name: &str, data: &[(&str, &[u8])]) {
        let data: BTreeMap<_, _> = data.iter().map(|(key, bytes)| (*key, k8s_openapi::ByteString(bytes.to_vec()))).collect();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data});
        self.secrets().patch(name, &PatchParams::apply("user").force(), &Patch::Apply(secret)).await.unwrap();
    }

    /// Writes a source.
    pub async fn source(&self, name: &str, spec: Value) -> TokenSource {
        self.try_source(name, spec).await.unwrap()
    }

    /// Writes the source `orders` with its credentials; these are the endpoint's answers to it.
    pub async fn orders(&self, endpoint: &ScriptedEndpoint, answers: Vec<Step>) {
        endpoint.script("orders", answers);
        self.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
        self.source("orders", json!({"tokenURL": endpoint.url("orders"), "credentials": {"secretRef": {"name": "client"}}})).await;
    }

    /// Writes a source, or says why the API server refused it.
    pub async fn try_source(&self, name: &str, spec: Value) -> Result<TokenSource, String> {
        let source = json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": name}, "spec": spec});
        let params = PatchParams { field_validation: Some(kube::api::ValidationDirective::Strict), ..PatchParams::apply("user").force() };
        self.sources().patch(name, &params, &Patch::Apply(source)).await.map_err(|error| error.to_string())
    }

    pub async fn annotate(&self, name: &str, annotation: &str, value: &str) {
        let patch = json!({"metadata": {"annotations": {annotation: value}}});
        self.sources().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub async fn delete_source(&self, name: &str) {
        self.sources().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until the source's status is as wanted.
    pub async fn until(&self, name: &str, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = Status(self.sources().get_status(name).await.unwrap().status.unwrap_or_default());
            if wanted(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "{name} never came to this: {what}; its status is {:#?}", status.0);
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn until_ready(&self, name: &str) -> Status {
        self.until(name, "Ready", |status| status.is(ConditionType::Ready, ConditionStatus::True)).await
    }

    /// Waits for a failed `Refreshed` with this reason.
    pub async fn until_refused(&self, name: &str, reason: &str) -> Status {
        self.until(name, reason, |status| {
            status.is(ConditionType::Refreshed, ConditionStatus::False) && status.reason(ConditionType::Refreshed) == reason
        })
        .await
    }

    /// The target Secret's data as text.
    pub async fn data(&self, name: &str) -> BTreeMap<String, String> {
        text(&self.secrets().get(name).await.unwrap())
    }

    pub async fn token(&self, name: &str) -> String {
        self.data(name).await.remove("access_token").unwrap()
    }

    /// The reasons of the Events about a source, oldest first.
    pub async fn events(&self, name: &str) -> Vec<String> {
        let events = Api::<Event>::namespaced(self.client.clone(), &self.namespace).list(&ListParams::default()).await.unwrap();
        let mut about: Vec<_> = events.items.into_iter().filter(|event| event.involved_object.name.as_deref() == Some(name)).collect();
        about.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        about.into_iter().filter_map(|event| event.reason).collect()
    }

    /// Waits until these are the Events about a source: they are written after the status.
    pub async fn until_events(&self, name: &str, reasons: &[&str]) {
        eventually(&format!("the Events about {name} are {reasons:?}"), || async { self.events(name).await == reasons }).await;
    }

    /// The requests of operators in this namespace that the API server has seen, without watches and the operator's own Secrets.
    pub fn api_requests(&self) -> Vec<String> {
        let entries = self.world.audit_log().unwrap();
        let ours = entries.into_iter().filter(|entry| entry.namespace == self.namespace && entry.user_agent.starts_with("tokensource/"));
        let own = ["tokensource-ledger", "tokensource-digest-key"];
        let ours = ours.filter(|entry| entry.verb != "watch" && !own.contains(&entry.name.as_str()));
        ours.map(|entry| format!("{} {} {}", entry.verb, entry.resource, entry.name)).collect()
    }
}

pub fn text(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.clone().unwrap_or_default();
    data.into_iter().map(|(key, value)| (key, String::from_utf8(value.0).unwrap())).collect()
}

/// Waits until something holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "never came to this: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The world's kubeconfig, with this namespace in its contexts.
fn kubeconfig_in(world: &World, namespace: &str) -> NamedTempFile {
    let mut kubeconfig = Kubeconfig::read_from(world.kubeconfig().unwrap()).unwrap();
    for context in kubeconfig.contexts.iter_mut().filter_map(|named| named.context.as_mut()) {
        context.namespace = Some(namespace.to_owned());
    }
    written(&kubeconfig)
}

fn written(kubeconfig: &Kubeconfig) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), serde_json::to_string(kubeconfig).unwrap()).unwrap();
    file
}

async fn install_crd(client: &Client) {
    let crds: Api<kube::api::DynamicObject> = Api::all_with(
        client.clone(),
        &kube::core::ApiResource::erase::<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition>(&()),
    );
    let name = "tokensources.tokensource.dev";
    crds.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(tokensource::api::crd::definition())).await.unwrap();
    let established = || async {
        let crd = crds.get(name).await.unwrap();
        let conditions = crd.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    };
    eventually("the CRD is established", established).await;
}

/// A status with words for what tests ask of it.
#[derive(Debug, Clone)]
pub struct Status(pub TokenSourceStatus);

impl Status {
    pub fn is(&self, condition_type: ConditionType, status: ConditionStatus) -> bool {
        find(&self.0.conditions, condition_type).is_some_and(|condition| condition.status == status)
    }

    pub fn has(&self, condition_type: ConditionType) -> bool {
        find(&self.0.conditions, condition_type).is_some()
    }

    pub fn reason(&self, condition_type: ConditionType) -> String {
        find(&self.0.conditions, condition_type).map(|condition| condition.reason.clone()).unwrap_or_default()
    }

    pub fn message(&self, condition_type: ConditionType) -> String {
        find(&self.0.conditions, condition_type).map(|condition| condition.message.clone()).unwrap_or_default()
    }

    pub fn cause(&self) -> Option<String> {
        self.0.last_failure.as_ref().and_then(|failure| failure.cause.clone())
    }
}

/// A running operator. Ends with the test.
pub struct Operator {
    child: Child,
    log: NamedTempFile,
}

impl Operator {
    /// Asks it to stop and waits for it.
    pub fn stop(mut self) {
        self.signal("TERM");
        let deadline = std::time::Instant::now() + Duration::from_secs(28);
        while self.child.try_wait().unwrap().is_none() {
            assert!(std::time::Instant::now() < deadline, "the operator does not stop");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Ends it without a warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// The metrics as they are served now.
    pub async fn metrics(&self) -> String {
        self.metrics_for("*/*").await.1
    }

    /// Content type and body for a scraper that sends this `Accept`.
    pub async fn metrics_for(&self, accept: &str) -> (String, String) {
        let request = reqwest::Client::new().get(self.address("metrics").await).header("Accept", accept);
        let answer = request.send().await.unwrap();
        let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (content_type, answer.text().await.unwrap())
    }

    /// What it serves at a path.
    pub async fn served(&self, path: &str) -> reqwest::Response {
        reqwest::get(self.address(path).await).await.unwrap()
    }

    async fn address(&self, path: &str) -> String {
        eventually("the operator serves metrics", || async { self.log().contains("metrics and health are served") }).await;
        let log = self.log();
        let address = log.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        format!("http://{address}/{path}")
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it goes on");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
