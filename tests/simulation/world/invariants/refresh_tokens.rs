//! A rotated refresh token is kept, and used, and before the token that came with it; unless the process was killed, frozen or fenced, or
//! the API server failed, before it could.

use std::time::Duration;

use super::super::authorization_server::{Asked, Grant, issued_as};
use super::super::{APPS, State};
use crate::clock;

/// The writes are tried for little more than a second; each may wait for the pace of others.
const BOUND: Duration = Duration::from_secs(30);

impl State {
    /// The target Secret was written.
    pub fn judge_order(&mut self, index: usize) {
        let token = self.held_token(index);
        let Some(came) = token.and_then(|token| self.servers.tokens.get(&token)).and_then(|issued| issued.refresh_token.clone()) else {
            return;
        };
        let kept = self.kept_refresh_token(index);
        if self.has_foreign_keeper(index) {
            if let Some(given) = &mut self.tracks[index].given {
                given.is_excused = true;
            }
            return;
        }
        let is_due = self.tracks[index].given.as_ref().is_some_and(|given| given.token == came && !given.is_excused);
        if is_due && kept.as_ref() != Some(&came) {
            let name = self.tracks[index].name.clone();
            self.violated("refresh token", format!("the token of {name} was written before the refresh token that came with it"));
        }
    }

    /// A token request goes out. Where a refresh token is all there is, a spent one is not presented while a good one is kept.
    pub fn judge_presented(&mut self, index: usize, asked: &Asked) {
        if self.tracks[index].given.as_ref().is_some_and(|given| given.token == asked.refresh_token()) {
            // It was kept, and is spent now.
            self.judge_refresh_token(index);
        }
        let name = &self.tracks[index].name;
        let uid = self.api.sources.get(name).and_then(|source| source.metadata.uid.clone());
        let keeper = self.api.secret(APPS, &format!("{name}-refresh-token"));
        if self.grant(index) != Grant::RefreshToken || keeper.is_none_or(|keeper| keeper.made_for.is_none() || keeper.made_for != uid) {
            return;
        }
        let live = &self.servers.groups[self.tracks[index].group].live;
        // One that people have given since it was kept is asked with instead.
        let is_kept = |kept: &String| live.contains(kept) && issued_as(kept) > issued_as(asked.refresh_token());
        if self.kept_refresh_token(index).as_ref().is_some_and(is_kept) && !live.contains(asked.refresh_token()) {
            let name = name.clone();
            self.violated("refresh token", format!("{name} asks by a refresh token that is spent, while a good one is kept"));
        }
    }

    /// Time has passed.
    pub fn judge_refresh_token(&mut self, index: usize) {
        let Some(given) = self.tracks[index].given.clone() else { return };
        let kept = self.kept_refresh_token(index);
        if self.has_foreign_keeper(index) {
            self.saw("refresh token not kept: a foreign Secret has its name");
        } else if kept.as_ref() == Some(&given.token) {
            self.saw("refresh token kept");
        } else if given.is_excused {
            self.saw("refresh token lost, unavoidably");
        } else if self.api.sources.contains_key(&self.tracks[index].name) && clock::elapsed() > given.at + BOUND {
            let name = self.tracks[index].name.clone();
            self.violated("refresh token", format!("the refresh token that {name} was given at {:?} is lost", given.at));
        } else {
            return;
        }
        self.tracks[index].given = None;
    }

    /// Whether the Secret of that name is another's: it is not taken over.
    fn has_foreign_keeper(&self, index: usize) -> bool {
        let name = &self.tracks[index].name;
        let uid = self.api.sources.get(name).and_then(|source| source.metadata.uid.as_ref());
        self.api.secret(APPS, &format!("{name}-refresh-token")).is_some_and(|keeper| keeper.made_for.as_ref() != uid)
    }

    /// The access token in the target Secret.
    pub fn held_token(&self, index: usize) -> Option<String> {
        let name = &self.tracks[index].name;
        let uid = self.api.sources.get(name)?.metadata.uid.clone();
        let kept = self.api.secret(APPS, name).filter(|kept| kept.made_for.is_some() && kept.made_for == uid)?;
        let value = kept.secret.data.as_ref()?.get("access_token")?;
        String::from_utf8(value.0.clone()).ok()
    }
}
