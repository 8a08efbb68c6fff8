//! The operator as a process: what it costs, and what its own counters say.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::report::Report;

/// `_SC_CLK_TCK`, which is this on every Linux.
const TICKS_A_SECOND: f64 = 100.0;
const IDLE: Duration = Duration::from_secs(30);
/// No limit of the operator's own is measured.
const PACE: [&str; 4] = ["--endpoint-rate", "100000", "--endpoint-concurrency", "100"];

pub struct Operator {
    child: Child,
    pub started: Instant,
    metrics_url: String,
}

/// What the process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_seconds: f64,
    pub peak_mib: f64,
    pub now_mib: f64,
}

impl Operator {
    /// Starts it, as fast as it goes unless `flags` say otherwise.
    pub async fn start(cluster: &Cluster, flags: &[&str]) -> Self {
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tokensource"))
            .args(["run", "--namespace", &cluster.namespace, "--metrics-addr", "127.0.0.1:0", "--log-format", "json"])
            .args(["--allow-http", "--allow-cidr", "127.0.0.0/8"])
            .args(PACE.iter().filter(|_| flags.is_empty()))
            .args(flags)
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("RUST_LOG", "info,tokensource=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (found, address) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut found = Some(found);
            for line in log.lines().map_while(Result::ok) {
                if line.contains("\"WARN\"") || line.contains("\"ERROR\"") {
                    eprintln!("operator: {line}");
                }
                if let Some(address) = line.split('"').find(|part| part.starts_with("127.0.0.1:"))
                    && let Some(found) = found.take()
                {
                    _ = found.send(address.to_owned());
                }
            }
        });
        let address = address.await.expect("the operator tells where its metrics are");
        Self { child, started, metrics_url: format!("http://{address}") }
    }

    /// Ends it as Kubernetes would, and waits for that.
    pub async fn end(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        while self.child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn usage(&self) -> Usage {
        let folder = format!("/proc/{}", self.child.id());
        let stat = fs::read_to_string(format!("{folder}/stat")).unwrap();
        // Behind the name, which may hold spaces: state is the first field, utime the twelfth.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
        };
        Usage { cpu_seconds: (ticks(11) + ticks(12)) / TICKS_A_SECOND, peak_mib: mib("VmHWM:"), now_mib: mib("VmRSS:") }
    }

    /// The sum of a counter over its labels, of those series whose labels contain `part`.
    pub async fn counter(&self, name: &str, part: &str) -> f64 {
        let text = reqwest::get(format!("{}/metrics", self.metrics_url)).await.unwrap().text().await.unwrap();
        let series =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(part));
        series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Requests to the API server so far; watches count once each.
    pub async fn api_requests(&self) -> f64 {
        self.counter("tokensource_kubernetes_requests_total", "").await
    }

    pub async fn is_ready(&self) -> bool {
        reqwest::get(format!("{}/readyz", self.metrics_url)).await.is_ok_and(|response| response.status().is_success())
    }

    /// Waits until what came of the start is over: the ledger is taken back, Events are written.
    async fn until_calm(&self) {
        let mut requests = f64::NAN;
        loop {
            sleep(Duration::from_secs(5)).await;
            let now = self.api_requests().await;
            // Counts, which are whole.
            if (now - requests).abs() < 0.5 {
                return;
            }
            requests = now;
        }
    }

    /// What it costs while nothing is due.
    pub async fn measure_idle(&self, report: &mut Report) {
        self.until_calm().await;
        let (before, requests) = (self.usage(), self.api_requests().await);
        sleep(IDLE).await;
        let after = self.usage();
        let share = (after.cpu_seconds - before.cpu_seconds) / IDLE.as_secs_f64();
        let requests = self.api_requests().await - requests;
        report.set("idle: CPU, % of a core", share * 100.0, json!(share));
        report.set("idle: API requests", requests, json!(requests));
        report.set("idle: RSS, MiB", after.now_mib, json!(after.now_mib));
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
