//! The status is true 30 seconds after the last change at the latest: Ready says whether the Secret holds an unexpired token of the
//! operator's for the spec as it is, and its reason is that of the last answer, or of what stands in the way.

use std::time::Duration;

use super::super::{APPS, State};
use crate::api::condition::{ConditionStatus, ConditionType, find};
use crate::api::names::{EXPIRES_AT, REQUEST_DIGEST};
use crate::clock;
use crate::token_source::digest::RequestDigest;

const BOUND: Duration = Duration::from_secs(30);
/// So late the operator notices that its clock was set.
const NOTICED: Duration = Duration::from_secs(30);

impl State {
    /// Time has passed.
    pub fn judge_status(&mut self, index: usize) {
        let now = clock::elapsed();
        self.digest_spec(index);
        let track = &self.tracks[index];
        let Some(source) = self.api.selected_source(&track.name) else { return };
        if !self.weather.is_fine_here() || !self.has_leader() || track.in_flight > 0 || now < track.disturbed + BOUND {
            return;
        }
        let conditions = source.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let ready = find(conditions, ConditionType::Ready);
        let (status, reason) = ready.map_or((ConditionStatus::Unknown, String::new()), |ready| (ready.status, ready.reason.clone()));
        let Some(holds) = self.holds_a_token(index) else { return };
        let name = track.name.clone();
        if (status == ConditionStatus::True) != holds {
            self.violated("status", format!("Ready of {name} is {status:?} {reason}, but that its Secret holds a token is {holds}"));
            self.disturb(index);
            return;
        }
        self.saw(if holds { "status judged: Ready" } else { "status judged: not Ready" });
        if let Some(expected) = self.expected_reason(index).filter(|expected| !holds && *expected != reason) {
            self.violated("status", format!("Ready of {name} is {status:?} {reason}, but the reason is {expected}"));
            self.disturb(index);
        }
    }

    /// Whether the target Secret holds an unexpired token of the operator's for the spec as it is. None: too close to the expiry to
    /// tell, or the operator's clock and the server's disagree.
    fn holds_a_token(&self, index: usize) -> Option<bool> {
        let source = self.api.sources.get(&self.tracks[index].name)?;
        let found = self.api.secret(APPS, &self.tracks[index].name).filter(|found| found.made_for == source.metadata.uid);
        let Some(found) = found else { return Some(false) };
        let annotation = |key: &str| found.secret.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key));
        let expiry: Option<jiff::Timestamp> = annotation(EXPIRES_AT).and_then(|text| text.parse().ok());
        let Some(expiry) = expiry else { return Some(false) };
        let error = self.leader.as_ref().map_or(0, |leader| leader.clock_error());
        let left = expiry.as_millisecond() - clock::at(clock::elapsed()).as_millisecond() - error;
        let token = self.held_token(index).and_then(|token| self.servers.tokens.get(&token));
        let is_mistimed = token.is_some_and(|token| (token.expires > clock::elapsed()) != (left > 0));
        // The look at the expiry was planned by a clock that has been set forth since.
        let is_late = left < 0 && self.jumps.iter().any(|jump| *jump + NOTICED + BOUND > clock::elapsed());
        if left.unsigned_abs() < 30_000 || is_mistimed || is_late {
            return None;
        }
        let digest = annotation(REQUEST_DIGEST).and_then(|text| text.parse::<RequestDigest>().ok());
        let fits = digest.is_some_and(|digest| self.tracks[index].spec.as_ref().is_some_and(|(_, _, spec)| digest.spec == *spec));
        Some(left > 0 && fits && !self.tracks[index].is_tampered)
    }

    fn digest_spec(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        let Some(source) = self.api.sources.get(&track.name) else { return };
        let (uid, generation) = (&source.metadata.uid, &source.metadata.generation);
        if track.spec.as_ref().is_none_or(|(of, at, _)| (of, at) != (uid, generation)) {
            track.spec = Some((uid.clone(), *generation, self.key.spec(&source.spec)));
        }
    }

    /// The reason that the status must have where there is no token.
    fn expected_reason(&self, index: usize) -> Option<&'static str> {
        let track = &self.tracks[index];
        let source = self.api.sources.get(&track.name)?;
        if source.spec.suspend {
            return Some("Suspended");
        }
        if self.obstacle(index) == Some("foreign Secret") {
            return Some("SecretConflict");
        }
        if self.api.secret(APPS, &self.servers.groups[track.group].name).is_none() {
            return Some("CredentialsNotFound");
        }
        if clock::elapsed() < self.pauses[self.servers.groups[track.group].host] + BOUND {
            // Its own last answer, or the pause that another's has begun.
            return None;
        }
        if self.held_back_since(track.group).is_some() {
            // Or what the ledger remembers.
            return None;
        }
        track.told.as_ref().filter(|told| told.request == self.request_of(index))?.reason
    }
}
