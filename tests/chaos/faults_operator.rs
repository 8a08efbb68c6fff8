//! Faults of the operator's processes, and of the way to the API server.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use testenv::ControlPlaneServer;
use tokio::time::{Instant, sleep, timeout};

use crate::authorization_server::Verdict;
use crate::bounds;
use crate::faults::Run;
use crate::random::Random;
use crate::sources::Kind;
use crate::timeline::{Ongoing, Scope};
use crate::way::{Moment, Spoiling};

/// A fault of operator or API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorFault {
    KillAtRandom,
    KillAtAnswer,
    KillAtRefusal,
    KillBeforeRefreshToken,
    KillAfterRefreshToken,
    KillBeforeSecret,
    KillAfterSecret,
    KillBoth,
    FreezeLeader,
    ClockAhead,
    ClockBehind,
    ApiServerRestart,
    EtcdRestart,
    WatchesDropped,
    Conflicts,
    TooManyRequests,
    LostAnswers,
}

impl OperatorFault {
    /// Those that end a process of the operator, or may: kills, the freeze, and the servers that the leader can't do without.
    pub fn crashes(is_short: bool) -> Vec<Self> {
        if is_short {
            return vec![Self::KillAtRefusal, Self::KillAfterSecret];
        }
        vec![
            Self::KillAtRandom,
            Self::KillAtAnswer,
            Self::KillAtRefusal,
            Self::KillBeforeRefreshToken,
            Self::KillAfterRefreshToken,
            Self::KillBeforeSecret,
            Self::KillAfterSecret,
            Self::KillBoth,
            Self::FreezeLeader,
            Self::ApiServerRestart,
            Self::EtcdRestart,
        ]
    }

