//! The lanes: who makes which faults, in which order, until when.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::faults::Run;
use crate::faults_endpoint::{self, EndpointFault};
use crate::faults_objects::ObjectFault;
use crate::faults_operator::OperatorFault;
use crate::random::Random;
use crate::sources::{Kind, Source};

/// Faults that end a process of the operator. One at a time, and each when nobody is late, because two crashes while the same
/// credentials are under way hold them back for an hour (ADR 0006).
pub async fn crashes(run: Arc<Run>, deadline: Instant) {
    let mut random = run.random.fork("crashes");
    let mut queue = Queue::of(OperatorFault::crashes(run.settings.is_short()), &mut random);
    while let Some(fault) = queue.next(&mut random, deadline) {
        run.until_settled(Duration::from_secs(15)).await;
        queue.make(fault, &run, &mut random).await;
    }
}

/// Faults that hinder the operator and end no process: beside the crashes.
pub async fn hindrances(run: Arc<Run>, deadline: Instant) {
    let mut random = run.random.fork("hindrances");
    let mut queue = Queue::of(OperatorFault::hindrances(run.settings.is_short()), &mut random);
    loop {
        sleep(Duration::from_secs(random.between(3, 12))).await;
        let Some(fault) = queue.next(&mut random, deadline) else { return };
        queue.make(fault, &run, &mut random).await;
    }
}

/// What a lane still has to make: each kind until it was seen to strike, then any.
struct Queue {
    all: Vec<OperatorFault>,
    left: Vec<OperatorFault>,
}

impl Queue {
    /// In an order by chance.
    fn of(mut all: Vec<OperatorFault>, random: &mut Random) -> Self {
        random.shuffle(&mut all);
        Self { left: all.clone(), all }
    }

    /// The first that fits in the time that is left.
    fn next(&mut self, random: &mut Random, deadline: Instant) -> Option<OperatorFault> {
        if self.left.is_empty() {
            self.left.push(*random.pick(&self.all));
        }
        let time = deadline.saturating_duration_since(Instant::now());
        let place = self.left.iter().position(|fault| fault.takes() <= time)?;
        Some(self.left.remove(place))
    }

    /// One that found nobody to strike comes again.
    async fn make(&mut self, fault: OperatorFault, run: &Arc<Run>, random: &mut Random) {
        let strikes = run.strikes(fault.name());
        fault.make(run, random).await;
        if run.strikes(fault.name()) == strikes {
            self.left.push(fault);
        }
    }
}

/// The faults of one endpoint, one at a time.
pub async fn endpoint(run: Arc<Run>, door: usize, deadline: Instant) {
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
        let strikes = run.strikes(fault.name());
        fault.make(&run, &mut random, door, longest).await;
        if run.strikes(fault.name()) == strikes {
            mine.push(fault);
        }
        sleep(Duration::from_secs(random.between(1, 8))).await;
    }
}

/// The faults of the objects, one at a time.
pub async fn objects(run: Arc<Run>, deadline: Instant) {
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
    /// How often a fault was seen to strike.
    fn strikes(&self, fault: &str) -> u32 {
        self.stage.struck.lock().unwrap().get(fault).copied().unwrap_or_default()
    }

    /// The faults that have to strike in such a run.
    pub fn wanted(&self) -> Vec<&'static str> {
        let short = self.settings.is_short();
        let operator = [OperatorFault::crashes(short), OperatorFault::hindrances(short)].concat();
        let objects = if short { ObjectFault::SHORT.to_vec() } else { ObjectFault::ALL.to_vec() };
        let mut endpoint = if short { vec![faults_endpoint::RESET, faults_endpoint::STORM_UNTIL] } else { faults_endpoint::ALL.to_vec() };
        endpoint.push(EndpointFault::Dns);
        let names = operator.into_iter().map(OperatorFault::name).chain(endpoint.into_iter().map(EndpointFault::name));
        names.chain(objects.into_iter().map(ObjectFault::name)).collect()
    }

    pub fn missing(&self) -> Vec<&'static str> {
        self.wanted().into_iter().filter(|name| self.strikes(name) == 0).collect()
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
}
