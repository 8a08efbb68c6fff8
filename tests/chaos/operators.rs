//! The operator under test: two replicas, started again when they end, as a Deployment does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::config::Kubeconfig;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::bounds::RESTART;
use crate::mark::Mark;
use crate::proxy::Way;
use crate::timeline::Timeline;
use crate::way::Ways;

/// The host name of one of the doors; known to the operator by a hosts file of its own.
pub const NAMED_HOST: &str = "idp.chaos.test";

/// Hides the machine's own hosts file and resolver from one process: in a mount namespace of its own.
const PRIVATE_NAMES: &str = r#"mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@""#;

/// Where Debian's package libfaketime puts its library.
const FAKETIME: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

/// How a process of the operator is started.
pub struct Launch {
    pub program: PathBuf,
    pub kubeconfig: Kubeconfig,
    pub ways: Arc<Ways>,
    pub timeline: Arc<Timeline>,
    /// For logs, clocks and the hosts file.
    pub folder: PathBuf,
    /// The mark of what no output may hold.
    pub mark: Mark,
    /// `RUST_LOG`.
    pub log: String,
    pub flags: Vec<String>,
}

struct Process {
    number: u64,
    child: Child,
    metrics: u16,
    log: PathBuf,
    _way: Way,
}

#[derive(Default)]
struct Slot {
    process: Option<Process>,
    start_at: Option<Instant>,
}

/// Both replicas.
pub struct Operators {
    launch: Launch,
    slots: [Mutex<Slot>; 2],
    started: AtomicU64,
    leaks: std::sync::Mutex<Vec<String>>,
}

