//! Events go out one after the other beside everything else: no token waits for one.

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};

use super::apply;
use super::leadership::Leadership;
use crate::api::names::CONTROLLER;
use crate::token_source::outcome::Note;

/// A recorder keeps each Event for six minutes, to count one that comes again, and goes through all of them at each: after so
/// many a new one begins.
const REMEMBERED_MAX: usize = 256;

/// Where Events are left to be written.
pub struct Events(UnboundedSender<(ObjectReference, Note)>);

/// What is still to be written.
pub struct Unpublished(UnboundedReceiver<(ObjectReference, Note)>);

/// A way for Events, from where they are left to where they are written.
pub fn events() -> (Events, Unpublished) {
    let (to, from) = unbounded();
    (Events(to), Unpublished(from))
}

impl Events {
    /// Leaves an Event about an object.
    pub fn tell(&self, about: ObjectReference, note: Note) {
        // Nobody writes any more when the process ends: the condition says the same.
        _ = self.0.unbounded_send((about, note));
    }
}

impl Unpublished {
    /// Writes what is left, until nobody can leave anything any more or another process leads.
    pub async fn publish(mut self, client: Client, leadership: Leadership) {
        let fresh = || Recorder::new(client.clone(), Reporter::from(CONTROLLER.to_owned()));
        let (mut recorder, mut remembered) = (fresh(), 0);
        while let Some((about, note)) = self.0.next().await {
            if remembered == REMEMBERED_MAX {
                (recorder, remembered) = (fresh(), 0);
            }
            remembered += 1;
            if leadership.while_held(apply::event(&recorder, &about, &note)).await.is_err() {
                return;
            }
        }
    }
}
