//! `testenv run`

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;
use testenv::{Error, GuardedCommand, Progress, RunningWorld, Scratch};

use super::Selection;
use super::signals::Interruption;

/// Arguments of `testenv run`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// What to run in the world, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Starts the world, runs the command in it, ends the world.
pub(crate) async fn run(arguments: Arguments, progress: &Progress) -> Result<ExitCode, Error> {
    let mut interruption = Interruption::listen()?;
    let scratch = Scratch::create()?;
    if scratch.is_kept() {
        progress.say("world", &format!("TESTENV_KEEP=1: logs stay in {}", scratch.path().display()));
    }
    let world = tokio::select! {
        started = RunningWorld::start(arguments.selection.components(), &scratch, progress) => started.inspect_err(|error| scratch.keep_for(error))?,
        code = interruption.arrives() => return Ok(code),
    };
    progress.say("world", &format!("running {}", display(&arguments.command)));
    let code = run_in(&world, &scratch, arguments.command, &mut interruption).await;
    progress.say("world", "ending …");
    world.end(&scratch).await;
    drop(scratch);
    progress.say("world", "ended");
    code
}

async fn run_in(world: &RunningWorld, scratch: &Scratch, words: Vec<OsString>, interruption: &mut Interruption) -> Result<ExitCode, Error> {
    let mut command = GuardedCommand::spawn(world, scratch, words)?;
    tokio::select! {
        code = command.exit_code() => Ok(code),
        code = interruption.arrives() => {
            command.end().await;
            Ok(code)
        }
    }
}

fn display(words: &[OsString]) -> String {
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
