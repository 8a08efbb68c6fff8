//! What is asked of the cluster, by `kubectl` and `ctr`.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use testenv::World;

/// How long something may take that comes within seconds on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The cluster, seen from a namespace.
pub struct Cluster {
    world: World,
    namespace: String,
}

impl Cluster {
    /// Makes the namespace.
    pub fn of(world: &World, namespace: &str) -> Self {
        let cluster = Self { world: world.clone(), namespace: namespace.to_owned() };
        cluster.kubectl(["create", "namespace", namespace]);
        cluster
    }

    /// Runs `kubectl` in the namespace; gives what it prints.
    pub fn kubectl<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let mut command = self.world.kubectl().unwrap();
        printed(command.args(["-n", &self.namespace]).args(arguments))
    }

    pub fn apply(&self, object: &Value) {
        let mut command = self.world.kubectl().unwrap();
        command.args(["-n", &self.namespace, "apply", "--server-side", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(object.to_string().as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "kubectl apply");
    }

    pub fn delete(&self, object: &str) {
        self.kubectl(["delete", object]);
    }

    pub fn until_ready(&self, object: &str) {
        self.kubectl(["wait", "--for=condition=Ready", object, &format!("--timeout={}s", PATIENCE.as_secs())]);
    }

    /// The names of the objects of a kind, sorted.
    pub fn names(&self, kind: &str) -> Vec<String> {
        let printed = self.kubectl(["get", kind, "-o", "name"]);
        let mut names: Vec<_> = printed.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// The token in a Secret.
    pub fn token(&self, secret: &str) -> String {
        let encoded = self.kubectl(["get", "secret", secret, "-o", "jsonpath={.data.access_token}"]);
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }

    /// Waits until an object is gone that nobody here deletes.
    pub fn until_gone(&self, kind: &str, name: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.names(kind).iter().any(|there| there == name) {
            assert!(Instant::now() < deadline, "{kind}/{name} is still there");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Host and port of the API server.
    pub fn api_server(&self) -> (String, String) {
        let url = self.kubectl(["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
        let url = url::Url::parse(&url).unwrap();
        (url.host_str().unwrap().to_owned(), url.port().unwrap().to_string())
    }

    /// Gives the node an image under further names too.
    pub fn import_image(&self, archive: &OsStr, name: &str, further: &str) {
        printed(self.world.ctr().unwrap().args(["images", "import"]).arg(archive));
        printed(self.world.ctr().unwrap().args(["images", "tag", "--force", name, further]));
    }

    /// What containers have printed, by file.
    fn logs(&self) -> Vec<(PathBuf, String)> {
        let folders = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let files = folders(self.world.pod_logs().unwrap().to_owned()).flat_map(folders).flat_map(folders);
        files.map(|file| (file.clone(), std::fs::read_to_string(file).unwrap_or_default())).collect()
    }
}

impl Drop for Cluster {
    /// Of a failed test: what the containers had to say.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (file, log) in self.logs() {
                eprintln!("--- {}\n{log}", file.display());
            }
            _ = self.world.kubectl().unwrap().args(["get", "pods,tks,events", "-A"]).status();
        }
    }
}

/// Runs a command that must succeed; gives what it prints.
pub fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{command:?}: {}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
