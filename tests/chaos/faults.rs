//! A run of faults: three lanes make them side by side, an observer judges all the time, and in the end everything has to
//! be well.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::authorization_server::Verdict;
use crate::bounds;
use crate::faults_endpoint::{self, EndpointFault};
use crate::faults_objects::ObjectFault;
use crate::faults_operator::OperatorFault;
use crate::invariants::{Figures, Invariant, Judge, Violation};
use crate::observer::{self, Snapshot};
use crate::operators::Operators;
use crate::random::Random;
use crate::report;
use crate::settings::Settings;
use crate::sources::{DOOMED, Expected, Kind, Maker, NAMESPACES, Source};
use crate::stage::Stage;
use crate::timeline::{Ongoing, Scope};

/// Between two looks of the observer.
const LOOK: Duration = Duration::from_millis(500);
/// Between two searches of logs, metrics and Events.
const SEARCH: Duration = Duration::from_secs(15);
/// How long a rotated refresh token that is lost may take to be told.
const TOLD: Duration = Duration::from_secs(100);

/// What the lanes, the observer and the person share.
pub struct Run {
    pub stage: Stage,
    pub operators: Arc<Operators>,
    pub settings: Settings,
    random: Random,
    judge: Mutex<Judge>,
    last: Mutex<Option<Snapshot>>,
    violation: watch::Sender<Option<Violation>>,
    forced: AtomicU64,
    round: AtomicU32,
    /// Refresh tokens that were lost and told.
    told: AtomicU64,
}

