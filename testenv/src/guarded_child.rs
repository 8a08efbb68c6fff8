//! A child that does not outlive testenv, and how it is ended.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process, test_kill_process_group};
use tokio::process::Child;

use crate::guardian::Guardian;

/// How long a child may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How long the kernel may take to end what was killed.
const DYING: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// What a signal goes to. Always one that we started, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A process group, by its leader.
    Group(Pid),
    /// One process.
    Process(Pid),
}

impl Target {
    /// The argument of `kill`.
    pub(crate) fn argument(self) -> String {
        match self {
            Self::Group(leader) => format!("-{}", leader.as_raw_nonzero()),
            Self::Process(process) => process.as_raw_nonzero().to_string(),
        }
    }

    /// It may be gone by now, which is what is wanted.
    fn signal(self, signal: Signal) {
        let _ = match self {
            Self::Group(leader) => kill_process_group(leader, signal),
            Self::Process(process) => kill_process(process, signal),
        };
    }

    /// True for zombies too, such as orphans in a container whose first process does not reap them.
    fn exists(self) -> bool {
        match self {
            Self::Group(leader) => test_kill_process_group(leader).is_ok(),
            Self::Process(process) => test_kill_process(process).is_ok(),
        }
    }
}

/// A child; killed when dropped, with its process group if it has one of its own.
#[derive(Debug)]
pub(crate) struct GuardedChild {
    child: Child,
    target: Target,
    guardian: Arc<Guardian>,
}

impl GuardedChild {
    /// Puts a child under guard; `leads_group` if it was started in a process group of its own.
    pub(crate) fn new(child: Child, leads_group: bool, guardian: &Arc<Guardian>) -> io::Result<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        let target = if leads_group { Target::Group(id) } else { Target::Process(id) };
        guardian.guard(target);
        Ok(Self { child, target, guardian: Arc::clone(guardian) })
    }

    /// The child itself, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until it ends by itself.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// True if the child itself has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Ends it: TERM, and KILL if something of it is left after 5 s.
    pub(crate) async fn end(mut self) {
        self.target.signal(Signal::TERM);
        let begun = Instant::now();
        while !self.is_gone() && begun.elapsed() < GRACE {
            tokio::time::sleep(PAUSE).await;
        }
        // What is left is killed by Drop.
    }

    /// Reaps the child first: a group with a zombie in it still exists.
    fn is_gone(&mut self) -> bool {
        self.has_ended() && !self.target.exists()
    }
}

impl Drop for GuardedChild {
    fn drop(&mut self) {
        if !self.is_gone() {
            self.target.signal(Signal::KILL);
            let begun = Instant::now();
            while !self.is_gone() && begun.elapsed() < DYING {
                thread::sleep(PAUSE);
            }
        }
        self.guardian.release(self.target);
    }
}
