//! What breaks around the operator, and what becomes of its processes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::happens;
use crate::clock;
use crate::random::Random;
use crate::world::weather::{Api, Endpoint, Watches};
use crate::world::{State, World};

pub async fn endpoint_unwell(world: Arc<World>, mut random: Random) {
    let (host, seconds) = (random.index(2), 5 + random.below(600));
    let (what, weather) = random.pick(&[
        ("endpoint refuses connections for a while", Endpoint::Refusing),
        ("endpoint is silent for a while", Endpoint::Silent),
        ("endpoint answers 503 for a while", Endpoint::Unwell(503, None)),
        ("endpoint answers 503 with Retry-After for a while", Endpoint::Unwell(503, Some(seconds))),
        ("endpoint answers 429 for a while", Endpoint::Unwell(429, None)),
        ("endpoint answers 429 with Retry-After for a while", Endpoint::Unwell(429, Some(seconds))),
        ("endpoint answers 500 for a while", Endpoint::Unwell(500, None)),
        ("endpoint answers without a token for a while", Endpoint::Unwell(200, None)),
        ("endpoint answers with a page for a while", Endpoint::Unwell(404, None)),
    ]);
    let on_host = |state: &mut State, weather| {
        state.weather.endpoints[host] = weather;
        state.disturb_all();
    };
    happens(&world, what, |state| on_host(state, weather));
    sleep(random.seconds(10, 9000)).await;
    happens(&world, "endpoint is well again", |state| on_host(state, Endpoint::Fine));
}

pub async fn api_server_unwell(world: Arc<World>, mut random: Random) {
    let (what, weather) = random.pick(&[
        ("API server is down for a while", Api::Down),
        ("API server is flaky for a while", Api::Flaky),
        ("API server is slow for a while", Api::Slow),
        ("API server throttles for a while", Api::Throttling),
    ]);
    let as_is = |state: &mut State, weather| {
        state.weather.api = weather;
        state.disturb_all();
        state.excuse_refresh_tokens();
    };
    happens(&world, what, |state| as_is(state, weather));
    sleep(random.seconds(5, 1200)).await;
    happens(&world, "API server is well again", |state| as_is(state, Api::Fine));
}

pub async fn watches_unwell(world: Arc<World>, mut random: Random) {
    let (what, weather) = random.pick(&[("watches are late for a while", Watches::Late), ("watches are lost for a while", Watches::Lost)]);
    happens(&world, what, |state| {
        state.weather.watches = weather;
        state.disturb_all();
    });
    sleep(random.seconds(5, 1800)).await;
    happens(&world, "watches are well again", |state| {
        // What was changed meanwhile is listed, not told.
        state.weather.gaps += u64::from(state.weather.watches == Watches::Lost);
        state.weather.watches = Watches::Fine;
        state.disturb_all();
    });
}

pub async fn killed(world: Arc<World>, mut random: Random) {
    happens(&world, "process killed", |_| {});
    let victim = world.lock().leader.clone();
    if let Some(process) = victim {
        world.kill(&process, "killed at some time", random.seconds(1, 60));
    }
}

pub async fn killed_again_and_again(world: Arc<World>, mut random: Random) {
    let share = random.pick(&[20, 60, 150]);
    happens(&world, "process killed again and again", |state| state.weather.kills = share);
    sleep(random.seconds(60, 2400)).await;
    happens(&world, "process killed no more", |state| {
        state.weather.kills = 0;
        state.disturb_all();
    });
}

pub async fn frozen(world: Arc<World>, mut random: Random) {
    let Some(process) = world.lock().leader.clone() else { return };
    let on = |state: &mut State, is_frozen| {
        process.freeze(is_frozen);
        state.lost_memory();
        state.lost_permits();
    };
    happens(&world, "leader frozen", |state| on(state, true));
    sleep(random.seconds(2, 2400)).await;
    happens(&world, "leader woken", |state| on(state, false));
}

pub async fn clock_jumped(world: Arc<World>, mut random: Random) {
    let (machine, jump) = (random.index(2), random.pick(&[-600_000_i64, 600_000, 600_000]));
    let by = |state: &mut State, error: i64| {
        state.machines[machine].clock_error.store(error, Ordering::Relaxed);
        state.jumps.push(clock::elapsed());
        state.lost_memory();
    };
    happens(&world, if jump > 0 { "clock jumped forth" } else { "clock jumped back" }, |state| by(state, jump));
    sleep(random.seconds(60, 5400)).await;
    happens(&world, "clock set right", |state| by(state, 0));
}

/// A standby comes for some hours.
pub async fn second_replica(world: Arc<World>, mut random: Random) {
    let is_possible = {
        let state = world.lock();
        state.election.is_some() && !state.wanted[1]
    };
    if !is_possible {
        return;
    }
    happens(&world, "second replica begins", |state| state.wanted[1] = true);
    world.start(1);
    sleep(random.seconds(600, 9000)).await;
    happens(&world, "second replica ends", |state| state.wanted[1] = false);
    let second = world.lock().processes.iter().find(|process| process.replica == 1).cloned();
    if let Some(process) = second {
        world.kill(&process, "replica taken away", Duration::ZERO);
    }
}
