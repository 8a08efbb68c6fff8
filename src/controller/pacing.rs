//! Keeps each token endpoint's pace: so many requests at a time and a second, each source in its turn, none during a pause
//! that the server asked for. Who has to wait does not hold up the looks at others: it is looked at again when its turn has come.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::mpsc::UnboundedSender;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use super::task::spawn;
use super::waiting::Waiting;
use crate::api::TokenSource;
use crate::clock;
use crate::oauth::endpoint::TokenEndpoint;
use crate::token_source::allowance::Allowance;
use crate::token_source::pace::{Pace, rate_for};
use crate::token_source::schedule::between;
use crate::token_source::turns::Turns;

/// Who was called and does not come within this time is passed over.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many waits are told at once, and so many a second: where thousands wait, telling it must not hold up the work.
const TOLD_AT_ONCE: f64 = 200.0;
const TOLD_A_SECOND: f64 = 25.0;

/// How fast endpoints may be asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests at a time, an endpoint.
    pub concurrency: usize,
    /// Requests a second, an endpoint.
    pub rate: f64,
}

/// Has a source looked at when its turn has come.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whom.
    pub source: ObjectRef<TokenSource>,
    /// Where its controller listens.
    pub to: UnboundedSender<ObjectRef<TokenSource>>,
}

/// Whether a source may send its request.
pub enum Turn {
    /// It may.
    Now(Slot),
    /// It is called when it may.
    Later(Waiting),
}

/// The pace of all endpoints.
pub struct Pacing(Arc<Shared>);

struct Shared {
    limits: Limits,
    started: Instant,
    state: Mutex<State>,
    telling: Mutex<Allowance>,
}

#[derive(Default)]
struct State {
    endpoints: HashMap<String, Endpoint>,
    /// At which endpoint each source waits or was called, by its UID.
    places: HashMap<String, String>,
}

struct Endpoint {
    pace: Pace,
    /// Turns that are taken.
    in_flight: usize,
    /// Those of them whose request is at the server.
    at_server: usize,
    turns: Turns<String>,
    waiters: HashMap<String, Waiter>,
    /// Whose turn it is, and who was not looked at yet.
    called: HashSet<String>,
    timer_is_set: bool,
}

struct Waiter {
    call: Call,
    since: Instant,
}

/// The right to one request; given back when dropped.
pub struct Slot {
    shared: Arc<Shared>,
    origin: String,
    taken: Instant,
    is_at_server: bool,
}

impl Pacing {
    /// A pace within these limits.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            limits,
            started: Instant::now(),
            state: Mutex::default(),
            telling: Mutex::new(Allowance::new(TOLD_AT_ONCE, TOLD_A_SECOND)),
        }))
    }

    /// Asks whether it is the turn of the source with this UID. `expiry` is when the token expires that is to be renewed.
    pub fn turn(&self, endpoint: &TokenEndpoint, uid: &str, expiry: Option<Timestamp>, call: Call) -> Turn {
        let origin = endpoint.origin();
        if self.0.lock().places.get(uid).is_some_and(|place| *place != origin) {
            self.leave(uid);
        }
        let mut state = self.0.lock();
        state.places.insert(uid.to_owned(), origin.clone());
        let place = state.endpoints.entry(origin.clone()).or_insert_with(|| Endpoint::new(rate_for(endpoint, self.0.limits.rate)));
        if !place.called.contains(uid) {
            place.turns.enter(&uid.to_owned(), expiry);
            place.waiters.entry(uid.to_owned()).or_insert_with(|| Waiter { call: call.clone(), since: Instant::now() });
            self.0.hand_out(&origin, place, Some(uid));
        }
        if place.called.contains(uid) && place.pace.paused_until(self.0.now()).is_some() {
            // The pause began between call and look.
            place.take_turn_back(uid, expiry, call);
        }
        if place.called.remove(uid) {
            state.places.remove(uid);
            return Turn::Now(Slot { shared: Arc::clone(&self.0), origin, taken: Instant::now(), is_at_server: false });
        }
        Turn::Later(place.waiting(uid, self.0.now(), self.0.limits.concurrency))
    }

    /// Whether a wait may be told now.
    pub fn may_tell(&self) -> bool {
        self.0.telling.lock().unwrap_or_else(PoisonError::into_inner).take(self.0.now())
    }

    /// Takes note that a source waits no more: it is gone, or needs no token now.
    pub fn leave(&self, uid: &str) {
        let mut state = self.0.lock();
        let Some(origin) = state.places.remove(uid) else { return };
        let Some(place) = state.endpoints.get_mut(&origin) else { return };
        place.turns.leave(&uid.to_owned());
        place.waiters.remove(uid);
        self.0.pass_over(&origin, place, uid);
    }

    /// Takes note that the server throttles, and until when it wants no request if it said so.
    pub fn throttled(&self, slot: &Slot, too_many: bool, pause_until: Option<Timestamp>) {
        let (sent, now) = (slot.taken.duration_since(self.0.started), self.0.now());
        let pause_until = pause_until.map(|until| now + between(clock::precise(), until));
        if let Some(place) = self.0.lock().endpoints.get_mut(&slot.origin) {
            if too_many {
                place.pace.slow_down(sent, now, pause_until);
            } else if let Some(until) = pause_until {
                place.pace.pause(now, until);
            }
        }
    }
}

