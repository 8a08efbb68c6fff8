//! Whether this process may act. Asked right before everything that must not be done by two: each token request, each write.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use crate::clock;

/// No election: this process is alone.
const FOR_GOOD: u64 = u64::MAX;
/// It has ended, and never comes back in this process.
const OVER: u64 = 0;

/// The right to act, until a time since boot in milliseconds. The clock of the boot goes on while a process, or the whole
/// machine, is frozen: who wakes up too late finds it has ended.
#[derive(Clone)]
pub struct Leadership(Arc<Reign>);

struct Reign {
    end: AtomicU64,
    /// Renewals that are due until then, in whole seconds, a successor takes for sent.
    told: AtomicI64,
    began: Timestamp,
    sent_before: Timestamp,
}

impl Leadership {
    /// Of who is alone.
    pub fn for_good() -> Self {
        let now = clock::precise();
        let (end, told) = (AtomicU64::new(FOR_GOOD), AtomicI64::new(i64::MAX));
        Self(Arc::new(Reign { end, told, began: now, sent_before: now }))
    }

    /// Of who has taken the Lease. `told`: renewals that are due until then its successor takes for sent. `sent_before`: those that
    /// its predecessor may have sent.
    pub fn until(end: Duration, told: Timestamp, sent_before: Timestamp) -> Self {
        let (end, told) = (AtomicU64::new(millis(end)), AtomicI64::new(told.as_second()));
        Self(Arc::new(Reign { end, told, began: clock::precise(), sent_before }))
    }

    /// Whether it lasts. Once it did not it never does again, so that nothing is refused on the quiet between two renewals.
    pub fn is_held(&self) -> bool {
        let now = millis(clock::since_boot());
        self.0.end.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |end| (end <= now).then_some(OVER)).is_err()
    }

    /// Lasts until another time, and successors are told more. `false`: it had ended.
    pub fn extend(&self, end: Duration, told: Timestamp) -> bool {
        self.0.told.store(told.as_second(), Ordering::SeqCst);
        self.is_held() && self.0.end.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| (old != OVER).then_some(millis(end))).is_ok()
    }

    /// Ends now.
    pub fn end(&self) {
        self.0.end.store(OVER, Ordering::SeqCst);
    }

    /// How long it lasts from now on.
    pub fn left(&self) -> Duration {
        Duration::from_millis(self.0.end.load(Ordering::SeqCst)).saturating_sub(clock::since_boot())
    }

    /// Whether a successor takes a renewal that was due then for sent, though nobody has recorded it. It does, but for a clock that
    /// was set forward since the Lease was written.
    pub fn is_told(&self, due: Timestamp) -> bool {
        due.as_second() <= self.0.told.load(Ordering::SeqCst)
    }

    /// When a renewal that was due then may have been sent at the latest by the process before this one, if that is possible.
    pub fn sent_before(&self, due: Timestamp) -> Option<Timestamp> {
        (due <= self.0.sent_before).then(|| self.0.sent_before.min(self.0.began))
    }

    /// Does something as long as it lasts. Asked at every step, not only at the first: connecting can take long, and a process
    /// can be frozen at any step.
    pub async fn while_held<F: Future>(&self, action: F) -> Result<F::Output, Error> {
        let mut action = pin!(action);
        poll_fn(|context| if self.is_held() { action.as_mut().poll(context).map(Ok) } else { Poll::Ready(Err(Error::NotLeading)) }).await
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(FOR_GOOD)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tokio::time::sleep;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_can_be_extended_while_it_lasts_and_never_after() {
        let now = clock::precise();
        let leadership = Leadership::until(clock::since_boot() + LONG, now, now);
        assert!(leadership.extend(clock::since_boot() + 2 * LONG, now));
        assert!(leadership.left() > LONG && leadership.is_held());
        leadership.end();
        assert!(!leadership.extend(clock::since_boot() + LONG, now) && !leadership.is_held());
        assert_eq!(leadership.left(), Duration::ZERO);

        let late = Leadership::until(clock::since_boot(), now, now);
        assert!(!late.extend(clock::since_boot() + LONG, now) && !late.is_held());
        assert!(Leadership::for_good().is_held());
    }

    #[test]
    fn what_the_lease_tells_bounds_what_goes_without_a_record() {
        let now = clock::precise();
        let (minute, hour) = (SignedDuration::from_mins(1), SignedDuration::from_hours(1));
        let leadership = Leadership::until(clock::since_boot() + LONG, now, now - hour);
        assert!(leadership.is_told(now) && !leadership.is_told(now + minute));
        assert!(leadership.extend(clock::since_boot() + LONG, now + minute) && leadership.is_told(now + minute));
        assert_eq!(leadership.sent_before(now - hour), Some(now - hour));
        assert_eq!(leadership.sent_before(now - minute), None, "it led no more by then");
        let by_another_clock = Leadership::until(clock::since_boot() + LONG, now, now + hour);
        assert!(by_another_clock.sent_before(now + minute).is_some_and(|sent| sent < now + minute), "none is counted from the future");
        let alone = Leadership::for_good();
        assert!(alone.is_told(Timestamp::MAX) && alone.sent_before(now).is_some() && alone.sent_before(now + minute).is_none());
    }

    #[tokio::test]
    async fn what_takes_longer_than_it_lasts_is_not_gone_on_with() {
        let now = clock::precise();
        let leadership = Leadership::until(clock::since_boot() + Duration::from_millis(50), now, now);
        assert!(leadership.while_held(async { 1 }).await.is_ok_and(|one| one == 1));
        let mut went_on = false;
        let slow = async {
            sleep(Duration::from_millis(200)).await;
            went_on = true;
        };
        assert!(matches!(leadership.while_held(slow).await, Err(Error::NotLeading)));
        assert!(!went_on);
    }
}
