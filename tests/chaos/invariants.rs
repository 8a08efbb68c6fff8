//! Judges the invariants. Each is judged at every look, by the authorization server's records and the objects as they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokensource::clock;
use tokio::time::Instant;

use crate::authorization_server::{Issued, Verdict};
use crate::bounds;
use crate::held_back::is_held_back;
use crate::observer::{SeenSource, Snapshot};
use crate::promises::{Figures, Invariant, Violation};
use crate::sources::{Expected, Kind, Source};
use crate::stage::Stage;
use crate::timeline::{Place, Question};

/// Judges look after look.
pub struct Judge {
    pub figures: Figures,
    /// Whether there is a token, and since when that is so.
    truths: HashMap<String, (bool, Instant)>,
    foreign: BTreeMap<String, String>,
    judged_records: usize,
    refusals: HashMap<String, Vec<Instant>>,
    /// Sources whose refresh token was lost, until they have a token again.
    lost: BTreeSet<String>,
    /// Healthy sources whose token should have been renewed by now: faults wait for them.
    pub overdue: BTreeSet<String>,
}

/// When a token of such a life is renewed at the latest: a third before its end, with times in whole seconds.
fn due(token: &Issued) -> Instant {
    let wait = (token.life * 67 / 100).max(bounds::FLOOR);
    token.at + wait
}

impl Judge {
    /// `foreign`: the versions of the Secrets that nobody may touch.
    pub fn new(foreign: BTreeMap<String, String>) -> Self {
        Self {
            figures: Figures::default(),
            truths: HashMap::new(),
            foreign,
            judged_records: 0,
            refusals: HashMap::new(),
            lost: BTreeSet::new(),
            overdue: BTreeSet::new(),
        }
    }

    fn checked(&mut self, invariant: Invariant) {
        *self.figures.checks.entry(invariant).or_default() += 1;
    }

    /// Judges all that is seen at one time.
    pub fn judge(&mut self, stage: &Stage, snapshot: &Snapshot) -> Result<(), Violation> {
        self.overdue.clear();
        self.checked(Invariant::NoSecretInAnyOutput);
        if let Some(leak) = snapshot.leaks.first() {
            return Err(violation(Invariant::NoSecretInAnyOutput, "all", leak.clone()));
        }
        let sources: Vec<Source> = stage.sources.read().unwrap().values().cloned().collect();
        for source in &sources {
            // Who was made or disturbed during the look may be seen half.
            if source.needed.is_some_and(|needed| needed < snapshot.from) {
                self.judge_source(stage, snapshot, source)?;
            }
        }
        self.judge_foreign(snapshot)?;
        self.judge_records(stage)?;
        self.checked(Invariant::OneLeaderWrites);
        if let Some(trespass) = stage.ways.trespasses().first() {
            let facts = format!("process {} wrote {} while process {} held the Lease", trespass.process, trespass.what, trespass.holder);
            return Err(violation(Invariant::OneLeaderWrites, "all", facts));
        }
        Ok(())
    }

    fn judge_source(&mut self, stage: &Stage, snapshot: &Snapshot, source: &Source) -> Result<(), Violation> {
        let (key, now) = (source.key(), snapshot.from);
        let place = Place { source: &key, door: source.door };
        let seen = snapshot.sources.get(&key).cloned().unwrap_or_default();
        let target =
            if source.kind == Kind::ForeignTarget { None } else { snapshot.secrets.get(&key).and_then(|secret| secret.token.clone()) };
        self.checked(Invariant::TokenOfItsOwnSource);
        if let Some(other) = target.as_ref().filter(|token| token.source != source.header) {
            return Err(violation(Invariant::TokenOfItsOwnSource, &key, format!("it holds a token of {}", other.source)));
        }
        // Of what expires during the look nothing can be said.
        if target.as_ref().is_some_and(|token| token.expires > snapshot.from && token.expires <= snapshot.to) {
            return Ok(());
        }
        let is_valid = target.as_ref().is_some_and(|token| token.expires > now);
        let truth = self.truths.entry(key.clone()).or_insert((is_valid, now));
        if truth.0 != is_valid {
            *truth = (is_valid, now);
        }
        let since = truth.1;
        if source.expected() == Expected::Token {
            if !is_valid && is_held_back(stage, snapshot, source, &seen) {
                self.figures.held_back.insert(key.clone());
                self.figures.excused += 1;
            } else {
                self.figures.held_back.remove(&key);
                self.judge_token(stage, &place, source, target.as_ref(), now, &seen)?;
            }
        }
        self.judge_status(stage, &place, source, (is_valid, since), target.as_ref(), &seen, now)
    }

