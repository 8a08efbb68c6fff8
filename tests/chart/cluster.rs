//! Words for Helm, kubectl and what they print.

use std::fs;
use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::NamedTempFile;
use testenv::{HelmMajor, World};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep};

/// How long a test waits for what should come within seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// An image that nobody pulls: the control plane has no nodes.
pub const IMAGE: &str = "image.repository=registry.example.com/tokensource";

/// Tests that change what holds in the whole cluster, or need that nobody does, take turns.
static WHOLE_CLUSTER: Mutex<()> = Mutex::const_new(());

pub async fn alone() -> MutexGuard<'static, ()> {
    WHOLE_CLUSTER.lock().await
}

pub fn world() -> World {
    _ = rustls::crypto::ring::default_provider().install_default();
    World::from_env().unwrap()
}

pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/tokensource")
}

/// Values in a file.
pub fn values(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

pub fn helm(world: &World, major: HelmMajor, args: &[&str]) -> Output {
    world.helm(major).unwrap().args(args).stdin(Stdio::null()).output().unwrap()
}

/// Renders the chart as release `keep` in namespace `chart-cases`.
pub fn template(world: &World, major: HelmMajor, text: &str) -> Result<String, String> {
    let (file, chart) = (values(text), chart());
    let args = ["template", "keep", chart.to_str().unwrap(), "-n", "chart-cases", "--set", IMAGE, "-f", file.path().to_str().unwrap()];
    let output = helm(world, major, &args);
    if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

pub fn documents(yaml: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    all.into_iter().filter(Value::is_object).collect()
}

/// The one document of this kind.
pub fn of_kind<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap_or_else(|| panic!("there is no {kind}"))
}

/// What it printed; a test fails with its complaint.
pub fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn kubectl(world: &World, args: &[&str]) -> Output {
    world.kubectl().unwrap().args(args).stdin(Stdio::null()).output().unwrap()
}

/// `kubectl … -f -`.
pub fn kubectl_with(world: &World, args: &[&str], input: &str) -> Output {
    fed(world.kubectl().unwrap().args(args).args(["-f", "-"]), input)
}

fn fed(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    _ = writer.join();
    output
}

/// Makes a namespace, there or not, and labels it.
pub fn namespace(world: &World, name: &str, labels: &[&str]) {
    _ = kubectl(world, &["create", "namespace", name]);
    let labelled = [&["label", "namespace", name, "--overwrite", "test=chart"], labels].concat();
    ok(&kubectl(world, &labelled));
}

/// A name that no other run in the same world has taken.
pub fn fresh(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// The CRD as another installer left it: without Helm's mark.
pub fn install_crd(world: &World) {
    let crd = fs::read_to_string(chart().join("files/crd.yaml")).unwrap();
    ok(&kubectl_with(world, &["apply", "--server-side", "--force-conflicts"], &crd));
    ok(&kubectl(world, &["wait", "crd/tokensources.tokensource.dev", "--for=condition=Established", "--timeout=60s"]));
}

/// Waits until something holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "never came to this: {what}");
        sleep(Duration::from_millis(200)).await;
    }
}
