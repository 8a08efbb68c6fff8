//! One seed: a day of simulated time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::clock;
use crate::controller::lease::Election;
use crate::controller::random as identifiers;
use crate::happenings::{HAPPENINGS, delete_source, people, second_replica};
use crate::population::{KEY, create_source, settle};
use crate::random::Random;
use crate::token_source::leadership::Terms;
use crate::trace::Reader;
use crate::world::{State, World};

/// How long it lasts.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// Between two looks of the invariants at what time alone changes.
const GLANCE: Duration = Duration::from_secs(180);

/// What came of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// How many steps it took.
    pub steps: u64,
    /// The hash of all of them, where somebody reads them.
    pub hash: u64,
    /// What was seen, by name.
    pub seen: BTreeMap<&'static str, u64>,
    /// What must never be.
    pub violations: Vec<String>,
}

/// Lives through the day of a seed.
pub fn live(seed: u64, reader: Reader) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async move {
        clock::begin();
        identifiers::restart();
        let world = World::new(seed, &KEY, reader);
        // Another row of numbers than that of the effects: what is planned does not depend on what the operator does.
        let mut random = Random::of(seed ^ 0x5eed_0f0a_da70_0001);
        plan(&world, &mut random);
        world.start(0);
        let end = Instant::now() + DAY;
        while Instant::now() < end {
            sleep(GLANCE).await;
            world.change(State::judge_all);
        }
        sleep_until(end).await;
        let processes = world.lock().processes.clone();
        processes.iter().for_each(|process| process.kill());
        let mut state = world.lock();
        state.judge_all();
        Outcome {
            steps: state.trace.steps,
            hash: state.trace.hash,
            seen: std::mem::take(&mut state.seen),
            violations: std::mem::take(&mut state.violations),
        }
    })
}

/// Decides what will happen.
fn plan(world: &Arc<World>, random: &mut Random) {
    world.change(|state| {
        settle(state, random);
        if random.per_mille(250) {
            let seconds = random.pick(&[60, 600, 600, 600, 900, 900, 900]);
            state.election = Some(Election { lease_name: "tokensource".to_owned(), terms: Terms::of(Duration::from_secs(seconds)) });
            state.weather.freezes = random.pick(&[0, 5, 20]);
            state.saw("seed with an election");
        }
    });
    if world.lock().election.is_some() {
        for _ in 0..3 {
            let (world, at, own) = (Arc::clone(world), random.seconds(60, 80_000), Random::of(random.next()));
            tokio::spawn(async move {
                sleep(at).await;
                second_replica(world, own).await;
            });
        }
    }
    let sources = world.lock().tracks.len();
    for index in 0..sources {
        tokio::spawn(stay(Arc::clone(world), index, Random::of(random.next())));
    }
    tokio::spawn(people(Arc::clone(world), Random::of(random.next())));
    let all: u64 = HAPPENINGS.iter().map(|(share, _)| share).sum();
    for _ in 0..(6 + random.below(18)) {
        let mut chosen = random.below(all);
        let kind = HAPPENINGS.iter().find(|(share, _)| {
            let found = chosen < *share;
            chosen = chosen.saturating_sub(*share);
            found
        });
        let (world, at, own) = (Arc::clone(world), random.millis(60_000, 82_000_000), Random::of(random.next()));
        if let Some((_, happening)) = kind {
            let happening = *happening;
            tokio::spawn(async move {
                sleep(at).await;
                happening(world, own).await;
            });
        }
    }
}

/// A source comes; one whose tokens live for minutes goes again.
async fn stay(world: Arc<World>, index: usize, mut random: Random) {
    let life = {
        let state = world.lock();
        state.servers.groups[state.tracks[index].group].life
    };
    let comes = if life < 3600 { random.seconds(0, 72_000) } else { random.seconds(0, 600) };
    sleep(comes).await;
    world.change(|state| create_source(state, index));
    if life < 3600 {
        sleep(Duration::from_secs(life * (10 + random.below(20)))).await;
        delete_source(&world, index, &mut random).await;
    }
}