    fn judge_token(
        &mut self,
        stage: &Stage,
        place: &Place<'_>,
        source: &Source,
        token: Option<&Issued>,
        now: Instant,
        seen: &SeenSource,
    ) -> Result<(), Violation> {
        self.checked(Invariant::TokenWhereThereCouldBeOne);
        let needed = source.needed.unwrap();
        let by_life = token.map(due).filter(|due| *due > needed);
        let (since, question) = by_life.map_or((needed, Question::Change), |due| (due, Question::Token));
        let is_valid = token.is_some_and(|token| token.expires > now);
        let allowed = if source.kind == Kind::Chained { bounds::CHAINED } else { bounds::ATTEMPT };
        let free = |question, from: Instant| if from < now { stage.timeline.free(place, question, from, now) } else { Duration::ZERO };
        let is_due = if token.is_some() { by_life.is_some_and(|due| due < now) } else { true };
        if is_due {
            let idle = free(question, since);
            self.figures.latest_renewal = self.figures.latest_renewal.max(idle);
            if now > since + bounds::ATTEMPT && !stage.timeline.is_door_troubled(source.door, now) {
                self.overdue.insert(place.source.to_owned());
            }
        }
        if is_valid {
            return Ok(());
        }
        let (idle, gap) = (free(question, since), free(question, token.map_or(needed, |token| token.expires).max(since)));
        self.figures.longest_gap = self.figures.longest_gap.max(gap);
        if idle <= allowed {
            self.figures.excused += u64::from(idle < now.saturating_duration_since(since));
            return Ok(());
        }
        let expired = token.map_or("never had one since it was needed".to_owned(), |token| {
            format!(
                "the one it holds expired {:.1} s ago and was due {:.1} s ago",
                (now - token.expires).as_secs_f64(),
                (now - since).as_secs_f64()
            )
        });
        let facts = format!(
            "{expired}; nothing was wrong for {:.1} s of the time since, and {} s are allowed; its status: {}",
            idle.as_secs_f64(),
            allowed.as_secs(),
            seen.conditions
        );
        Err(violation(Invariant::TokenWhereThereCouldBeOne, place.source, facts))
    }

    #[expect(clippy::too_many_arguments, reason = "one look at one source")]
    fn judge_status(
        &mut self,
        stage: &Stage,
        place: &Place<'_>,
        source: &Source,
        (is_valid, since): (bool, Instant),
        token: Option<&Issued>,
        seen: &SeenSource,
        now: Instant,
    ) -> Result<(), Violation> {
        self.checked(Invariant::StatusIsTrue);
        let since = since.max(source.needed.unwrap());
        let wrong = |from: Instant, question| if from < now { stage.timeline.free(place, question, from, now) } else { Duration::ZERO };
        let mut untrue = Vec::new();
        if seen.ready.unwrap_or(false) != is_valid {
            untrue.push((
                wrong(since, Question::Status),
                format!("Ready is {:?}, and that there is a valid token is {is_valid}", seen.ready),
            ));
        }
        if let Expected::Refusal(reason) = source.expected()
            && (seen.refreshed != Some(false) || seen.reason != reason)
        {
            // Troubles of the endpoint give reasons of their own.
            let idle = wrong(since, Question::Change).min(wrong(since, Question::Status));
            untrue.push((idle, format!("Refreshed is {:?} by {}, and should be False by {reason}", seen.refreshed, seen.reason)));
        }
        if let (Some(token), true) = (token, is_valid)
            && !stage.timeline.is_clock_wrong(token.at)
        {
            let told = seen.expiration.map(|time| instant(time).map_or(Duration::MAX, |told| distance(told, token.expires)));
            if told.is_none_or(|off| off > Duration::from_secs(3)) {
                untrue.push((wrong(token.at.max(since), Question::Status), format!("expirationTime is {told:?} off")));
            }
        }
        for (idle, what) in untrue {
            if idle > self.figures.worst_status {
                (self.figures.worst_status, self.figures.worst_status_of) = (idle, format!("{}: {what}", place.source));
            }
            if idle > bounds::STATUS {
                let facts = format!("{what}; for {:.1} s in which nothing was wrong; status: {}", idle.as_secs_f64(), seen.conditions);
                return Err(violation(Invariant::StatusIsTrue, place.source, facts));
            }
        }
        Ok(())
    }

