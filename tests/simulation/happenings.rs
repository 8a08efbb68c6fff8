//! What happens in a day: what people do, what breaks, what is repaired.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use crate::api::names::REFRESH_REQUESTED_AT;
use crate::clock;
use crate::population::{create_source, secret};
use crate::random::Random;
use crate::world::authorization_server::{Grant, credentials};
use crate::world::weather::{Api, Endpoint, Watches};
use crate::world::{APPS, State, World};

/// One kind of happening.
pub type Happening = fn(Arc<World>, Random) -> futures::future::BoxFuture<'static, ()>;

macro_rules! happenings {
    ($($share:literal $name:ident),+ $(,)?) => {
        /// All kinds, each as often as its share.
        pub const HAPPENINGS: &[(u64, Happening)] = &[$(($share, |world, random| Box::pin($name(world, random)))),+];
    };
}

happenings! {
    6 rotated_at_the_server_first,
    4 rotated_in_the_cluster_first,
    4 rotated_with_overlap,
    5 wrong_for_a_while,
    3 password_changed,
    3 credentials_deleted,
    4 target_edited,
    4 target_deleted,
    4 target_replaced,
    3 refresh_token_deleted,
    4 source_deleted,
    4 spec_edited,
    2 label_edited,
    4 refresh_forced,
    3 suspended,
    12 endpoint_unwell,
    8 api_server_unwell,
    6 watches_unwell,
    6 killed,
    6 killed_again_and_again,
    5 frozen,
    5 clock_jumped,
    4 second_replica,
}

/// What happens is told to the invariants, and judged some time after it.
fn happens(world: &Arc<World>, what: &'static str, change: impl FnOnce(&mut State)) {
    world.change(|state| {
        state.note(|| format!("-- {what}"));
        state.saw(what);
        change(state);
        state.judge_all();
    });
    let world = Arc::clone(world);
    tokio::spawn(async move {
        for pause in [31, 50, 120] {
            sleep(Duration::from_secs(pause)).await;
            world.change(State::judge_all);
        }
    });
}

impl State {
    /// What the operator was told before counts no more: something else is asked for now.
    pub fn forgive(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        (track.told, track.failures, track.issued_at) = (None, 0, None);
        track.failed_at.clear();
    }

    fn change_credentials(&mut self, group: usize) {
        self.disturb_group(group);
        self.refusals.forget(group);
        for index in 0..self.tracks.len() {
            if self.tracks[index].group == group {
                self.forgive(index);
            }
        }
    }

    /// The credentials Secret says what is right.
    fn write_credentials(&mut self, group: usize) {
        let right = credentials(&self.servers.groups[group], None);
        let name = right["client_id"].clone();
        let right: Vec<(&str, &str)> = right.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        if let Some(kept) = self.api.secret(APPS, &name) {
            let data = kept.secret.data.as_ref();
            let holds = |(key, value): &(&str, &str)| data.and_then(|data| data.get(*key)).is_some_and(|held| held.0 == value.as_bytes());
            let are_the_same = right.iter().all(holds);
            self.api.edit_secret(&name, &right);
            if are_the_same {
                // Another version of the Secret, the same credentials: who waits goes on waiting.
                self.disturb_group(group);
                return;
            }
        } else {
            let refresh_token = (self.servers.groups[group].grant == Grant::RefreshToken).then(|| self.servers.give_refresh_token(group));
            let data = credentials(&self.servers.groups[group], refresh_token);
            _ = self.api.create_secret(APPS, secret(&name, data), None);
        }
        self.change_credentials(group);
    }

    fn new_secret(&mut self, group: usize) -> String {
        let number = self.random.below(1_000_000);
        let secret = format!("secret-{group}-{number}");
        self.servers.groups[group].secrets.push(secret.clone());
        secret
    }

    fn pick_source(&self, random: &mut Random) -> Option<usize> {
        let there: Vec<usize> = (0..self.tracks.len()).filter(|index| self.api.sources.contains_key(&self.tracks[*index].name)).collect();
        (!there.is_empty()).then(|| random.pick(&there))
    }

    fn edit_source(&mut self, index: usize, edit: impl FnOnce(&mut crate::api::TokenSource)) {
        let Some(mut source) = self.api.sources.get(&self.tracks[index].name).cloned() else { return };
        edit(&mut source);
        self.api.put_source(source);
        self.disturb(index);
    }

    fn edit_spec(&mut self, index: usize, edit: impl FnOnce(&mut crate::api::v1alpha1::TokenSourceSpec)) {
        self.edit_source(index, |source| {
            source.metadata.generation = source.metadata.generation.map(|generation| generation + 1);
            edit(&mut source.spec);
        });
    }
}

fn group(world: &World, random: &mut Random) -> usize {
    random.index(world.lock().servers.groups.len())
}

async fn rotated_at_the_server_first(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "secret rotated at the server first", |state| {
        state.new_secret(group);
        state.servers.groups[group].secrets.remove(0);
        state.disturb_group(group);
    });
    sleep(random.seconds(1, 5000)).await;
    happens(&world, "its Secret written", |state| state.write_credentials(group));
}

