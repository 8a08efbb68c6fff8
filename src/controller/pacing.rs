//! Keeps each token endpoint's pace: so many requests at a time and a second, the soonest expiry first, none during a
//! pause that the server asked for.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::clock;
use crate::oauth::endpoint::TokenEndpoint;
use crate::token_source::pace::{Pace, rate_for};
use crate::token_source::schedule::{after, between};

/// How fast endpoints may be asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests at a time, an endpoint.
    pub concurrency: usize,
    /// Requests a second, an endpoint.
    pub rate: f64,
}

/// The pace of all endpoints.
pub struct Pacing(Arc<Shared>);

struct Shared {
    limits: Limits,
    started: Instant,
    /// The clock's time at `started`.
    began: Timestamp,
    endpoints: Mutex<HashMap<String, Endpoint>>,
}

struct Endpoint {
    pace: Pace,
    in_flight: usize,
    /// Who waits, soonest expiry first, then in order of arrival.
    waiting: BinaryHeap<Reverse<Waiter>>,
    arrivals: u64,
    timer_is_set: bool,
}

struct Waiter {
    order: (Timestamp, u64),
    slot: oneshot::Sender<Slot>,
}

/// The right to one request; given back when dropped.
pub struct Slot {
    shared: Arc<Shared>,
    origin: String,
}

/// The server asked for a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// When it ends.
    pub until: Timestamp,
}

impl Pacing {
    /// A pace within these limits.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared { limits, started: Instant::now(), began: clock::precise(), endpoints: Mutex::default() }))
    }

    /// Waits for a slot. `expiry` is when the token that is to be renewed expires; without one it is urgent.
    pub async fn slot(&self, endpoint: &TokenEndpoint, expiry: Option<Timestamp>) -> Result<Slot, Paused> {
        let origin = endpoint.origin();
        let (slot, wait) = oneshot::channel();
        {
            let mut endpoints = self.0.lock();
            let entry = endpoints.entry(origin.clone()).or_insert_with(|| Endpoint::new(rate_for(endpoint, self.0.limits.rate)));
            if let Some(until) = entry.pace.paused_until(self.0.steady()) {
                return Err(Paused { until: self.0.on_the_clock(until) });
            }
            entry.arrivals += 1;
            entry.waiting.push(Reverse(Waiter { order: (expiry.unwrap_or(Timestamp::MIN), entry.arrivals), slot }));
        }
        self.0.hand_out(&origin);
        // A sender is dropped without a slot only when a pause begins.
        wait.await.map_err(|_| Paused { until: self.0.pause_end(&origin) })
    }

    /// Takes note that the server throttles, and until when it wants no request if it said so.
    pub fn throttled(&self, endpoint: &TokenEndpoint, too_many: bool, pause_until: Option<Timestamp>) {
        let (now, steady) = (self.0.now(), self.0.steady());
        if let Some(entry) = self.0.lock().get_mut(&endpoint.origin()) {
            if too_many {
                entry.pace.slow_down(now);
            }
            if let Some(until) = pause_until {
                entry.pace.pause(after(steady, between(clock::precise(), until)));
                entry.waiting.clear();
            }
        }
    }
}

impl Endpoint {
    fn new(rate: f64) -> Self {
        Self { pace: Pace::new(rate), in_flight: 0, waiting: BinaryHeap::new(), arrivals: 0, timer_is_set: false }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause_end(&self, origin: &str) -> Timestamp {
        let steady = self.steady();
        self.on_the_clock(self.lock().get(origin).and_then(|endpoint| endpoint.pace.paused_until(steady)).unwrap_or(steady))
    }

    /// The time by a clock that nobody sets: a pause must not grow by what the clock is set back meanwhile.
    fn steady(&self) -> Timestamp {
        after(self.began, self.now())
    }

    /// What a steady time is by the clock now, in whole seconds as all times that are told.
    fn on_the_clock(&self, steady: Timestamp) -> Timestamp {
        let time = after(clock::precise(), between(self.steady(), steady) + Duration::from_millis(500));
        Timestamp::from_second(time.as_second()).unwrap_or(time)
    }

    /// Gives slots to those who wait, as far as the limits go; a timer goes on where only time is missing.
    fn hand_out(self: &Arc<Self>, origin: &str) {
        // Dropped after the lock: giving a slot back takes it again.
        let mut unwanted = Vec::new();
        let mut endpoints = self.lock();
        let Some(endpoint) = endpoints.get_mut(origin) else { return };
        while endpoint.in_flight < self.limits.concurrency && !endpoint.waiting.is_empty() {
            if let Err(next) = endpoint.pace.take_slot(self.now()) {
                if !std::mem::replace(&mut endpoint.timer_is_set, true) {
                    self.hand_out_at(origin.to_owned(), next);
                }
                return;
            }
            let Some(Reverse(waiter)) = endpoint.waiting.pop() else { return };
            endpoint.in_flight += 1;
            let slot = Slot { shared: Arc::clone(self), origin: origin.to_owned() };
            unwanted.extend(waiter.slot.send(slot).err());
        }
    }

    fn hand_out_at(self: &Arc<Self>, origin: String, at: Duration) {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(shared.started + at).await;
            if let Some(endpoint) = shared.lock().get_mut(&origin) {
                endpoint.timer_is_set = false;
            }
            shared.hand_out(&origin);
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(endpoint) = self.shared.lock().get_mut(&self.origin) {
            endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        }
        self.shared.hand_out(&self.origin);
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Waiter {}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::endpoint::UrlType;

    fn endpoint() -> TokenEndpoint {
        TokenEndpoint::parse("https://auth.example.com/token", UrlType::Dedicated, false).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn the_soonest_expiry_goes_first_and_no_more_than_allowed_at_a_time() {
        let pacing = Arc::new(Pacing::new(Limits { concurrency: 1, rate: 1e6 }));
        let first = pacing.slot(&endpoint(), None).await.unwrap();
        let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
        for expiry in [300, 100, 200] {
            let (pacing, told) = (Arc::clone(&pacing), told.clone());
            tokio::spawn(async move {
                let slot = pacing.slot(&endpoint(), Some(at(expiry))).await;
                told.send(expiry).unwrap();
                drop(slot);
            });
        }
        while pacing.0.lock().values().map(|endpoint| endpoint.waiting.len()).sum::<usize>() < 3 {
            tokio::task::yield_now().await;
        }
        assert!(order.try_recv().is_err());
        drop(first);
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(order.recv().await.unwrap());
        }
        assert_eq!(seen, [100, 200, 300]);
    }

    #[tokio::test]
    async fn a_pause_turns_away_who_waits_and_who_comes() {
        let pacing = Arc::new(Pacing::new(Limits { concurrency: 1, rate: 1e6 }));
        let first = pacing.slot(&endpoint(), None).await.unwrap();
        let waiting = tokio::spawn({
            let pacing = Arc::clone(&pacing);
            async move { pacing.slot(&endpoint(), None).await.map(|_| ()) }
        });
        while pacing.0.lock().values().all(|endpoint| endpoint.waiting.is_empty()) {
            tokio::task::yield_now().await;
        }
        let until = clock::now().checked_add(Duration::from_secs(600)).unwrap();
        pacing.throttled(&endpoint(), true, Some(until));
        let is_until = |paused: Result<(), Paused>| {
            between(until, paused.unwrap_err().until).max(between(paused.unwrap_err().until, until)).as_secs() <= 1
        };
        assert!(is_until(waiting.await.unwrap()));
        drop(first);
        assert!(is_until(pacing.slot(&endpoint(), None).await.map(|_| ())));
    }
}