/// The test: fails by the first violation.
pub async fn run() {
    let settings = Settings::from_env();
    let began = Instant::now();
    report::say(&format!("seed {}; again by: {}", settings.seed, settings.replay()));
    let random = Random::of(settings.seed);
    let run = Arc::new(Box::pin(prepare(settings, random)).await);
    let calm = if run.settings.is_short() { 30 } else { 45 };
    let deadline = began + run.settings.whole.saturating_sub(Duration::from_secs(calm + 15));
    let mut violations = run.violation.subscribe();
    let watching =
        [tokio::spawn(observe(Arc::clone(&run))), tokio::spawn(search(Arc::clone(&run))), tokio::spawn(log_on_again(Arc::clone(&run)))];
    let lanes = async {
        run.until_settled(Duration::from_secs(60)).await;
        report::say(&format!(
            "{} sources are well after {:.0} s; faults begin",
            run.stage.sources.read().unwrap().len(),
            began.elapsed().as_secs_f64()
        ));
        let [processes, way] = OperatorFault::of(run.settings.is_short());
        let all = [
            tokio::spawn(operator_lane(Arc::clone(&run), processes, "processes", deadline)),
            tokio::spawn(operator_lane(Arc::clone(&run), way, "way", deadline)),
            tokio::spawn(object_lane(Arc::clone(&run), deadline)),
        ];
        let doors = (0..run.stage.doors.len()).map(|door| tokio::spawn(endpoint_lane(Arc::clone(&run), door, deadline)));
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

/// The person who has given a refresh token that is all there is: gives another one when told that it is lost.
async fn log_on_again(run: Arc<Run>) {
    let mut seen = 0;
    let mut busy = JoinSet::new();
    let mut cared_for: HashSet<String> = HashSet::new();
    loop {
        while let Some(done) = busy.try_join_next() {
            cared_for.remove(&done.unwrap());
        }
        let records = run.stage.server.records_from(seen);
        seen += records.len();
        let sources = run.stage.of(&[Kind::RefreshToken]);
        for record in records.into_iter().filter(|record| record.verdict == Verdict::RefreshTokenRefused) {
            let Some(source) = sources.iter().find(|source| source.header == record.source) else { continue };
            let is_over = source.needed.is_some_and(|needed| needed > record.at);
            if !is_over && cared_for.insert(source.key()) {
                busy.spawn(care(Arc::clone(&run), source.clone()));
            }
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until the source says that its refresh token is lost, and logs on again.
async fn care(run: Arc<Run>, source: Source) -> String {
    let key = source.key();
    let ongoing = run.stage.timeline.begin(Scope::Source(key.clone()), format!("the refresh token of {key} is lost"));
    let deadline = Instant::now() + TOLD;
    while !run.is_told(&key, "RefreshTokenInvalid") {
        if Instant::now() > deadline {
            let facts = format!("its refresh token was refused {} s ago, and its status does not say so", TOLD.as_secs());
            run.violation.send_replace(Some(Violation { invariant: Invariant::StatusIsTrue, concerns: key.clone(), facts }));
            return key;
        }
        sleep(Duration::from_millis(300)).await;
    }
    run.told.fetch_add(1, Ordering::SeqCst);
    let mut data = source.data.clone();
    data.insert("refresh_token".to_owned(), run.stage.server.log_on(&source.header, &source.client));
    run.stage.needs(&key);
    run.stage.secret(&source.namespace, &source.credentials, &data).await;
    run.stage.needs(&key);
    run.stage.timeline.end(ongoing, bounds::ATTEMPT);
    key
}

async fn operator_lane(run: Arc<Run>, mut faults: Vec<OperatorFault>, name: &'static str, deadline: Instant) {
    let mut random = run.random.fork(name);
    random.shuffle(&mut faults);
    let all = faults.clone();
    while Instant::now() < deadline {
        if faults.is_empty() {
            faults.push(*random.pick(&all));
        }
        let fault = faults[0];
        let left = deadline.saturating_duration_since(Instant::now());
        if fault.takes() > left {
            // One that still fits, if there is one.
            let Some(place) = faults.iter().position(|other| other.takes() <= left) else { break };
            faults.swap(0, place);
            continue;
        }
        if name == "way" {
            sleep(Duration::from_secs(random.between(5, 25))).await;
        } else {
            run.until_settled(Duration::from_secs(15)).await;
        }
        let strikes = run.strikes(fault.name());
        faults[0].make(&run, &mut random).await;
        let made = faults.remove(0);
        // One that found nobody to strike comes again.
        if run.strikes(made.name()) == strikes {
            faults.push(made);
        }
    }
}

async fn endpoint_lane(run: Arc<Run>, door: usize, deadline: Instant) {
    // The faults are dealt to the doors by the seed, the same for all lanes.
    let mut all = faults_endpoint::ALL.to_vec();
    run.random.fork("doors").shuffle(&mut all);
    let mut mine: Vec<EndpointFault> = if run.settings.is_short() {
        vec![[faults_endpoint::RESET, faults_endpoint::STORM_UNTIL, EndpointFault::Dns][door]]
    } else {
        all.iter().enumerate().filter(|(number, _)| number % run.stage.doors.len() == door).map(|(_, fault)| *fault).collect()
    };
    if door == 2 && !run.settings.is_short() {
        mine.push(EndpointFault::Dns);
    }
    // The pace that a storm leaves behind is no good beginning.
    mine.sort_by_key(|fault| *fault == faults_endpoint::STORM);
    let mut random = run.random.fork(&format!("door {door}"));
    let longest = if run.settings.is_short() { 12 } else { 22 };
    sleep(Duration::from_secs(random.between(0, 8))).await;
    loop {
        if mine.is_empty() {
            if run.settings.is_short() {
                return;
            }
            mine.push(*random.pick(&all));
        }
        let fault = mine.remove(0);
        if Instant::now() + fault.takes(Duration::from_secs(longest)) > deadline {
            return;
        }
        fault.make(&run, &mut random, door, longest).await;
        sleep(Duration::from_secs(random.between(1, 8))).await;
    }
}

async fn object_lane(run: Arc<Run>, deadline: Instant) {
    let mut random = run.random.fork("objects");
    let all = if run.settings.is_short() { ObjectFault::SHORT.to_vec() } else { ObjectFault::ALL.to_vec() };
    let mut faults = all.clone();
    random.shuffle(&mut faults);
    while Instant::now() + Duration::from_secs(12) < deadline {
        let fault = if faults.is_empty() { *random.pick(&all) } else { faults.remove(0) };
        let strikes = run.strikes(fault.name());
        fault.make(&run, &mut random).await;
        if run.strikes(fault.name()) == strikes {
            faults.push(fault);
        }
        sleep(Duration::from_secs(random.between(4, 14))).await;
    }
}

impl Run {
    fn strikes(&self, fault: &str) -> u32 {
        self.stage.struck.lock().unwrap().get(fault).copied().unwrap_or_default()
    }

    /// The faults that have to strike in such a run.
    pub fn wanted(&self) -> Vec<&'static str> {
        let short = self.settings.is_short();
        let operator = OperatorFault::of(short).concat();
        let objects = if short { ObjectFault::SHORT.to_vec() } else { ObjectFault::ALL.to_vec() };
        let mut endpoint = if short { vec![faults_endpoint::RESET, faults_endpoint::STORM_UNTIL] } else { faults_endpoint::ALL.to_vec() };
        endpoint.push(EndpointFault::Dns);
        let names = operator.into_iter().map(OperatorFault::name).chain(endpoint.into_iter().map(EndpointFault::name));
        names.chain(objects.into_iter().map(ObjectFault::name)).collect()
    }

    fn missing(&self) -> Vec<&'static str> {
        self.wanted().into_iter().filter(|name| self.strikes(name) == 0).collect()
    }

    pub fn figures(&self) -> Figures {
        self.judge.lock().unwrap().figures.clone()
    }

    pub fn told(&self) -> u64 {
        self.told.load(Ordering::SeqCst)
    }

    /// Forces requests of some sources of these kinds.
    pub async fn hurry(&self, random: &mut Random, kinds: &[Kind], count: usize) {
        let mut sources = self.stage.of(kinds);
        random.shuffle(&mut sources);
        for source in sources.iter().take(count) {
            self.hurry_source(source).await;
        }
    }

    pub async fn hurry_at(&self, random: &mut Random, door: usize, count: usize) {
        let mut sources = self.stage.of(&[Kind::Own]);
        sources.retain(|source| source.door == door);
        random.shuffle(&mut sources);
        for source in sources.iter().take(count) {
            self.hurry_source(source).await;
        }
    }

    pub async fn hurry_source(&self, source: &Source) {
        let value = self.forced.fetch_add(1, Ordering::SeqCst);
        self.stage.request_refresh(source, &value.to_string()).await;
    }

    /// Until no source is late: faults of the operator wait for that, because two crashes while the same credentials are under
    /// way hold them back for an hour (ADR 0006).
    pub async fn until_settled(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut looks = 0;
        while looks < 2 && Instant::now() < deadline {
            sleep(LOOK).await;
            let is_seen = self.last.lock().unwrap().is_some();
            looks = if is_seen && self.judge.lock().unwrap().overdue.is_empty() { looks + 1 } else { 0 };
        }
    }

    /// Until a fault's consequences have to be over, or are: somebody has led for a while, and nobody is late.
    pub async fn until_over(&self, ongoing: Ongoing) {
        let deadline = Instant::now() + self.stage.timeline.left(ongoing);
        let mut led_since = None;
        while Instant::now() < deadline {
            sleep(LOOK).await;
            let is_led = self.operators.leader().await.is_some() && self.judge.lock().unwrap().overdue.is_empty();
            led_since = if is_led { led_since.or(Some(Instant::now())) } else { None };
            if led_since.is_some_and(|since: Instant| since.elapsed() > bounds::ATTEMPT) {
                return;
            }
        }
    }

    /// Waits until a source has a token that was issued later. False if it takes too long.
    pub async fn until_token(&self, key: &str, after: Instant) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            let has_it = self
                .last
                .lock()
                .unwrap()
                .as_ref()
                .and_then(|last| last.secrets.get(key)?.token.clone())
                .is_some_and(|token| token.at > after);
            if has_it {
                return true;
            }
            sleep(LOOK).await;
        }
        false
    }

    /// Whether a token was written with times that are off by about so much.
    pub fn sees_wrong_times(&self, offset: i64) -> bool {
        let last = self.last.lock().unwrap();
        let secrets = last.as_ref().into_iter().flat_map(|last| last.secrets.values());
        let (now, wall) = (Instant::now(), tokensource::clock::precise());
        secrets.filter_map(|secret| secret.token.as_ref().zip(secret.expires_at)).any(|(token, told)| {
            let left = SignedDuration::try_from(token.expires.saturating_duration_since(now)).unwrap_or_default();
            let off = told.duration_since(wall) - left;
            token.expires > now && (off - SignedDuration::from_secs(offset)).abs() < SignedDuration::from_secs(60)
        })
    }

    /// Whether a source of the door says that it found no connection, since then.
    pub fn sees_connection_failure(&self, door: usize, since: Instant) -> bool {
        let wall = tokensource::clock::precise() - SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        let at_door = |key: &str| self.stage.sources.read().unwrap().get(key).is_some_and(|source| source.door == door);
        let last = self.last.lock().unwrap();
        let mut sources = last.iter().flat_map(|last| &last.sources);
        sources.any(|(key, source)| {
            source.failure.as_ref().is_some_and(|(reason, time)| reason == "ConnectionFailed" && *time >= wall) && at_door(key)
        })
    }

    fn is_told(&self, key: &str, reason: &str) -> bool {
        let last = self.last.lock().unwrap();
        last.as_ref()
            .and_then(|last| last.sources.get(key))
            .is_some_and(|source| source.refreshed == Some(false) && source.stalled && source.reason == reason)
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
        for source in self.stage.sources.read().unwrap().values().filter(|source| source.expected() == Expected::Token) {
            let key = source.key();
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
