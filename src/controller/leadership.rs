//! Whether this process may act. Asked right before everything that must not be done by two: each token request, each write.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::error::Error;
use crate::clock;

/// No election: this process is alone.
const FOR_GOOD: u64 = u64::MAX;
/// It has ended, and never comes back in this process.
const OVER: u64 = 0;

/// The right to act, until a time since boot in milliseconds. The clock of the boot goes on while a process, or the whole
/// machine, is frozen: who wakes up too late finds it has ended.
#[derive(Clone)]
pub struct Leadership(Arc<AtomicU64>);

impl Leadership {
    /// Of who is alone.
    pub fn for_good() -> Self {
        Self(Arc::new(AtomicU64::new(FOR_GOOD)))
    }

    /// Of who has taken the Lease.
    pub fn until(end: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(millis(end))))
    }

    /// Whether it lasts. Once it did not it never does again, so that nothing is refused on the quiet between two renewals.
    pub fn is_held(&self) -> bool {
        let now = millis(clock::since_boot());
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |end| (end <= now).then_some(OVER)).is_err()
    }

    /// Lasts until another time. `false`: it had ended.
    pub fn extend(&self, end: Duration) -> bool {
        self.is_held() && self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| (old != OVER).then_some(millis(end))).is_ok()
    }

    /// Ends now.
    pub fn end(&self) {
        self.0.store(OVER, Ordering::SeqCst);
    }

    /// How long it lasts from now on.
    pub fn left(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst)).saturating_sub(clock::since_boot())
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
    use super::*;
    use tokio::time::sleep;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_can_be_extended_while_it_lasts_and_never_after() {
        let leadership = Leadership::until(clock::since_boot() + LONG);
        assert!(leadership.extend(clock::since_boot() + 2 * LONG));
        assert!(leadership.left() > LONG && leadership.is_held());
        leadership.end();
        assert!(!leadership.extend(clock::since_boot() + LONG) && !leadership.is_held());
        assert_eq!(leadership.left(), Duration::ZERO);

        let late = Leadership::until(clock::since_boot());
        assert!(!late.extend(clock::since_boot() + LONG) && !late.is_held());
        assert!(Leadership::for_good().is_held());
    }

    #[tokio::test]
    async fn what_takes_longer_than_it_lasts_is_not_gone_on_with() {
        let leadership = Leadership::until(clock::since_boot() + Duration::from_millis(50));
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
