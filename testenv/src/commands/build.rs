//! `testenv build`

use std::process::ExitCode;

use clap::Args;
use testenv::{Error, Progress, Scratch, obtain};

use super::Selection;
use super::signals::Interruption;

/// Arguments of `testenv build`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
}

/// Fills the cache.
pub(crate) async fn build(arguments: &Arguments, progress: &Progress) -> Result<ExitCode, Error> {
    let mut interruption = Interruption::listen()?;
    let scratch = Scratch::create()?;
    tokio::select! {
        obtained = obtain(arguments.selection.components(), &scratch, progress) => obtained.inspect_err(|error| scratch.keep_for(error))?,
        code = interruption.arrives() => return Ok(code),
    }
    progress.say("build", "everything is in the cache");
    Ok(ExitCode::SUCCESS)
}
