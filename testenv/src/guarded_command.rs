//! The command that runs in the world: the user's, not ours.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use tokio::process::Command;

use crate::error::Error;
use crate::guarded_child::GuardedChild;
use crate::running_world::RunningWorld;
use crate::scratch::Scratch;

/// A command with the user's own stdin, stdout and stderr.
#[derive(Debug)]
pub struct GuardedCommand {
    child: GuardedChild,
}

impl GuardedCommand {
    /// Starts `words`, a program with its arguments, with the world's variables.
    ///
    /// It gets a process group of its own, except where stdin is a terminal: only the group in the foreground may read that,
    /// so there it stays in testenv's, and the terminal sends it Ctrl-C itself.
    pub fn spawn(world: &RunningWorld, scratch: &Scratch, words: Vec<OsString>) -> Result<Self, Error> {
        let mut words = words.into_iter();
        let program = words.next().unwrap_or_default();
        let shares_group = io::stdin().is_terminal();
        let mut command = Command::new(&program);
        command.args(words);
        for variable in RunningWorld::own_variables() {
            command.env_remove(variable);
        }
        command.envs(world.variables());
        if !shares_group {
            command.process_group(0);
        }
        let spawned = command.spawn().and_then(|child| GuardedChild::new(child, !shares_group, scratch.guardian()));
        let child = spawned.map_err(|source| Error::Spawn { program: program.display().to_string(), source })?;
        Ok(Self { child })
    }

    /// Waits for its end; the code that a shell would give, 128 and the signal's number where a signal ended it.
    pub async fn exit_code(&mut self) -> ExitCode {
        self.child.wait().await.map_or(ExitCode::FAILURE, exit_code)
    }

    /// Ends it early: TERM, and KILL if something of it is left after 5 s. Dropping it kills what it has left behind.
    pub async fn end(self) {
        self.child.end().await;
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|number| 128 + number));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
