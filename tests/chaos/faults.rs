//! A run of faults: lanes make them side by side, an observer judges all the time, and in the end everything has to
//! be well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::invariants::Judge;
use crate::observer::{self, Snapshot};
use crate::operators::Operators;
use crate::promises::{Figures, Invariant, Violation};
use crate::random::Random;
use crate::settings::Settings;
use crate::sources::{DOOMED, Expected, Maker, NAMESPACES, Source};
use crate::stage::Stage;
use crate::timeline::Scope;
use crate::{bounds, lanes, person, report};

/// Between two looks of the observer.
pub const LOOK: Duration = Duration::from_millis(500);
/// Between two searches of logs, metrics and Events.
const SEARCH: Duration = Duration::from_secs(15);

/// How much later than planned the last fault may end, and how long the end of the world takes.
const ENDING: Duration = Duration::from_secs(20);

/// What the lanes, the observer and the person share.
pub struct Run {
    pub stage: Stage,
    pub operators: Arc<Operators>,
    pub settings: Settings,
    pub random: Random,
    pub judge: Mutex<Judge>,
    /// What the observer saw last.
    pub last: Mutex<Option<Snapshot>>,
    pub violation: watch::Sender<Option<Violation>>,
    /// How many requests were forced.
    pub forced: AtomicU64,
    round: AtomicU32,
    /// Refresh tokens that were lost and told.
    pub told: AtomicU64,
}

/// The test: fails by the first violation.
pub async fn run() {
    let settings = Settings::from_env();
    let began = Instant::now();
    report::say(&format!("seed {}; again by: {}", settings.seed, settings.replay()));
    let random = Random::of(settings.seed);
    let run = Arc::new(Box::pin(prepare(settings, random)).await);
    let calm = if run.settings.is_short() { 30 } else { 45 };
    let deadline = began + run.settings.whole.saturating_sub(Duration::from_secs(calm) + ENDING);
    let mut violations = run.violation.subscribe();
    let watching = [
        tokio::spawn(observe(Arc::clone(&run))),
        tokio::spawn(search(Arc::clone(&run))),
        tokio::spawn(person::log_on_again(Arc::clone(&run))),
    ];
    let lanes = async {
        run.until_settled(Duration::from_secs(60)).await;
        report::say(&format!(
            "{} sources are well after {:.0} s; faults begin",
            run.stage.sources.read().unwrap().len(),
            began.elapsed().as_secs_f64()
        ));
        let all = [
            tokio::spawn(lanes::crashes(Arc::clone(&run), deadline)),
            tokio::spawn(lanes::hindrances(Arc::clone(&run), deadline)),
            tokio::spawn(lanes::objects(Arc::clone(&run), deadline)),
        ];
        let doors = (0..run.stage.doors.len()).map(|door| tokio::spawn(lanes::endpoint(Arc::clone(&run), door, deadline)));
        for lane in all.into_iter().chain(doors).collect::<Vec<_>>() {
            lane.await.unwrap();
        }
        report::say(&format!("faults have ended after {:.0} s; calm", began.elapsed().as_secs_f64()));
        sleep(Duration::from_secs(calm)).await;
        run.check_end().await;
    };
    let violation = tokio::select! {
        () = lanes => run.violation.borrow().clone(),
        _ = violations.wait_for(Option::is_some) => run.violation.borrow().clone(),
    };
    watching.iter().for_each(tokio::task::JoinHandle::abort);
    let missing = run.missing();
    report::tell(&run, began.elapsed());
    if let Some(violation) = &violation {
        report::tell_violation(&run, violation);
    }
    let replay = run.settings.replay();
    if let Ok(run) = Arc::try_unwrap(run) {
        Box::pin(run.stage.end()).await;
    }
    assert!(violation.is_none(), "an invariant does not hold: {}; again by: {replay}", violation.unwrap().invariant);
    assert!(missing.is_empty(), "faults that never struck: {}; again by: {replay}", missing.join(", "));
}

async fn prepare(settings: Settings, random: Random) -> Run {
    let stage = Stage::set(&format!("chaos-{}", settings.seed), &random).await;
    let starting = stage.timeline.begin(Scope::Everything, "the start");
    for namespace in NAMESPACES.into_iter().chain([DOOMED]) {
        stage.namespace(namespace).await;
    }
    let foreign = write_foreign_secrets(&stage).await;
    let program = std::env::var_os("CHAOS_OPERATOR").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tokensource")), PathBuf::from);
    let operators = stage.operators(program, "trace".to_owned(), Vec::new()).await;
    let sources = {
        let mut maker = Maker { server: &stage.server, doors: &stage.doors, mark: &stage.mark, random: random.fork("sources") };
        let mut sources = maker.all();
        sources.extend(maker.doomed(1));
        sources
    };
    for source in sources {
        stage.add(source).await;
    }
    stage.timeline.end(starting, bounds::API_SERVER + bounds::AFTER_TAKE_OVER);
    Run {
        stage,
        operators,
        settings,
        random,
        judge: Mutex::new(Judge::new(foreign)),
        last: Mutex::default(),
        violation: watch::channel(None).0,
        forced: AtomicU64::new(0),
        round: AtomicU32::new(1),
        told: AtomicU64::new(0),
    }
}

