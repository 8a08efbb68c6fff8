//! Who leads, by a Lease: what a candidate writes, given what it sees.
//!
//! Whether a Lease has run out is judged by our own time since it was last seen to change, never by the times in it: the
//! clocks of two machines differ, and any of them may jump. The times tell one thing only, and its writer's clock is the right
//! one for that: what the holder may have sent without leaving a record.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use thiserror::Error;

use super::schedule::after;

/// What was sent before a clock was set back is answered, or recorded as lost, so long after that.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// How long a Lease lasts, and what follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    lease: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15) }
    }
}

impl Terms {
    /// Shorter ones could not be renewed in time.
    pub const LEASE_MIN: Duration = Duration::from_secs(3);

    /// Of the time that a Lease lasts.
    pub fn of(lease: Duration) -> Self {
        Self { lease: lease.max(Self::LEASE_MIN) }
    }

    /// The leader renews so long after the last renewal.
    pub fn renew_after(self) -> Duration {
        self.lease / 3
    }

    /// Who did not renew for so long leads no more. What is left until others may take the Lease is for requests that were
    /// just handed to the network.
    pub fn deadline(self) -> Duration {
        self.lease * 2 / 3
    }

    /// Between two looks of a candidate, and between two tries of the leader.
    pub fn pause(self) -> Duration {
        self.lease / 15
    }

    /// One request takes at most so long: a connection that is cut must not use up the time of the next try.
    pub fn patience(self) -> Duration {
        self.lease / 6
    }

    /// The holder of this Lease, as it was written last, sends no renewal without a record that is due later than that. It leads no
    /// more by then unless it writes the Lease again. None: it says no time.
    pub fn unrecorded_until(self, lease: &Lease) -> Option<Timestamp> {
        let spec = lease.spec.as_ref()?;
        let told = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        // Whoever gave it back sends nothing after that.
        let lasts = if is_released(lease) { Duration::ZERO } else { Self { lease: self.lease.max(told.unwrap_or_default()) }.deadline() };
        Some(after(spec.renew_time.as_ref()?.0, lasts))
    }

    fn seconds(self) -> i32 {
        i32::try_from(self.lease.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
    }
}

/// The Lease as a candidate saw it last.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// None: there is none.
    lease: Option<Lease>,
    /// There was one before.
    vanished: bool,
    /// Since when it is like that, in time since boot.
    since: Duration,
}

impl Sighting {
    /// The first look.
    pub fn first(lease: Option<Lease>, now: Duration) -> Self {
        Self { lease, vanished: false, since: now }
    }

    /// The next look.
    #[must_use]
    pub fn then(self, lease: Option<Lease>, now: Duration) -> Self {
        // Labels and annotations are not the holder's sign of life.
        let is_same = self.lease.as_ref().map(|lease| &lease.spec) == lease.as_ref().map(|lease| &lease.spec);
        let vanished = lease.is_none() && (self.vanished || self.lease.is_some());
        Self { lease, vanished, since: if is_same { self.since } else { now } }
    }

    /// Who holds it.
    pub fn holder(&self) -> Option<&str> {
        self.lease.as_ref().and_then(holder)
    }

    /// How long it has to stay as it is before it may be taken.
    fn lasts(&self, terms: Terms) -> Duration {
        match &self.lease {
            None if !self.vanished => Duration::ZERO,
            // Whoever deleted it did not stop its holder.
            None => terms.lease,
            Some(lease) if is_released(lease) => Duration::ZERO,
            // Its holder counts on what it wrote, and on our terms if somebody has edited them down.
            Some(lease) => {
                let told = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).and_then(|seconds| u64::try_from(seconds).ok());
                terms.lease.max(Duration::from_secs(told.unwrap_or_default()))
            }
        }
    }
}

/// Whether a clock is behind the times that were written in a Lease.
pub fn is_behind(lease: &Lease, time: Timestamp) -> bool {
    lease.spec.as_ref().and_then(last_time).is_some_and(|last| time < last)
}

