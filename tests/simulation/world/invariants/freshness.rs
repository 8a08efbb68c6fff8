//! No Secret is without a valid token that could have had one.
//!
//! It could have one if nothing has stood in its way for so long as the waits that went before allow: the longest documented wait
//! after its last failure, the hour of the lock-out ledger, and beside that [`BOUND`] for watches, queues and the request.

use std::time::Duration;

use super::super::authorization_server::Grant;
use super::super::authorization_server::issued_as;
use super::super::weather::Endpoint;
use super::super::{APPS, State};
use crate::clock;

/// From the last change on: a watch's delay, a queue, two requests that time out, the pause after a failed write.
pub const BOUND: Duration = Duration::from_secs(75);
const LEDGER: Duration = Duration::from_secs(3600);

impl State {
    /// Time has passed, or a Secret is about to be written.
    pub fn judge_freshness(&mut self, index: usize) {
        let now = clock::elapsed();
        if self.obstacle(index).is_some() {
            self.disturb(index);
            return;
        }
        let track = &self.tracks[index];
        let issued = self.issued(index).cloned();
        if issued.as_ref().is_some_and(|issued| issued.expires > now) {
            return;
        }
        let error_now = self.leader.as_ref().map_or(0, |leader| leader.clock_error());
        let is_mistimed = issued.is_some_and(|issued| issued.clock_error != error_now);
        let ledger = self.held_back_since(track.group).map(|since| since + LEDGER);
        let told = track.told.as_ref().filter(|told| told.request == self.request_of(index));
        let published = self.api.sources.get(&track.name).and_then(|source| source.status.as_ref()?.consecutive_failures);
        // By a clock that was set back the wait is longer.
        let slack = if self.jumps.is_empty() { Duration::ZERO } else { Duration::from_secs(1200) };
        let pause = self.pauses[self.servers.groups[track.group].host];
        let waits = told.map(|told| told.until(published)).into_iter().chain(ledger).chain([pause]).map(|until| until + slack);
        let until = waits.chain([track.disturbed]).max().unwrap_or_default() + BOUND;
        if is_mistimed {
            self.disturb(index);
            self.saw("token mistimed by a clock that had jumped");
        } else if now > until {
            let name = self.tracks[index].name.clone();
            let facts = format!(
                "{name} has no valid token since {until:?}; last change {:?}, told {:?}",
                self.tracks[index].disturbed, self.tracks[index].told
            );
            self.violated("freshness", facts);
            self.disturb(index);
        } else {
            self.saw("no valid token, with reason");
        }
    }

    /// What stands in the way of a token.
    pub fn obstacle(&self, index: usize) -> Option<&'static str> {
        let track = &self.tracks[index];
        let group = &self.servers.groups[track.group];
        let Some(source) = self.api.selected_source(&track.name) else { return Some("no source") };
        let target = self.api.secret(APPS, &track.name);
        let is_foreign = target.is_some_and(|target| target.made_for != source.metadata.uid);
        let data = self.api.secret(APPS, &group.name).and_then(|kept| kept.secret.data.as_ref());
        let text = |key: &str| data.and_then(|data| data.get(key)).and_then(|value| std::str::from_utf8(&value.0).ok());
        let is_right = text("client_secret").is_some_and(|secret| group.secrets.iter().any(|accepted| accepted == secret))
            && (group.grant != Grant::Password || text("password") == Some(group.password.as_str()));
        let has_refresh_token = group.grant != Grant::RefreshToken
            || text("refresh_token").is_some_and(|token| group.live.contains(token))
            || self.kept_refresh_token(index).is_some_and(|kept| {
                // One that came of what people gave before is not used any more.
                group.live.contains(&kept) && text("refresh_token").is_none_or(|given| issued_as(&kept) > issued_as(given))
            });
        [
            (source.spec.suspend, "suspended"),
            (is_foreign, "foreign Secret"),
            (!is_right, "wrong credentials"),
            (!has_refresh_token, "no refresh token"),
            (self.weather.endpoints[group.host] != Endpoint::Fine, "endpoint"),
            (!self.weather.is_fine_here(), "API server or watches"),
            (!self.has_leader(), "no leader"),
        ]
        .into_iter()
        .find_map(|(stands, what)| stands.then_some(what))
    }
}
