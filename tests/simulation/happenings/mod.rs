//! What happens in a day: what people do, what breaks, what is repaired.

mod credentials;
mod objects;
mod surroundings;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

pub use self::credentials::people;
use self::credentials::{
    credentials_deleted, password_changed, rotated_at_the_server_first, rotated_in_the_cluster_first, rotated_with_overlap,
    wrong_for_a_while,
};
pub use self::objects::delete_source;
use self::objects::{
    label_edited, refresh_forced, refresh_token_deleted, source_deleted, spec_edited, suspended, target_deleted, target_edited,
    target_replaced,
};
pub use self::surroundings::second_replica;
use self::surroundings::{api_server_unwell, clock_jumped, endpoint_unwell, frozen, killed, killed_again_and_again, watches_unwell};
use crate::api::names::REFRESH_REQUESTED_AT;
use crate::clock;
use crate::population::secret;
use crate::random::Random;
use crate::world::authorization_server::{Grant, credentials};
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
    /// Something else is asked for now: it comes without regard to what came before.
    pub fn forgive(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        (track.issued_at, track.asked_at) = (None, clock::elapsed());
        track.failed_at.clear();
    }

    fn change_credentials(&mut self, group: usize) {
        self.disturb_group(group);
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
