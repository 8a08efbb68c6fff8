//! What people do at the authorization server and to the credentials Secrets.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{force_group, group, happens};
use crate::random::Random;
use crate::world::World;
use crate::world::authorization_server::Grant;

pub async fn rotated_at_the_server_first(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "secret rotated at the server first", |state| {
        state.new_secret(group);
        state.servers.groups[group].secrets.remove(0);
        state.disturb_group(group);
    });
    sleep(random.seconds(1, 5000)).await;
    happens(&world, "its Secret written", |state| state.write_credentials(group));
}

pub async fn rotated_in_the_cluster_first(world: Arc<World>, mut random: Random) {
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

pub async fn rotated_with_overlap(world: Arc<World>, mut random: Random) {
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

pub async fn wrong_for_a_while(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "wrong secret written", |state| {
        let (name, wrong) = (format!("g{group}"), format!("wrong-{}", state.random.below(1000)));
        state.api.edit_secret(&name, &[("client_secret", &wrong)]);
        state.change_credentials(group);
    });
    sleep(random.seconds(5, 12_000)).await;
    happens(&world, "wrong secret put right", |state| state.write_credentials(group));
}

pub async fn password_changed(world: Arc<World>, mut random: Random) {
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

pub async fn credentials_deleted(world: Arc<World>, mut random: Random) {
    let group = group(&world, &mut random);
    happens(&world, "credentials deleted", |state| {
        state.api.delete_secret(&format!("g{group}"));
        state.change_credentials(group);
    });
    sleep(random.seconds(5, 3000)).await;
    happens(&world, "credentials written again", |state| state.write_credentials(group));
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