/// Why the leader leads no more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Lost {
    /// Somebody else is in the Lease.
    #[error("it was given to {holder:?}")]
    Taken {
        /// Who.
        holder: String,
    },
    /// The API server could not be reached for too long, or this process was frozen.
    #[error("it could not be renewed in time")]
    NotRenewed,
}

/// Who wants to lead.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The Lease's name.
    pub lease_name: String,
    /// Whose the Lease is while we lead: no two processes have the same.
    pub identity: String,
    /// Our terms.
    pub terms: Terms,
}

impl Candidate {
    /// The Lease to write, if it may be taken now. One that names us is like any other: we don't know that we wrote it.
    pub fn claim(&self, seen: &Sighting, now: Duration, time: Timestamp) -> Option<Lease> {
        let is_free = now.saturating_sub(seen.since) >= seen.lasts(self.terms);
        is_free.then(|| self.taken(seen.lease.clone(), time))
    }

    /// Renewals that were due until then may have been sent by others before the Lease was taken, and nothing was left of that.
    /// Without a Lease that says it: all until now.
    pub fn sent_before(&self, seen: &Sighting, now: Timestamp) -> Timestamp {
        seen.lease.as_ref().and_then(|lease| self.terms.unrecorded_until(lease)).unwrap_or(now)
    }

    /// The renewal to write over the Lease that is there. It comes back where somebody has deleted it. `behind`: how long the clock has been
    /// behind the times that were written.
    pub fn renewal(&self, found: Option<Lease>, time: Timestamp, behind: Duration) -> Result<Lease, Lost> {
        let Some(mut lease) = found else { return Ok(self.taken(None, time)) };
        let holder = holder(&lease).unwrap_or_default().to_owned();
        if holder != self.identity {
            return Err(Lost::Taken { holder });
        }
        let spec = lease.spec.get_or_insert_default();
        let last = last_time(spec).filter(|_| behind < ANSWERED_WITHIN);
        spec.renew_time = Some(next_time(last, time));
        spec.lease_duration_seconds = Some(self.terms.seconds());
        Ok(lease)
    }

    /// The Lease to write so that others need not wait, if it still is ours. Having no duration tells it from one whose holder
    /// was struck out by somebody: nobody tells that holder.
    pub fn release(&self, found: Lease, time: Timestamp) -> Option<Lease> {
        if holder(&found) != Some(self.identity.as_str()) {
            return None;
        }
        let mut lease = found;
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = None;
        spec.renew_time = Some(next_time(last_time(spec), time));
        Some(lease)
    }

    fn taken(&self, previous: Option<Lease>, time: Timestamp) -> Lease {
        let sent = previous.as_ref().and_then(|lease| self.terms.unrecorded_until(lease));
        let metadata = ObjectMeta { name: Some(self.lease_name.clone()), ..ObjectMeta::default() };
        let (metadata, spec) = previous.map_or((metadata, None), |lease| (lease.metadata, Some(lease.spec.unwrap_or_default())));
        let transitions = spec.as_ref().map_or(0, |spec| spec.lease_transitions.unwrap_or_default().saturating_add(1));
        let spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(self.terms.seconds()),
            acquire_time: Some(MicroTime(time)),
            renew_time: Some(next_time(sent, time)),
            lease_transitions: Some(transitions),
            ..spec.unwrap_or_default()
        };
        Lease { metadata, spec: Some(spec) }
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).filter(|holder| !holder.is_empty())
}

fn last_time(spec: &LeaseSpec) -> Option<Timestamp> {
    spec.renew_time.as_ref().map(|time| time.0)
}

/// The time of the next write. It does not go back with a clock: what was sent before must stay before it.
fn next_time(last: Option<Timestamp>, time: Timestamp) -> MicroTime {
    MicroTime(last.map_or(time, |last| time.max(after(last, Duration::from_micros(1)))))
}

fn is_released(lease: &Lease) -> bool {
    holder(lease).is_none() && lease.spec.as_ref().is_none_or(|spec| spec.lease_duration_seconds.is_none())
}

#[cfg(test)]
#[path = "leadership_tests.rs"]
mod tests;
