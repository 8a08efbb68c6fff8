//! What was wrong, where, and when: by this it is judged who could have had a token.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Whom a fault concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Operator or API server: everything.
    Everything,
    /// The clock of the operator: what it writes of times, not whether tokens are there.
    Clock,
    /// The operator's watches: when it learns of a change. Renewals do not wait for that.
    Watches,
    /// The sources of a token endpoint.
    Door(usize),
    /// The sources of a namespace.
    Namespace(String),
    /// One source, `NAMESPACE/NAME`.
    Source(String),
}

/// Who is judged.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    pub source: &'a str,
    pub door: usize,
}

impl Place<'_> {
    fn namespace(&self) -> &str {
        self.source.split('/').next().unwrap_or_default()
    }
}

/// What is judged, and by which faults it is excused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether there is a token.
    Token,
    /// Whether there is a token after an object was changed.
    Change,
    /// Whether the status tells it.
    Status,
}

#[derive(Clone, Debug)]
struct Impairment {
    scope: Scope,
    what: String,
    from: Instant,
    until: Option<Instant>,
    /// What the operator has after the end.
    recovery: Duration,
}

/// A fault that goes on.
#[derive(Clone, Copy, Debug)]
pub struct Ongoing(usize);

/// All that happened.
pub struct Timeline {
    pub began: Instant,
    impairments: Mutex<Vec<Impairment>>,
    told: Mutex<Vec<(Instant, String)>>,
    kills: Mutex<Vec<Instant>>,
}

impl Timeline {
    pub fn new() -> Self {
        Self { began: Instant::now(), impairments: Mutex::default(), told: Mutex::default(), kills: Mutex::default() }
    }

    /// A fault begins.
    pub fn begin(&self, scope: Scope, what: impl Into<String>) -> Ongoing {
        let what = what.into();
        self.tell(format!("{what} begins"));
        self.begin_at(Instant::now(), scope, what)
    }

    fn begin_at(&self, from: Instant, scope: Scope, what: impl Into<String>) -> Ongoing {
        let mut all = self.impairments.lock().unwrap();
        all.push(Impairment { scope, what: what.into(), from, until: None, recovery: Duration::ZERO });
        Ongoing(all.len() - 1)
    }

    /// A fault ends; within `recovery` its consequences have to be over.
    pub fn end(&self, ongoing: Ongoing, recovery: Duration) {
        let what = self.end_at(Instant::now(), ongoing, recovery);
        self.tell(format!("{what} ends; to be over within {} s", recovery.as_secs()));
    }

    fn end_at(&self, at: Instant, ongoing: Ongoing, recovery: Duration) -> String {
        let mut all = self.impairments.lock().unwrap();
        let ended = &mut all[ongoing.0];
        ended.until = Some(at);
        ended.recovery = recovery;
        ended.what.clone()
    }

    /// What happened in a moment.
    pub fn strike(&self, scope: Scope, what: impl Into<String>, recovery: Duration) {
        let ongoing = self.begin(scope, what);
        self.end(ongoing, recovery);
    }

    /// A process of the operator was killed, or was frozen for too long.
    pub fn killed(&self) {
        self.kills.lock().unwrap().push(Instant::now());
    }

    pub fn kills(&self) -> Vec<Instant> {
        self.kills.lock().unwrap().clone()
    }

    pub fn tell(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push((Instant::now(), what.into()));
    }

    /// How long a fault's consequences still may last.
    pub fn left(&self, ongoing: Ongoing) -> Duration {
        let all = self.impairments.lock().unwrap();
        let impairment = &all[ongoing.0];
        impairment.until.map_or(Duration::MAX, |until| (until + impairment.recovery).saturating_duration_since(Instant::now()))
    }