async fn rotated_in_the_cluster_first(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    let mut coming = String::new();
    happens(&world, "secret rotated in the cluster first", |state| {
        coming = state.new_secret(group);
        state.write_credentials(group);
        state.servers.groups[group].secrets.pop();
    });
    sleep(random.seconds(1, 1500)).await;
    // Nobody tells the operator: the same credentials are right now. Who waits, waits for it as for any refusal.
    happens(&world, "the server follows", |state| {
        state.servers.groups[group].secrets = vec![coming];
        state.disturb_group(group);
    });
    sleep(random.seconds(60, 900)).await;
    happens(&world, "people ask for a token", |state| force_group(state, group));
}

fn force_group(state: &mut State, group: usize) {
    for index in 0..state.tracks.len() {
        if state.tracks[index].group == group {
            force(state, index);
        }
    }
}

fn force(state: &mut State, index: usize) {
    let value = state.random.next().to_string();
    state.edit_source(index, |source| {
        source.metadata.annotations.get_or_insert_default().insert(REFRESH_REQUESTED_AT.to_owned(), value);
    });
    state.forgive(index);
}

async fn rotated_with_overlap(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "second secret made at the server", |state| _ = state.new_secret(group));
    sleep(random.seconds(1, 1200)).await;
    happens(&world, "its Secret written", |state| state.write_credentials(group));
    sleep(random.seconds(60, 1200)).await;
    happens(&world, "first secret removed at the server", |state| {
        let secrets = &mut state.servers.groups[group].secrets;
        secrets.drain(..secrets.len() - 1);
        state.disturb_group(group);
    });
}

async fn wrong_for_a_while(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "wrong secret written", |state| {
        let (name, wrong) = (format!("g{group}"), format!("wrong-{}", state.random.below(1000)));
        state.api.edit_secret(&name, &[("client_secret", &wrong)]);
        state.change_credentials(group);
    });
    sleep(random.seconds(5, 12_000)).await;
    happens(&world, "wrong secret put right", |state| state.write_credentials(group));
}

async fn password_changed(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "password changed at the server", |state| {
        let number = state.random.below(1_000_000);
        let registered = &mut state.servers.groups[group];
        registered.password = format!("password-{group}-{number}");
        // Sessions end with it.
        if registered.grant == Grant::Password {
            registered.live.clear();
        }
        state.disturb_group(group);
    });
    sleep(random.seconds(1, 9000)).await;
    happens(&world, "its Secret written", |state| state.write_credentials(group));
}

async fn credentials_deleted(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "credentials deleted", |state| {
        state.api.delete_secret(&format!("g{group}"));
        state.change_credentials(group);
    });
    sleep(random.seconds(5, 3000)).await;
    happens(&world, "credentials written again", |state| state.write_credentials(group));
}

async fn target_edited(world: Arc<World>, mut random: Random) {
    happens(&world, "target Secret edited", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        let name = state.tracks[index].name.clone();
        if state.api.secret(APPS, &name).is_some_and(|kept| kept.made_for.is_some()) {
            state.api.edit_secret(&name, &[("access_token", "edited")]);
            state.tracks[index].is_tampered = true;
            state.tracks[index].issued_at = None;
            state.disturb(index);
        }
    });
}

async fn target_deleted(world: Arc<World>, mut random: Random) {
    happens(&world, "target Secret deleted", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        state.api.delete_secret(&state.tracks[index].name.clone());
        state.tracks[index].issued_at = None;
        state.disturb(index);
    });
}

async fn target_replaced(world: Arc<World>, mut random: Random) {
    let Some(index) = world.lock().pick_source(&mut random) else { return };
    let name = world.lock().tracks[index].name.clone();
    happens(&world, "target Secret replaced by people's", |state| {
        state.api.delete_secret(&name);
        let data = [("access_token".to_owned(), "of people".to_owned())].into();
        _ = state.api.create_secret(APPS, secret(&name, data), None);
        state.disturb(index);
    });
    sleep(random.seconds(1, 6000)).await;
    happens(&world, "people's Secret taken away", |state| {
        if state.api.secret(APPS, &name).is_some_and(|kept| kept.made_for.is_none()) {
            state.api.delete_secret(&name);
        }
        state.forgive(index);
        state.disturb(index);
    });
}

async fn refresh_token_deleted(world: Arc<World>, mut random: Random) {
    happens(&world, "refresh token Secret deleted", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        state.api.delete_secret(&format!("{}-refresh-token", state.tracks[index].name));
        state.tracks[index].given = None;
        state.disturb(index);
    });
}

async fn source_deleted(world: Arc<World>, mut random: Random) {
    let Some(index) = world.lock().pick_source(&mut random) else { return };
    delete_source(&world, index, &mut random).await;
    // Often before the garbage collector has been there: the Secret of that name is another source's still.
    let pause = if random.per_mille(500) { random.seconds(0, 10) } else { random.seconds(10, 900) };
    sleep(pause).await;
    happens(&world, "source made again", |state| {
        if !state.api.sources.contains_key(&state.tracks[index].name) {
            create_source(state, index);
        }
    });
}

