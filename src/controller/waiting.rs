//! A wait for the turn at an endpoint: how long it is, and when to look at it again.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock;
use crate::token_source::schedule::after;

/// A wait that lasts longer is told.
pub const UNTOLD: Duration = Duration::from_secs(10);
/// How often a wait is looked at; the more of them there are, the less often, so that looking at thousands costs what looking at
/// so many does.
pub const LOOKED_AT: Duration = Duration::from_secs(15);
const LOOKED_AT_SO_OFTEN: f64 = 1000.0;

/// A wait for the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// It is long enough to be told.
    pub is_long: bool,
    /// When the pause ends that the server asked for, if one is on.
    pub paused_until: Option<Timestamp>,
    /// When to look at it again: it may have become long.
    pub again: Duration,
}

impl Waiting {
    /// A wait of `waited` so far, among `others` of whom `rate` a second are served. A wait for our own reads and writes is no limit of the
    /// endpoint's: that it `is_slow` is.
    pub fn of(others: usize, rate: f64, waited: Duration, is_slow: bool, pause: Option<Duration>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a queue is far shorter than 2^52")]
        let others = others as f64;
        let ahead = pause.unwrap_or_default().as_secs_f64() + others / rate;
        Self {
            is_long: waited > UNTOLD && is_slow || ahead > UNTOLD.as_secs_f64(),
            paused_until: pause.map(on_the_clock),
            again: LOOKED_AT.mul_f64((others / LOOKED_AT_SO_OFTEN).max(1.0)),
        }
    }
}

/// What a wait's end is by the clock, to the nearest second, as all times are told.
fn on_the_clock(wait: Duration) -> Timestamp {
    let time = after(clock::precise(), wait + Duration::from_millis(500));
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
