//! When the ledger may hold credentials back: two refusals, or requests that were lost with their process and that no token has answered
//! since. One of them may be a renewal that was due while an earlier process led, and that it may have sent unrecorded.

use std::time::Duration;

use super::super::authorization_server::Issued;
use super::super::{APPS, State};
use super::lockout::{Strike, WINDOW};
use crate::clock;

/// Refusals and the like that it takes.
const STRIKES: usize = 2;
/// A request counts from when it may have been judged, by a clock that may be ahead.
const SLACK: Duration = Duration::from_secs(1200);
/// Times are told in whole seconds.
const ROUNDED: Duration = Duration::from_secs(2);

/// What a credentials Secret holds.
pub struct Credentials {
    /// The client's secret.
    pub client_secret: String,
    /// The user's password; empty: none.
    password: String,
}

impl Strike {
    fn is_against(&self, credentials: &Credentials) -> bool {
        self.client_secret == credentials.client_secret && self.password.as_ref().is_none_or(|refused| *refused == credentials.password)
    }
}

impl State {
    /// Since when the ledger may hold back what the credentials Secret holds now.
    pub fn held_back_since(&self, group: usize) -> Option<Duration> {
        let credentials = self.credentials(group)?;
        let remembered = clock::elapsed().saturating_sub(WINDOW + SLACK);
        // By a clock that jumped nobody can tell what was before what: no token answers anything, and each leader counts.
        let has_jumped = self.jumps.iter().any(|jump| *jump >= remembered);
        let proved = if has_jumped { Duration::ZERO } else { self.proved_at(group, &credentials) };
        let strikes = self.refusals.strikes(group).filter(|strike| strike.is_against(&credentials));
        let known = strikes.filter(|strike| strike.is_refusal || strike.at >= proved).map(|strike| strike.at);
        let ended = self.terms.iter().rev().copied().filter(|term| has_jumped || *term >= proved && self.was_due(group, *term));
        let unknown = ended.take(if has_jumped { STRIKES } else { 1 });
        let counted: Vec<Duration> = known.chain(unknown).filter(|at| *at >= remembered).collect();
        counted.iter().max().copied().filter(|_| counted.len() >= STRIKES)
    }

    /// What the credentials Secret holds now, if it is there.
    pub fn credentials(&self, group: usize) -> Option<Credentials> {
        let kept = self.api.secret(APPS, &self.servers.groups[group].name)?;
        let text = |key: &str| {
            let value = kept.secret.data.as_ref().and_then(|data| data.get(key));
            value.and_then(|value| std::str::from_utf8(&value.0).ok()).unwrap_or_default().to_owned()
        };
        Some(Credentials { client_secret: text("client_secret"), password: text("password") })
    }

    /// When the newest token that is there, and that came by these credentials, was asked for.
    fn proved_at(&self, group: usize, credentials: &Credentials) -> Duration {
        let came_by = |issued: &&Issued| issued.client_secret == credentials.client_secret && issued.password == credentials.password;
        let tokens = self.sources_of(group).filter_map(|index| self.issued(index)).filter(came_by);
        tokens.map(|issued| issued.asked_at).max().unwrap_or_default()
    }

    /// Whether a token may have been due while an earlier process led: by its life, or since something else was asked for.
    fn was_due(&self, group: usize, led_until: Duration) -> bool {
        let is_due = |issued: &Issued| issued.asked_at + issued.life * 60 / 100 <= led_until + ROUNDED;
        self.sources_of(group).any(|index| {
            let track = &self.tracks[index];
            track.is_tampered || self.issued(index).is_none_or(|issued| is_due(issued) || track.asked_at >= issued.asked_at)
        })
    }

    fn sources_of(&self, group: usize) -> impl Iterator<Item = usize> {
        (0..self.tracks.len()).filter(move |index| self.tracks[*index].group == group)
    }

    /// The token that is there for a source.
    pub fn issued(&self, index: usize) -> Option<&Issued> {
        self.servers.tokens.get(&self.held_token(index)?)
    }
}