    fn judge_foreign(&mut self, snapshot: &Snapshot) -> Result<(), Violation> {
        for (key, version) in &self.foreign {
            *self.figures.checks.entry(Invariant::ForeignSecretUntouched).or_default() += 1;
            let found = snapshot.secrets.get(key);
            if found.is_none_or(|secret| secret.version != *version) {
                let facts = format!("it is there: {}; written by {:?}", found.is_some(), found.map(|secret| secret.managers.clone()));
                return Err(violation(Invariant::ForeignSecretUntouched, key, facts));
            }
        }
        let credentials = snapshot.secrets.iter().filter(|(key, _)| key.ends_with("-credentials"));
        for (key, secret) in credentials {
            *self.figures.checks.entry(Invariant::ForeignSecretUntouched).or_default() += 1;
            if secret.managers.iter().any(|manager| manager.starts_with("tokensource")) {
                return Err(violation(Invariant::ForeignSecretUntouched, key, format!("written by {:?}", secret.managers)));
            }
        }
        Ok(())
    }

    fn judge_records(&mut self, stage: &Stage) -> Result<(), Violation> {
        let records = stage.server.records_from(self.judged_records);
        self.judged_records += records.len();
        for record in records {
            self.checked(Invariant::RefusedCredentialsSentTwiceAtMost);
            let is_refusal = matches!(record.verdict, Verdict::ClientRefused | Verdict::UserRefused);
            if is_refusal && record.answered {
                let times = self.refusals.entry(record.credentials.clone()).or_default();
                times.retain(|time| record.at - *time < bounds::WINDOW);
                times.push(record.at);
                self.figures.most_refusals = self.figures.most_refusals.max(times.len());
                if times.len() > bounds::REFUSALS {
                    let when =
                        times.iter().map(|time| format!("{:.1} s", (*time - stage.timeline.began).as_secs_f64())).collect::<Vec<_>>();
                    let facts = format!("{:?} {} times: at {}", record.verdict, times.len(), when.join(", "));
                    return Err(violation(Invariant::RefusedCredentialsSentTwiceAtMost, &record.source, facts));
                }
            }
            // After a loss the grant itself may present what the user gave at first, which is spent too.
            if record.verdict == Verdict::Issued {
                self.lost.remove(&record.source);
            }
            if let Some((rotated, delivered)) = record.reused.filter(|_| self.lost.insert(record.source.clone())) {
                self.checked(Invariant::RotationIsNotLost);
                self.figures.rotations_lost += 1;
                let is_soon = |kill: &Instant| *kill >= rotated && *kill <= rotated + bounds::ANSWER_TO_WRITE;
                let is_between = |kill: &Instant| *kill >= rotated && *kill <= record.at;
                let kills = stage.timeline.kills();
                let unwritable = stage.timeline.is_everything_troubled(rotated, rotated) && kills.iter().any(is_between);
                if delivered && !kills.iter().any(is_soon) && !unwritable {
                    let facts = format!(
                        "rotated at {:.1} s, presented again at {:.1} s, and nobody was killed over it",
                        (rotated - stage.timeline.began).as_secs_f64(),
                        (record.at - stage.timeline.began).as_secs_f64()
                    );
                    return Err(violation(Invariant::RotationIsNotLost, &record.source, facts));
                }
            }
        }
        Ok(())
    }
}

fn violation(invariant: Invariant, concerns: &str, facts: String) -> Violation {
    Violation { invariant, concerns: concerns.to_owned(), facts }
}

/// When that was or will be, on the clock that nobody sets.
fn instant(time: Timestamp) -> Option<Instant> {
    let (now, wall) = (Instant::now(), clock::precise());
    let off = time.duration_since(wall);
    if off.is_negative() { now.checked_sub(off.unsigned_abs()) } else { now.checked_add(off.unsigned_abs()) }
}

fn distance(one: Instant, other: Instant) -> Duration {
    one.saturating_duration_since(other).max(other.saturating_duration_since(one))
}