    /// Those of the way to the API server and of the clock.
    pub fn hindrances(is_short: bool) -> Vec<Self> {
        if is_short {
            return vec![Self::ClockAhead, Self::WatchesDropped, Self::Conflicts];
        }
        vec![Self::ClockAhead, Self::ClockBehind, Self::WatchesDropped, Self::Conflicts, Self::TooManyRequests, Self::LostAnswers]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::KillAtRandom => "leader killed at random",
            Self::KillAtAnswer => "leader killed at an answer",
            Self::KillAtRefusal => "leader killed at a refusal of new credentials",
            Self::KillBeforeRefreshToken => "leader killed before the refresh token's write",
            Self::KillAfterRefreshToken => "leader killed between refresh token and token",
            Self::KillBeforeSecret => "leader killed between answer and Secret",
            Self::KillAfterSecret => "leader killed between Secret and status",
            Self::KillBoth => "both replicas killed",
            Self::FreezeLeader => "leader frozen and woken",
            Self::ClockAhead => "clock 10 minutes ahead and back",
            Self::ClockBehind => "clock 10 minutes behind and back",
            Self::ApiServerRestart => "kube-apiserver killed and started",
            Self::EtcdRestart => "etcd killed and started",
            Self::WatchesDropped => "watches dropped",
            Self::Conflicts => "409 from the API server",
            Self::TooManyRequests => "429 from the API server",
            Self::LostAnswers => "answers of the API server lost",
        }
    }

    /// About how long it takes until the next may come.
    pub fn takes(self) -> Duration {
        Duration::from_secs(match self {
            Self::ClockAhead | Self::ClockBehind => 28,
            Self::FreezeLeader => 36,
            Self::ApiServerRestart | Self::EtcdRestart => 38,
            Self::WatchesDropped => 5,
            Self::Conflicts | Self::TooManyRequests | Self::LostAnswers => 26,
            Self::KillAtRandom
            | Self::KillAtAnswer
            | Self::KillAtRefusal
            | Self::KillBeforeRefreshToken
            | Self::KillAfterRefreshToken
            | Self::KillBeforeSecret
            | Self::KillAfterSecret
            | Self::KillBoth => 30,
        })
    }

    /// Makes it, and waits until its consequences have to be over.
    pub async fn make(self, run: &Arc<Run>, random: &mut Random) {
        let over = match self {
            Self::KillAtRandom => {
                sleep(Duration::from_millis(random.between(0, 4000))).await;
                self.kill_leader(run).await
            }
            Self::KillAtAnswer => self.kill_at_answer(run, random).await,
            Self::KillAtRefusal => self.kill_at_refusal(run, random).await,
            Self::KillBeforeRefreshToken => self.kill_at(run, random, Moment::BeforeRefreshToken).await,
            Self::KillAfterRefreshToken => self.kill_at(run, random, Moment::AfterRefreshToken).await,
            Self::KillBeforeSecret => self.kill_at(run, random, Moment::BeforeSecret).await,
            Self::KillAfterSecret => self.kill_at(run, random, Moment::AfterSecret).await,
            Self::KillBoth => self.kill_both(run).await,
            Self::FreezeLeader => self.freeze(run, random).await,
            Self::ClockAhead => self.set_clock(run, random, 600).await,
            Self::ClockBehind => self.set_clock(run, random, -600).await,
            Self::ApiServerRestart => self.restart(run, random, ControlPlaneServer::Apiserver).await,
            Self::EtcdRestart => self.restart(run, random, ControlPlaneServer::Etcd).await,
            Self::WatchesDropped => self.drop_watches(run).await,
            Self::Conflicts => self.spoil(run, random, Spoiling { conflicts: 50, ..Spoiling::default() }).await,
            Self::TooManyRequests => self.spoil(run, random, Spoiling { too_many: 40, ..Spoiling::default() }).await,
            Self::LostAnswers => self.spoil(run, random, Spoiling { lost_answers: 40, ..Spoiling::default() }).await,
        };
        if let Some(ongoing) = over {
            run.until_over(ongoing).await;
        }
    }

    /// What a new leader needs.
    fn dies(self, run: &Run) -> Ongoing {
        run.stage.timeline.killed();
        run.stage.timeline.begin(Scope::Everything, self.name())
    }

    fn taken_over(self, run: &Run, ongoing: Ongoing) -> Ongoing {
        run.stage.timeline.end(ongoing, bounds::TAKE_OVER + bounds::AFTER_TAKE_OVER);
        run.stage.strikes(self.name());
        ongoing
    }

    async fn kill_leader(self, run: &Run) -> Option<Ongoing> {
        let leader = run.operators.leader().await?;
        let ongoing = self.dies(run);
        run.operators.kill(leader).await;
        Some(self.taken_over(run, ongoing))
    }

    async fn kill_at_answer(self, run: &Run, random: &mut Random) -> Option<Ongoing> {
        let mut answers = run.stage.server.watch();
        run.hurry(random, &[Kind::Own, Kind::RotatingUser], 1).await;
        let issued = async { while answers.recv().await.is_ok_and(|answer| answer.verdict != Verdict::Issued) {} };
        timeout(Duration::from_secs(20), issued).await.ok()?;
        self.kill_leader(run).await
    }

    /// Somebody gives wrong credentials to four sources, and the leader dies when they are refused: nobody reads the answer.
    async fn kill_at_refusal(self, run: &Run, random: &mut Random) -> Option<Ongoing> {
        let mut sources = run.stage.of(&[Kind::WrongSecret]);
        let door = random.pick(&sources).door;
        sources.retain(|source| source.door == door);
        let mut answers = run.stage.server.watch();
        let secret = run.stage.mark.secret();
        for source in &sources {
            run.stage.give_secret(source, &secret).await;
        }
        let refused = async { while answers.recv().await.is_ok_and(|answer| answer.verdict != Verdict::ClientRefused) {} };
        timeout(Duration::from_secs(20), refused).await.ok()?;
        self.kill_leader(run).await
    }

    async fn kill_at(self, run: &Run, random: &mut Random, moment: Moment) -> Option<Ongoing> {
        let caught = run.stage.ways.trap(moment);
        let kinds: &[Kind] = match moment {
            Moment::BeforeRefreshToken | Moment::AfterRefreshToken => &[Kind::RotatingUser, Kind::RefreshToken],
            Moment::BeforeSecret | Moment::AfterSecret => &[Kind::Own],
        };
        run.hurry(random, kinds, 1).await;
        let Ok(Ok(stopped)) = timeout(Duration::from_secs(25), caught).await else {
            run.stage.ways.remove_trap();
            return None;
        };
        run.stage.timeline.tell(format!("process {} is stopped at {}", stopped.process, stopped.object));
        let ongoing = self.dies(run);
        run.operators.kill_process(stopped.process).await;
        Some(self.taken_over(run, ongoing))
    }

    async fn kill_both(self, run: &Run) -> Option<Ongoing> {
        let ongoing = self.dies(run);
        run.operators.kill(0).await;
        run.operators.kill(1).await;
        run.stage.timeline.end(ongoing, bounds::API_SERVER + bounds::AFTER_TAKE_OVER);
        run.stage.strikes(self.name());
        Some(ongoing)
    }

    /// Frozen for longer than the Lease lasts; when it is woken, another leads, and it has to end by itself.
    async fn freeze(self, run: &Run, random: &mut Random) -> Option<Ongoing> {
        let leader = run.operators.leader().await?;
        let ongoing = self.dies(run);
        let frozen = run.operators.signal(leader, "STOP").await?;
        run.stage.timeline.end(ongoing, bounds::TAKE_OVER + bounds::AFTER_TAKE_OVER);
        sleep(bounds::TAKE_OVER + Duration::from_secs(random.between(1, 6))).await;
        let other = run.stage.ways.holder();
        run.operators.signal(leader, "CONT").await;
        run.stage.timeline.tell(format!("process {frozen} is woken, process {other:?} holds the Lease"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while run.operators.is_running(frozen).await && Instant::now() < deadline {
            sleep(Duration::from_millis(100)).await;
        }
        assert!(!run.operators.is_running(frozen).await, "a leader that was woken goes on\n{}", run.settings.replay());
        if other != Some(frozen) {
            run.stage.strikes(self.name());
        }
        Some(ongoing)
    }

    async fn set_clock(self, run: &Run, random: &mut Random, offset: i64) -> Option<Ongoing> {
        let leader = run.operators.leader().await?;
        let both = random.percent(50);
        let slots: Vec<usize> = (0..2).filter(|slot| both || *slot == leader).collect();
        let ongoing = run.stage.timeline.begin(Scope::Clock, format!("{} ({} replicas)", self.name(), slots.len()));
        run.operators.set_clocks(&slots, offset);
        let (began, lasts) = (Instant::now(), Duration::from_secs(random.between(20, 24)));
        run.hurry(random, &[Kind::Own], 1).await;
        let mut is_seen = false;
        while began.elapsed() < lasts {
            sleep(Duration::from_secs(1)).await;
            is_seen |= run.sees_wrong_times(offset);
        }
        run.operators.set_clocks(&slots, 0);
        run.stage.timeline.end(ongoing, bounds::ATTEMPT);
        if is_seen {
            run.stage.strikes(self.name());
        }
        Some(ongoing)
    }

    async fn restart(self, run: &Run, random: &mut Random, server: ControlPlaneServer) -> Option<Ongoing> {
        let mut world = run.stage.world.lock().await;
        let control_plane = world.control_plane().unwrap();
        // What is answered and can't be written is kept by a process that lives; one that ends for want of its Lease is not.
        let ongoing = run.stage.timeline.begin(Scope::Everything, self.name());
        let watches = run.stage.timeline.begin(Scope::Watches, "watches after that");
        control_plane.kill(server);
        sleep(Duration::from_millis(random.between(500, 6000))).await;
        control_plane.start_again(server, &run.stage.scratch).await.unwrap();
        run.stage.timeline.end(ongoing, bounds::API_SERVER + bounds::AFTER_TAKE_OVER);
        run.stage.timeline.end(watches, bounds::WATCH);
        run.stage.strikes(self.name());
        Some(ongoing)
    }

    async fn drop_watches(self, run: &Run) -> Option<Ongoing> {
        let before = run.stage.ways.watches_dropped.load(Ordering::SeqCst);
        run.stage.timeline.strike(Scope::Watches, self.name(), bounds::WATCH);
        run.stage.ways.drop_watches();
        sleep(Duration::from_secs(2)).await;
        if run.stage.ways.watches_dropped.load(Ordering::SeqCst) > before {
            run.stage.strikes(self.name());
        }
        None
    }

    async fn spoil(self, run: &Run, random: &mut Random, spoiling: Spoiling) -> Option<Ongoing> {
        let ways = &run.stage.ways;
        let counts = || [&ways.conflicts, &ways.too_many, &ways.lost_answers].map(|count| count.load(Ordering::SeqCst)).iter().sum::<u64>();
        let before = counts();
        let ongoing = run.stage.timeline.begin(Scope::Everything, self.name());
        let watches = run.stage.timeline.begin(Scope::Watches, "watches after that");
        ways.spoil(spoiling);
        sleep(Duration::from_secs(random.between(8, 14))).await;
        ways.spoil(Spoiling::default());
        run.stage.timeline.end(ongoing, bounds::API_RETRY + bounds::ATTEMPT);
        run.stage.timeline.end(watches, bounds::WATCH);
        if counts() > before {
            run.stage.strikes(self.name());
        }
        Some(ongoing)
    }
}