impl Operators {
    /// Starts them, and goes on starting them.
    pub async fn start(launch: Launch) -> Arc<Self> {
        fs::write(launch.folder.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
        fs::write(launch.folder.join("mark"), launch.mark.forms().join("\n")).unwrap();
        let operators =
            Arc::new(Self { launch, slots: Default::default(), started: AtomicU64::new(0), leaks: std::sync::Mutex::default() });
        operators.know_names(true);
        for slot in 0..operators.slots.len() {
            operators.set_clock(slot, 0);
            operators.slots[slot].lock().await.process = Some(operators.spawn(slot).await);
        }
        let supervised = Arc::clone(&operators);
        tokio::spawn(async move {
            loop {
                supervised.supervise().await;
                sleep(Duration::from_millis(100)).await;
            }
        });
        operators
    }

    async fn supervise(&self) {
        for (index, slot) in self.slots.iter().enumerate() {
            let mut slot = slot.lock().await;
            if slot.process.as_mut().is_some_and(|process| process.child.try_wait().unwrap().is_some()) {
                let ended = slot.process.take().unwrap();
                // Also by itself, without its Lease: what it had in hand is gone.
                self.launch.timeline.killed();
                self.launch.timeline.tell(format!("process {} has ended", ended.number));
                self.search(&ended.log);
                slot.start_at = Some(Instant::now() + RESTART);
            }
            if slot.start_at.is_some_and(|at| at <= Instant::now()) {
                slot.start_at = None;
                slot.process = Some(self.spawn(index).await);
            }
        }
    }

    async fn spawn(&self, slot: usize) -> Process {
        let Launch { program, kubeconfig, ways, folder, log, flags, .. } = &self.launch;
        let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
        let way = Way::open(ways, number).await;
        let mut kubeconfig = kubeconfig.clone();
        for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            cluster.server = Some(way.url.clone());
            cluster.certificate_authority_data = None;
        }
        let kubeconfig_file = folder.join(format!("kubeconfig-{number}"));
        fs::write(&kubeconfig_file, serde_json::to_string(&kubeconfig).unwrap()).unwrap();
        let log_file = folder.join(format!("operator-{number}.log"));
        let metrics = free_port();
        let mut command = in_private_mounts();
        command.args(["sh", "-c", PRIVATE_NAMES, "sh"]).arg(folder.join("hosts")).arg(folder.join("resolv.conf"));
        // Not to outlive a harness that is killed.
        command.args(["setpriv", "--pdeathsig", "KILL", "env"]).arg(format!("LD_PRELOAD={}", faketime().display()));
        command.arg(program).args(["run", "--leader-elect", "--allow-http", "--allow-cidr", "127.0.0.0/8"]);
        command.arg("--metrics-addr").arg(format!("127.0.0.1:{metrics}")).args(flags);
        command.env("KUBECONFIG", kubeconfig_file).env("RUST_LOG", log);
        // The clock that is set, alone: the time since boot goes on as it does when a machine's clock is corrected.
        command.env("FAKETIME_TIMESTAMP_FILE", self.clock(slot)).env("FAKETIME_NO_CACHE", "1");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
        let output = fs::File::create(&log_file).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).kill_on_drop(true);
        Process { number, child: command.spawn().unwrap(), metrics, log: log_file, _way: way }
    }

    fn clock(&self, slot: usize) -> PathBuf {
        self.launch.folder.join(format!("clock-{slot}"))
    }

    /// Sets a replica's clock so many seconds off.
    fn set_clock(&self, slot: usize, offset: i64) {
        // Renamed into place: a reader never finds half of it.
        let (new, file) = (self.launch.folder.join(format!("clock-{slot}.new")), self.clock(slot));
        fs::write(&new, format!("{offset:+}\n")).unwrap();
        fs::rename(new, file).unwrap();
    }

    pub fn set_clocks(&self, slots: &[usize], offset: i64) {
        for slot in slots {
            self.set_clock(*slot, offset);
        }
    }

    /// Whether the name of the named door can be resolved. Written in place: the mount shows the file, not its name.
    pub fn know_names(&self, known: bool) {
        let named = if known { format!("127.0.0.1 {NAMED_HOST}\n") } else { String::new() };
        fs::write(self.launch.folder.join("hosts"), format!("127.0.0.1 localhost\n{named}")).unwrap();
    }

    /// The slot of the process that leads.
    pub async fn leader(&self) -> Option<usize> {
        let holder = self.launch.ways.holder()?;
        self.slot_of(holder).await
    }

    async fn slot_of(&self, number: u64) -> Option<usize> {
        for (index, slot) in self.slots.iter().enumerate() {
            if slot.lock().await.process.as_ref().is_some_and(|process| process.number == number) {
                return Some(index);
            }
        }
        None
    }

    /// `kill -9`. True if there was a process.
    pub async fn kill(&self, slot: usize) -> bool {
        let mut slot = self.slots[slot].lock().await;
        let Some(process) = slot.process.as_mut() else { return false };
        process.child.start_kill().is_ok() && process.child.wait().await.is_ok()
    }

    pub async fn kill_process(&self, number: u64) -> bool {
        match self.slot_of(number).await {
            Some(slot) => self.kill(slot).await,
            None => false,
        }
    }

    /// Sends a signal; gives the process's number.
    pub async fn signal(&self, slot: usize, signal: &str) -> Option<u64> {
        let slot = self.slots[slot].lock().await;
        let process = slot.process.as_ref()?;
        let pid = process.child.id()?.to_string();
        Blocking::new("kill").args(["-s", signal, &pid]).status().unwrap().success().then_some(process.number)
    }

    pub async fn is_running(&self, number: u64) -> bool {
        self.slot_of(number).await.is_some()
    }

    /// How many processes were started, and of those that run the metrics' ports.
    pub async fn metrics_ports(&self) -> Vec<(u64, u16)> {
        let mut ports = Vec::new();
        for slot in &self.slots {
            ports.extend(slot.lock().await.process.as_ref().map(|process| (process.number, process.metrics)));
        }
        ports
    }

    /// The process ids of those that run.
    pub async fn pids(&self) -> Vec<(u64, u32)> {
        let mut pids = Vec::new();
        for slot in &self.slots {
            pids.extend(slot.lock().await.process.as_ref().and_then(|process| Some((process.number, process.child.id()?))));
        }
        pids
    }

    pub fn starts(&self) -> u64 {
        self.started.load(Ordering::SeqCst)
    }

    /// Searches the logs of those that run for secrets, and tells all that was found so far.
    pub async fn leaks(&self) -> Vec<String> {
        for slot in &self.slots {
            let log = slot.lock().await.process.as_ref().map(|process| process.log.clone());
            if let Some(log) = log {
                self.search(&log);
            }
        }
        self.leaks.lock().unwrap().clone()
    }

    /// grep, because a run logs some hundred megabytes. What is told is where, not what.
    fn search(&self, log: &Path) {
        let mark = self.launch.folder.join("mark");
        let found = Blocking::new("grep").args(["-F", "-n", "-m", "1", "-f"]).arg(mark).arg(log).output().unwrap();
        assert!(found.status.code().is_some_and(|code| code < 2), "grep: {}", String::from_utf8_lossy(&found.stderr));
        if let Some(line) = String::from_utf8_lossy(&found.stdout).split(':').next().filter(|line| !line.is_empty()) {
            self.leaks.lock().unwrap().push(format!("a secret in line {line} of {}", log.display()));
        }
    }

    /// The size of all logs in bytes: what was searched.
    pub fn logged(&self) -> u64 {
        let entries = fs::read_dir(&self.launch.folder).unwrap().map(Result::unwrap);
        entries
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "log"))
            .map(|entry| entry.metadata().unwrap().len())
            .sum()
    }
}

fn in_private_mounts() -> Command {
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
}

fn is_root() -> bool {
    Blocking::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// The library that sets a process's clock. Fails with the command that installs it.
fn faketime() -> PathBuf {
    let found = FAKETIME.iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("libfaketime is missing: apt-get install libfaketime")
}

/// Fails at once where faults could not be made.
pub fn check_premises() {
    faketime();
    let mut probe = Blocking::new("unshare");
    probe.arg("--mount");
    if !is_root() {
        probe.args(["--user", "--map-root-user"]);
    }
    let works =
        probe.args(["mount", "--bind", "/dev/null", "/etc/hosts"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    assert!(works, "no mount namespace of its own for the operator: run as root, or allow unprivileged user namespaces");
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
