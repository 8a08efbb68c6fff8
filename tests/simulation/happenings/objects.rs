//! What people do to sources and to the Secrets that the operator writes.

use std::sync::Arc;

use tokio::time::sleep;

use super::{force, happens};
use crate::population::{create_source, secret};
use crate::random::Random;
use crate::world::{APPS, State, World};

pub async fn target_edited(world: Arc<World>, mut random: Random) {
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

pub async fn target_deleted(world: Arc<World>, mut random: Random) {
    happens(&world, "target Secret deleted", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        state.api.delete_secret(&state.tracks[index].name.clone());
        state.tracks[index].issued_at = None;
        state.disturb(index);
    });
}

pub async fn target_replaced(world: Arc<World>, mut random: Random) {
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
            state.forgive(index);
        }
        state.disturb(index);
    });
}

pub async fn refresh_token_deleted(world: Arc<World>, mut random: Random) {
    happens(&world, "refresh token Secret deleted", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        state.api.delete_secret(&format!("{}-refresh-token", state.tracks[index].name));
        state.tracks[index].given = None;
        state.disturb(index);
    });
}

pub async fn source_deleted(world: Arc<World>, mut random: Random) {
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
            let orphans: Vec<String> = orphans.map(|(name, _)| name.clone()).collect();
            orphans.iter().for_each(|name| state.api.delete_secret(name));
            state.tracks[index].issued_at = None;
            state.disturb(index);
        });
    });
}

pub async fn spec_edited(world: Arc<World>, mut random: Random) {
    happens(&world, "spec edited", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        let scope = format!("scope-{}", random.below(1000));
        state.edit_spec(index, |spec| spec.scopes = Some(vec![scope]));
        state.forgive(index);
    });
}

pub async fn label_edited(world: Arc<World>, mut random: Random) {
    let Some(index) = world.lock().pick_source(&mut random) else { return };
    let label = |state: &mut State, shard: &str| {
        state.edit_source(index, |source| {
            source.metadata.labels.get_or_insert_default().insert("shard".to_owned(), shard.to_owned());
        });
    };
    happens(&world, "source given to another shard", |state| {
        label(state, "b");
        state.tracks[index].given = None;
    });
    sleep(random.seconds(1, 9000)).await;
    happens(&world, "source given back", |state| label(state, "a"));
}

pub async fn refresh_forced(world: Arc<World>, mut random: Random) {
    happens(&world, "refresh forced", |state| {
        let Some(index) = state.pick_source(&mut random) else { return };
        force(state, index);
    });
}

pub async fn suspended(world: Arc<World>, mut random: Random) {
    let Some(index) = world.lock().pick_source(&mut random) else { return };
    happens(&world, "source suspended", |state| state.edit_spec(index, |spec| spec.suspend = true));
    sleep(random.seconds(5, 20_000)).await;
    happens(&world, "source resumed", |state| state.edit_spec(index, |spec| spec.suspend = false));
}