/// Secrets where a source wants its token to be, and that are not its own: a person's, another source's, another owner's.
async fn write_foreign_secrets(stage: &Stage) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for (number, namespace) in NAMESPACES.into_iter().enumerate() {
        let name = format!("foreign-{number}");
        let mut metadata = json!({"name": name});
        match number {
            0 => {}
            1 => {
                metadata["labels"] = json!({"app.kubernetes.io/managed-by": "tokensource"});
                metadata["annotations"] = json!({"tokensource.dev/source": "another"});
            }
            _ => {
                let uid = stage.config_map(namespace, "owner").await;
                metadata["ownerReferences"] =
                    json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "controller": true}]);
            }
        }
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"access_token": "theirs"}});
        versions.insert(format!("{namespace}/{name}"), stage.foreign(namespace, &name, &secret).await);
    }
    versions
}

async fn observe(run: Arc<Run>) {
    loop {
        if let Some(snapshot) = observer::look(&run.stage).await {
            let judged = run.judge.lock().unwrap().judge(&run.stage, &snapshot);
            *run.last.lock().unwrap() = Some(snapshot);
            if let Err(violation) = judged {
                run.violation.send_replace(Some(violation));
                return;
            }
        }
        sleep(LOOK).await;
    }
}

async fn search(run: Arc<Run>) {
    loop {
        sleep(SEARCH).await;
        if let Some(leak) = run.leak().await {
            let violation = Violation { invariant: Invariant::NoSecretInAnyOutput, concerns: "all".to_owned(), facts: leak };
            run.violation.send_replace(Some(violation));
            return;
        }
    }
}

impl Run {
    pub fn figures(&self) -> Figures {
        self.judge.lock().unwrap().figures.clone()
    }

    pub fn told(&self) -> u64 {
        self.told.load(Ordering::SeqCst)
    }

    /// Searches what the operator puts out.
    async fn leak(&self) -> Option<String> {
        if let Some(leak) = self.operators.leaks().await.pop() {
            return Some(leak);
        }
        for (number, port) in self.operators.metrics_ports().await {
            let answer =
                reqwest::Client::new().get(format!("http://127.0.0.1:{port}/metrics")).timeout(Duration::from_secs(3)).send().await;
            let Ok(answer) = answer else { continue };
            if answer.text().await.is_ok_and(|text| self.stage.mark.is_in(&text)) {
                return Some(format!("a secret in the metrics of process {number}"));
            }
        }
        observer::events_leak(&self.stage).await
    }

    /// After the calm: nothing excuses anybody any more.
    async fn check_end(&self) {
        if let Some(leak) = self.leak().await {
            let violation = Violation { invariant: Invariant::NoSecretInAnyOutput, concerns: "all".to_owned(), facts: leak };
            self.violation.send_replace(Some(violation));
        }
        let last = self.last.lock().unwrap().clone();
        let Some(last) = last.filter(|last| last.from.elapsed() < Duration::from_secs(10)) else {
            let facts = "the observer sees nothing any more".to_owned();
            self.violation.send_replace(Some(Violation {
                invariant: Invariant::TokenWhereThereCouldBeOne,
                concerns: "all".to_owned(),
                facts,
            }));
            return;
        };
        let held_back = self.figures().held_back;
        for source in self.stage.sources.read().unwrap().values().filter(|source| source.expected() == Expected::Token) {
            let key = source.key();
            if held_back.contains(&key) {
                continue;
            }
            let is_well = last.secrets.get(&key).and_then(|secret| secret.token.as_ref()).is_some_and(|token| token.expires > last.from);
            if !is_well {
                let facts = format!("after the calm; status: {}", last.sources.get(&key).cloned().unwrap_or_default().conditions);
                self.violation.send_replace(Some(Violation { invariant: Invariant::TokenWhereThereCouldBeOne, concerns: key, facts }));
            }
        }
    }

    /// The doomed sources for the next time.
    pub fn next_doomed(&self) -> Vec<Source> {
        let round = self.round.fetch_add(1, Ordering::SeqCst) + 1;
        let Stage { server, doors, mark, .. } = &self.stage;
        Maker { server, doors, mark, random: self.random.fork("doomed") }.doomed(round)
    }
}
