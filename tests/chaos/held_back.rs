//! Credentials that the ledger holds back though nobody refused them: when that can't be helped.

use tokio::time::Instant;

use crate::authorization_server::Issued;
use crate::bounds;
use crate::observer::{SeenSource, Snapshot};
use crate::sources::Source;
use crate::stage::Stage;

/// Whether credentials are held back, and for the one reason that excuses it: two requests with them were under way when a
/// process died, or one was and a renewal was due at another death, of which nobody can know whether it was sent. No token has come
/// since, and a third might be refused once too often (ADR 0006).
pub fn is_held_back(stage: &Stage, snapshot: &Snapshot, source: &Source, seen: &SeenSource) -> bool {
    let sources = stage.sources.read().unwrap();
    let others = sources.values().filter(|other| other.client == source.client);
    let tokens: Vec<&Issued> = others.filter_map(|other| snapshot.secrets.get(&other.key())?.token.as_ref()).collect();
    let since = tokens.iter().map(|token| token.at).max().unwrap_or(stage.timeline.began);
    let kills = stage.timeline.kills();
    // By a clock that is, or just was, wrong another time is due.
    let is_mistimed = |time: Instant| stage.timeline.was_clock_wrong(time, bounds::LEASE_STANDS_STILL);
    let is_due = |token: &&Issued, kill: Instant| due_at_the_earliest(token) <= kill + bounds::LED_UNSEEN || is_mistimed(token.at);
    let was_due = |kill: Instant| is_mistimed(kill) || tokens.iter().any(|token| is_due(token, kill));
    let unknown = || kills.iter().any(|kill| *kill >= since && stage.visits.lost(&source.client, since, &[*kill]) == 0 && was_due(*kill));
    let lost = || stage.visits.lost(&source.client, since, &kills) + usize::from(unknown());
    seen.reason == "CredentialsRejected" && lost() >= bounds::REFUSALS
}

/// When a token of such a life is renewed at the earliest: up to a tenth of the wait before that.
fn due_at_the_earliest(token: &Issued) -> Instant {
    token.at + (token.life * 60 / 100).max(bounds::FLOOR)
}