    /// The longest time between two moments in which nothing was wrong, and nothing had just been, for this source.
    pub fn free(&self, place: &Place<'_>, question: Question, from: Instant, to: Instant) -> Duration {
        let mut spans: Vec<(Instant, Instant)> = self
            .impairments
            .lock()
            .unwrap()
            .iter()
            .filter(|impairment| impairment.scope.concerns(place, question))
            .map(|impairment| (impairment.from, impairment.until.map_or(to, |until| until + impairment.recovery)))
            .filter(|(begin, end)| *end > from && *begin < to)
            .collect();
        spans.sort_unstable();
        let (mut longest, mut free_since) = (Duration::ZERO, from);
        for (begin, end) in spans {
            longest = longest.max(begin.saturating_duration_since(free_since));
            free_since = free_since.max(end);
        }
        longest.max(to.saturating_duration_since(free_since))
    }

    /// Whether operator or API server were troubled, or just had been, within a time.
    pub fn is_everything_troubled(&self, from: Instant, to: Instant) -> bool {
        let all = self.impairments.lock().unwrap();
        let troubling = all.iter().filter(|impairment| matches!(impairment.scope, Scope::Everything));
        troubling
            .map(|impairment| (impairment.from, impairment.until.map_or(to, |until| until + impairment.recovery)))
            .any(|(begin, end)| begin <= to && end >= from)
    }

    /// Whether a door is troubled, or just was.
    pub fn is_door_troubled(&self, door: usize, at: Instant) -> bool {
        let all = self.impairments.lock().unwrap();
        let mut of_door = all.iter().filter(|impairment| impairment.scope == Scope::Door(door));
        of_door.any(|impairment| impairment.until.is_none_or(|until| at <= until + impairment.recovery))
    }

    /// Whether the operator's clock was wrong at a moment.
    pub fn is_clock_wrong(&self, at: Instant) -> bool {
        let all = self.impairments.lock().unwrap();
        all.iter().any(|impairment| {
            impairment.scope == Scope::Clock
                && impairment.from <= at
                && impairment.until.is_none_or(|until| at <= until + impairment.recovery)
        })
    }

    /// Whether the operator's clock was wrong at a moment, or had been up to so long before.
    pub fn was_clock_wrong(&self, at: Instant, before: Duration) -> bool {
        let all = self.impairments.lock().unwrap();
        let mut of_clocks = all.iter().filter(|impairment| impairment.scope == Scope::Clock);
        of_clocks.any(|impairment| impairment.from <= at && impairment.until.is_none_or(|until| at <= until + before))
    }

    /// The last events, one a line.
    pub fn last(&self, count: usize) -> String {
        let told = self.told.lock().unwrap();
        let mut text = String::new();
        for (at, what) in &told[told.len().saturating_sub(count)..] {
            _ = writeln!(text, "    {:7.1} s  {what}", at.duration_since(self.began).as_secs_f64());
        }
        text
    }
}

impl Scope {
    fn concerns(&self, place: &Place<'_>, question: Question) -> bool {
        match self {
            Self::Everything => true,
            Self::Clock => question == Question::Status,
            Self::Watches => question == Question::Change,
            Self::Door(door) => question != Question::Status && *door == place.door,
            Self::Namespace(namespace) => namespace == place.namespace(),
            Self::Source(source) => source == place.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { source: "a/one", door: 0 };

    #[test]
    fn a_fault_excuses_until_its_recovery_is_over_and_only_whom_it_concerns() {
        let timeline = Timeline::new();
        let after = |seconds| timeline.began + Duration::from_secs(seconds);
        let free = |question, from, to| timeline.free(&PLACE, question, after(from), after(to)).as_secs();
        let trouble = timeline.begin_at(after(10), Scope::Door(0), "trouble");
        timeline.begin_at(after(10), Scope::Door(1), "elsewhere");
        assert_eq!(free(Question::Token, 0, 15), 10);
        timeline.end_at(after(15), trouble, Duration::from_secs(20));
        assert_eq!(free(Question::Token, 12, 30), 0);
        assert_eq!(free(Question::Token, 12, 38), 3);
        assert_eq!(free(Question::Status, 12, 38), 26);
        assert_eq!(free(Question::Token, 0, 38), 10);
        timeline.begin_at(after(15), Scope::Clock, "clock");
        assert_eq!((free(Question::Token, 14, 38), free(Question::Status, 14, 38)), (3, 1));
    }
}
