//! Faults of a token endpoint and of the way to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::bounds;
use crate::door::Trouble;
use crate::faults::Run;
use crate::random::Random;
use crate::timeline::Scope;

/// A fault of one door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointFault {
    Trouble(Trouble, &'static str),
    /// The host's name can't be resolved. Only for the door that is known by one.
    Dns,
}

pub const DOWN: EndpointFault = EndpointFault::Trouble(Trouble::Down, "endpoint down");
pub const SLOW: EndpointFault = EndpointFault::Trouble(Trouble::Slow, "endpoint slow");
pub const SILENT: EndpointFault = EndpointFault::Trouble(Trouble::Silent, "endpoint silent");
pub const RESET: EndpointFault = EndpointFault::Trouble(Trouble::Reset, "endpoint resetting");
pub const LOST_ANSWER: EndpointFault = EndpointFault::Trouble(Trouble::LostAnswer, "endpoint's answers lost");
pub const GARBAGE: EndpointFault = EndpointFault::Trouble(Trouble::Garbage, "endpoint answering garbage");
pub const STORM: EndpointFault = EndpointFault::Trouble(Trouble::Storm, "429 without Retry-After");
pub const STORM_UNTIL: EndpointFault = EndpointFault::Trouble(Trouble::StormUntil(5), "429 with Retry-After");

/// For any door, and in a full run each of them.
pub const ALL: [EndpointFault; 8] = [DOWN, SLOW, SILENT, RESET, LOST_ANSWER, GARBAGE, STORM, STORM_UNTIL];

impl EndpointFault {
    pub fn name(self) -> &'static str {
        match self {
            Self::Trouble(_, name) => name,
            Self::Dns => "name not resolved",
        }
    }

    /// How long the operator has after a trouble that lasted so long.
    fn recovery(self, lasted: Duration) -> Duration {
        bounds::ATTEMPT
            + match self {
                Self::Trouble(Trouble::Storm, _) => bounds::AFTER_STORM,
                Self::Trouble(Trouble::StormUntil(_), _) => bounds::after_trouble(lasted) + bounds::SLOWEST_PACE,
                Self::Trouble(Trouble::Silent, _) => bounds::after_trouble(lasted) + bounds::READ_TIMEOUT,
                Self::Trouble(..) | Self::Dns => bounds::after_trouble(lasted),
            }
    }

    /// How long it takes at the most until the next may come.
    pub fn takes(self, longest: Duration) -> Duration {
        longest + self.recovery(longest)
    }

    /// Makes it at a door, and waits until its consequences have to be over.
    pub async fn make(self, run: &Arc<Run>, random: &mut Random, door: usize, longest: u64) {
        let stage = &run.stage;
        let (began, hits) = (Instant::now(), stage.doors[door].hits());
        let ongoing = stage.timeline.begin(Scope::Door(door), format!("{} at door {door}", self.name()));
        match self {
            Self::Trouble(trouble, _) => stage.doors[door].set(trouble),
            Self::Dns => run.operators.know_names(false),
        }
        run.hurry_at(random, door, 2).await;
        let lasts = Duration::from_secs(random.between(longest * 2 / 3, longest));
        let mut is_met = false;
        while began.elapsed() < lasts || (!is_met && began.elapsed() < lasts * 2) {
            sleep(Duration::from_millis(500)).await;
            // Who meets a closed port or no address is not seen by the door, but says so.
            is_met |= stage.doors[door].hits() > hits || run.sees_connection_failure(door, began);
        }
        match self {
            Self::Trouble(..) => stage.doors[door].set(Trouble::None),
            Self::Dns => run.operators.know_names(true),
        }
        stage.timeline.end(ongoing, self.recovery(began.elapsed()));
        if is_met {
            stage.strikes(self.name());
        }
        sleep(stage.timeline.left(ongoing)).await;
    }
}