impl Endpoint {
    fn new(rate: f64) -> Self {
        Self {
            pace: Pace::new(rate),
            in_flight: 0,
            at_server: 0,
            turns: Turns::default(),
            waiters: HashMap::new(),
            called: HashSet::new(),
            timer_is_set: false,
        }
    }

    fn take_turn_back(&mut self, uid: &str, expiry: Option<Timestamp>, call: Call) {
        self.called.remove(uid);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.turns.enter(&uid.to_owned(), expiry);
        self.waiters.insert(uid.to_owned(), Waiter { call, since: Instant::now() });
    }

    fn waiting(&self, uid: &str, now: Duration, concurrency: usize) -> Waiting {
        let pause = self.pace.paused_until(now).map(|until| until.saturating_sub(now));
        let waited = self.waiters.get(uid).map(|waiter| waiter.since.elapsed()).unwrap_or_default();
        Waiting::of(self.turns.len(), self.pace.outlook(now).rate, waited, self.at_server * 2 >= concurrency, pause)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Gives turns to those who wait, as far as the limits go; a timer goes on where only time is missing. `asking` needs
    /// no call: it is being looked at.
    fn hand_out(self: &Arc<Self>, origin: &str, place: &mut Endpoint, asking: Option<&str>) {
        while place.in_flight < self.limits.concurrency && !place.turns.is_empty() {
            if let Some(wait) = place.until_next_slot(self.now()) {
                if !std::mem::replace(&mut place.timer_is_set, true) {
                    self.hand_out_after(origin.to_owned(), wait);
                }
                return;
            }
            let Some(uid) = place.turns.next(clock::now(), place.pace.outlook(self.now())) else { return };
            place.in_flight += 1;
            let waiter = place.waiters.remove(&uid);
            place.called.insert(uid.clone());
            if let Some(Waiter { call, .. }) = waiter.filter(|_| asking != Some(uid.as_str())) {
                self.call(origin.to_owned(), uid, &call);
            }
        }
    }

    fn call(self: &Arc<Self>, origin: String, uid: String, call: &Call) {
        // Nobody listens any more when the process ends.
        _ = call.to.unbounded_send(call.source.clone());
        let shared = Arc::clone(self);
        spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if let Some(place) = shared.lock().endpoints.get_mut(&origin) {
                shared.pass_over(&origin, place, &uid);
            }
        });
    }

    /// Gives on the turn of one who was called and did not come.
    fn pass_over(self: &Arc<Self>, origin: &str, place: &mut Endpoint, uid: &str) {
        if place.called.remove(uid) {
            place.in_flight = place.in_flight.saturating_sub(1);
            self.hand_out(origin, place, None);
        }
    }

    fn hand_out_after(self: &Arc<Self>, origin: String, wait: Duration) {
        let shared = Arc::clone(self);
        spawn(async move {
            tokio::time::sleep(wait).await;
            if let Some(place) = shared.lock().endpoints.get_mut(&origin) {
                place.timer_is_set = false;
                shared.hand_out(&origin, place, None);
            }
        });
    }
}