/// Deletes a source; some time later the garbage collector its Secrets.
pub async fn delete_source(world: &Arc<World>, index: usize, random: &mut Random) {
    let mut uid = None;
    happens(world, "source deleted", |state| {
        uid = state.api.delete_source(&state.tracks[index].name.clone());
        state.tracks[index].given = None;
        state.forgive(index);
        state.disturb(index);
    });
    let (world, pause) = (Arc::clone(world), random.seconds(1, 20));
    tokio::spawn(async move {
        sleep(pause).await;
        happens(&world, "its Secrets collected", |state| {
            let orphans = state.api.secrets.iter().filter(|(_, kept)| kept.made_for.is_some() && kept.made_for == uid);
            let orphans: Vec<String> = orphans.map(|((_, name), _)| name.clone()).collect();
            orphans.iter().for_each(|name| state.api.delete_secret(name));
            state.tracks[index].issued_at = None;
            state.disturb(index);
        });
    });
}

async fn spec_edited(world: Arc<World>, mut random: Random) {
    happens(&world, "spec edited", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        let scope = format!("scope-{}", random.below(1000));
        state.edit_spec(index, |spec| spec.scopes = Some(vec![scope]));
        state.forgive(index);
    });
}

async fn label_edited(world: Arc<World>, mut random: Random) {
    let Some(index) = world.lock().pick_source(&mut random) else { return };
    let label = |state: &mut State, shard: &str| {
        state.edit_source(index, |source| {
            source.metadata.labels.get_or_insert_default().insert("shard".to_owned(), shard.to_owned());
        });
        state.forgive(index);
    };
    happens(&world, "source given to another shard", |state| {
        label(state, "b");
        state.tracks[index].given = None;
    });
    sleep(random.seconds(1, 9000)).await;
    happens(&world, "source given back", |state| label(state, "a"));
}

async fn refresh_forced(world: Arc<World>, mut random: Random) {
    happens(&world, "refresh forced", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        force(state, index);
    });
}

async fn suspended(world: Arc<World>, mut random: Random) {
    let Some(index) = world.lock().pick_source(&mut random) else { return };
    happens(&world, "source suspended", |state| state.edit_spec(index, |spec| spec.suspend = true));
    sleep(random.seconds(5, 20_000)).await;
    happens(&world, "source resumed", |state| state.edit_spec(index, |spec| spec.suspend = false));
}

async fn endpoint_unwell(world: Arc<World>, mut random: Random) {
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

async fn api_server_unwell(world: Arc<World>, mut random: Random) {
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

async fn watches_unwell(world: Arc<World>, mut random: Random) {
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

async fn killed(world: Arc<World>, mut random: Random) {
    happens(&world, "process killed", |_| {});
    let victim = world.lock().leader.clone();
    if let Some(process) = victim {
        world.kill(&process, "killed at some time", random.seconds(1, 60));
    }
}

async fn killed_again_and_again(world: Arc<World>, mut random: Random) {
    let share = random.pick(&[20, 60, 150]);
    happens(&world, "process killed again and again", |state| state.weather.kills = share);
    sleep(random.seconds(60, 2400)).await;
    happens(&world, "process killed no more", |state| {
        state.weather.kills = 0;
        state.disturb_all();
    });
}

async fn frozen(world: Arc<World>, mut random: Random) {
    let Some(process) = world.lock().leader.clone() else { return };
    let on = |state: &mut State, is_frozen| {
        process.freeze(is_frozen);
        state.lost_memory();
    };
    happens(&world, "leader frozen", |state| on(state, true));
    sleep(random.seconds(2, 2400)).await;
    happens(&world, "leader woken", |state| on(state, false));
}

async fn clock_jumped(world: Arc<World>, mut random: Random) {
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

/// People see what only they can repair: a source whose refresh token is spent gets a new one.
pub async fn people(world: Arc<World>, mut random: Random) {
    loop {
        sleep(Duration::from_secs(300)).await;
        let lost = world.change(|state| {
            let is_lost = |index: &usize| state.obstacle(*index) == Some("no refresh token") && !state.tracks[*index].is_reported;
            let lost: Vec<usize> = (0..state.tracks.len()).filter(is_lost).collect();
            lost.iter().for_each(|index| state.tracks[*index].is_reported = true);
            lost
        });
        for index in lost {
            let (world, pause) = (Arc::clone(&world), random.seconds(60, 1800));
            tokio::spawn(async move {
                sleep(pause).await;
                happens(&world, "people give a new refresh token", |state| {
                    let group = state.tracks[index].group;
                    let token = state.servers.give_refresh_token(group);
                    state.api.edit_secret(&format!("g{group}"), &[("refresh_token", &token)]);
                    state.change_credentials(group);
                    state.tracks[index].is_reported = false;
                });
            });
        }
    }
}
