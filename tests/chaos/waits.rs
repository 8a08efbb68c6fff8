//! What the lanes ask of the last look, and wait for.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use crate::bounds;
use crate::faults::{LOOK, Run};
use crate::timeline::Ongoing;

impl Run {
    /// Until no source is late, or the time is over.
    pub async fn until_settled(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut looks = 0;
        while looks < 2 && Instant::now() < deadline {
            sleep(LOOK).await;
            let is_seen = self.last.lock().unwrap().is_some();
            looks = if is_seen && self.judge.lock().unwrap().overdue.is_empty() { looks + 1 } else { 0 };
        }
    }

    /// Until a fault's consequences have to be over, or are: somebody has led for a while, and nobody is late.
    pub async fn until_over(&self, ongoing: Ongoing) {
        let deadline = Instant::now() + self.stage.timeline.left(ongoing);
        let mut led_since = None;
        while Instant::now() < deadline {
            sleep(LOOK).await;
            let is_led = self.operators.leader().await.is_some() && self.judge.lock().unwrap().overdue.is_empty();
            led_since = if is_led { led_since.or(Some(Instant::now())) } else { None };
            if led_since.is_some_and(|since: Instant| since.elapsed() > bounds::ATTEMPT) {
                return;
            }
        }
    }

    /// Waits until a source has a token that was issued later. False if it takes too long.
    pub async fn until_token(&self, key: &str, after: Instant) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            let has_it = self
                .last
                .lock()
                .unwrap()
                .as_ref()
                .and_then(|last| last.secrets.get(key)?.token.clone())
                .is_some_and(|token| token.at > after);
            if has_it {
                return true;
            }
            sleep(LOOK).await;
        }
        false
    }

    /// Whether a token was written with times that are off by about so much.
    pub fn sees_wrong_times(&self, offset: i64) -> bool {
        let last = self.last.lock().unwrap();
        let secrets = last.as_ref().into_iter().flat_map(|last| last.secrets.values());
        let (now, wall) = (Instant::now(), tokensource::clock::precise());
        secrets.filter_map(|secret| secret.token.as_ref().zip(secret.expires_at)).any(|(token, told)| {
            let left = SignedDuration::try_from(token.expires.saturating_duration_since(now)).unwrap_or_default();
            let off = told.duration_since(wall) - left;
            token.expires > now && (off - SignedDuration::from_secs(offset)).abs() < SignedDuration::from_secs(60)
        })
    }

    /// Whether a source of the door says that it found no connection, since then.
    pub fn sees_connection_failure(&self, door: usize, since: Instant) -> bool {
        let wall = tokensource::clock::precise() - SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        let at_door = |key: &str| self.stage.sources.read().unwrap().get(key).is_some_and(|source| source.door == door);
        let last = self.last.lock().unwrap();
        let mut sources = last.iter().flat_map(|last| &last.sources);
        sources.any(|(key, source)| {
            source.failure.as_ref().is_some_and(|(reason, time)| reason == "ConnectionFailed" && *time >= wall) && at_door(key)
        })
    }

    /// Whether a source says that it is stalled for this reason.
    pub fn is_told(&self, key: &str, reason: &str) -> bool {
        let last = self.last.lock().unwrap();
        last.as_ref()
            .and_then(|last| last.sources.get(key))
            .is_some_and(|source| source.refreshed == Some(false) && source.stalled && source.reason == reason)
    }
}