impl Endpoint {
    /// Takes the next slot, or tells how long there is none.
    fn until_next_slot(&mut self, now: Duration) -> Option<Duration> {
        let next = self.pace.paused_until(now).or_else(|| self.pace.take_slot(now).err());
        next.map(|next| next.saturating_sub(now))
    }
}

impl Slot {
    /// Takes note that the request goes out.
    pub fn sends(&mut self) {
        if !std::mem::replace(&mut self.is_at_server, true)
            && let Some(place) = self.shared.lock().endpoints.get_mut(&self.origin)
        {
            place.at_server += 1;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(place) = self.shared.lock().endpoints.get_mut(&self.origin) {
            place.in_flight = place.in_flight.saturating_sub(1);
            place.at_server = place.at_server.saturating_sub(usize::from(self.is_at_server));
            self.shared.hand_out(&self.origin, place, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use futures::channel::mpsc::{UnboundedReceiver, unbounded};

    use super::*;
    use crate::controller::waiting::{LOOKED_AT, UNTOLD};
    use crate::oauth::endpoint::UrlType;

    type Calls = UnboundedReceiver<ObjectRef<TokenSource>>;

    fn endpoint() -> TokenEndpoint {
        TokenEndpoint::parse("https://auth.example.com/token", UrlType::Dedicated, false).unwrap()
    }

    struct Scene {
        pacing: Pacing,
        to: UnboundedSender<ObjectRef<TokenSource>>,
    }

    impl Scene {
        fn new(concurrency: usize, rate: f64) -> (Self, Calls) {
            let (to, calls) = unbounded();
            (Self { pacing: Pacing::new(Limits { concurrency, rate }), to }, calls)
        }

        fn ask(&self, name: &str, expires_in: Option<u64>) -> Turn {
            let call = Call { source: ObjectRef::new(name), to: self.to.clone() };
            let expiry = expires_in.map(|seconds| clock::now().checked_add(Duration::from_secs(seconds)).unwrap());
            self.pacing.turn(&endpoint(), name, expiry, call)
        }

        fn take(&self, name: &str) -> Slot {
            match self.ask(name, None) {
                Turn::Now(slot) => slot,
                Turn::Later(waiting) => panic!("{name}: {waiting:?}"),
            }
        }

        fn waits(&self, name: &str, expires_in: Option<u64>) -> Waiting {
            match self.ask(name, expires_in) {
                Turn::Now(_) => panic!("it is the turn of {name}"),
                Turn::Later(waiting) => waiting,
            }
        }
    }

    #[tokio::test]
    async fn the_soonest_expiry_is_called_first_and_no_more_than_allowed_at_a_time() {
        let (scene, mut calls) = Scene::new(1, 1e6);
        let mut slot = scene.take("first");
        for (name, expires_in) in [("c", 12), ("a", 6), ("b", 9)] {
            assert!(!scene.waits(name, Some(expires_in)).is_long);
        }
        assert!(calls.try_recv().is_err());
        for name in ["a", "b", "c"] {
            drop(slot);
            assert_eq!(calls.next().await.unwrap().name, name);
            // Nobody else gets the turn of one who was called.
            assert!(!scene.waits("later", None).is_long);
            slot = scene.take(name);
        }
    }

    #[tokio::test]
    async fn who_is_gone_or_needs_no_token_gives_the_turn_on() {
        let (scene, mut calls) = Scene::new(1, 1e6);
        let slot = scene.take("first");
        for name in ["gone", "called", "next"] {
            scene.waits(name, None);
        }
        scene.pacing.leave("gone");
        drop(slot);
        assert_eq!(calls.next().await.unwrap().name, "called");
        scene.pacing.leave("called");
        assert_eq!(calls.next().await.unwrap().name, "next");
        drop(scene.take("next"));
        drop(scene.take("first"));
    }

    #[tokio::test]
    async fn who_is_called_and_does_not_come_is_passed_over() {
        let (scene, mut calls) = Scene::new(1, 1e6);
        let slot = scene.take("first");
        scene.waits("silent", None);
        scene.waits("next", None);
        drop(slot);
        assert_eq!(calls.next().await.unwrap().name, "silent");
        let shared = &scene.pacing.0;
        shared.pass_over("https://auth.example.com", shared.lock().endpoints.values_mut().next().unwrap(), "silent");
        assert_eq!(calls.next().await.unwrap().name, "next");
        drop(scene.take("next"));
    }

    #[tokio::test]
    async fn a_pause_holds_up_everybody_and_is_told() {
        let (scene, mut calls) = Scene::new(2, 1e6);
        let slot = scene.take("first");
        let until = clock::now().checked_add(Duration::from_secs(600)).unwrap();
        scene.pacing.throttled(&slot, true, Some(until));
        drop(slot);
        assert_eq!(scene.waits("second", None), Waiting { is_long: true, paused_until: Some(until), again: LOOKED_AT });
        assert!(calls.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_called_before_a_pause_and_looks_in_it_is_called_again_after_it() {
        let (scene, mut calls) = Scene::new(2, 1e6);
        let (slot, millisecond) = (scene.take("first"), Duration::from_millis(1));
        tokio::time::advance(millisecond).await;
        let other = scene.take("other");
        scene.waits("called", None);
        tokio::time::advance(millisecond).await;
        drop(other);
        assert_eq!(calls.next().await.unwrap().name, "called");
        scene.pacing.throttled(&slot, true, Some(clock::now().checked_add(Duration::from_secs(5)).unwrap()));
        assert!(scene.waits("called", None).paused_until.is_some());
        drop(slot);
        assert_eq!(calls.next().await.unwrap().name, "called");
        drop(scene.take("called"));
    }

    #[tokio::test]
    async fn a_queue_that_takes_long_is_told_from_the_first_moment() {
        let (scene, _calls) = Scene::new(100, 1.0);
        let _slot = scene.take("first");
        let long: Vec<bool> = (0..20).map(|index| scene.waits(&format!("source-{index}"), None).is_long).collect();
        assert_eq!(long.iter().filter(|is_long| !**is_long).count(), 10);
    }

    #[tokio::test]
    async fn thousands_of_waits_are_looked_at_less_often() {
        let (scene, _calls) = Scene::new(1, 1.0);
        let again: Vec<Duration> = (0..3001)
            .map(|index| scene.ask(&format!("source-{index}"), None))
            .filter_map(|turn| match turn {
                Turn::Now(slot) => {
                    std::mem::forget(slot);
                    None
                }
                Turn::Later(waiting) => Some(waiting.again),
            })
            .collect();
        assert_eq!((again[0], again[999], again[2999]), (LOOKED_AT, LOOKED_AT, LOOKED_AT * 3));
    }

    #[tokio::test(start_paused = true)]
    async fn of_thousands_of_waits_so_many_are_told_at_once_and_the_others_later() {
        let (scene, _calls) = Scene::new(1, 1.0);
        let told = || (0..10_000).filter(|_| scene.pacing.may_tell()).count();
        assert_eq!(told(), 200);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(told(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_told_where_the_requests_are_at_the_server_and_not_where_we_are_slow() {
        for (is_sent, is_long) in [(true, true), (false, false)] {
            let (scene, _calls) = Scene::new(1, 1e6);
            let mut slot = scene.take("first");
            if is_sent {
                slot.sends();
            }
            assert!(!scene.waits("second", None).is_long);
            tokio::time::advance(UNTOLD + Duration::from_secs(1)).await;
            assert_eq!(scene.waits("second", None).is_long, is_long, "sent: {is_sent}");
        }
    }
}
