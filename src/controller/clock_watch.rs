//! Notices that the clock was set, or that the machine slept: what waits for a time that was reckoned before comes too late then,
//! since waits go by a clock that knows of neither.

use std::time::Duration;

use futures::stream::{self, Stream};
use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use crate::clock;

/// How often the clocks are compared.
const EACH: Duration = Duration::from_secs(30);
/// More than a clock is corrected by step for step, or a busy machine is late.
const TOLERATED: Duration = Duration::from_secs(5);

/// An item each time that the clock was set.
pub fn clock_set() -> impl Stream<Item = ()> {
    let began = Instant::now();
    // How far the clock that can be set is ahead of the one that can't.
    changes(move || clock::precise().as_duration() - SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::MAX))
}

fn changes(ahead: impl Fn() -> SignedDuration) -> impl Stream<Item = ()> {
    stream::unfold((ahead(), ahead), |(mut known, ahead)| async move {
        loop {
            sleep(EACH).await;
            let now = ahead();
            let moved = now.saturating_sub(std::mem::replace(&mut known, now));
            if moved.unsigned_abs() > TOLERATED {
                tracing::info!(seconds = moved.as_secs(), "the clock was set, or the machine slept: looking at all sources");
                return Some(((), (now, ahead)));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;

    use futures::StreamExt as _;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_by_more_than_seconds_is_noticed_once_and_within_the_half_minute() {
        let ahead = Cell::new(0);
        let mut set = pin!(changes(|| SignedDuration::from_secs(ahead.get())));
        for (to, is_noticed) in [(0, false), (4, false), (8, false), (608, true), (608, false), (8, true)] {
            ahead.set(to);
            assert_eq!(timeout(EACH * 3 / 2, set.next()).await.is_ok(), is_noticed, "to {to}");
        }
    }
}
