//! `testenv endpoint`

use std::process::ExitCode;

use clap::Args;
use testenv::{Error, Progress, ScriptedEndpoint};

use super::signals::Interruption;

/// Arguments of `testenv endpoint`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Loopback port to listen on; 0 for a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Serves until interrupted.
pub(crate) async fn serve(arguments: &Arguments, progress: &Progress) -> Result<ExitCode, Error> {
    let mut interruption = Interruption::listen()?;
    let endpoint = ScriptedEndpoint::start_on(arguments.port).await?;
    for (name, meaning) in endpoint.script_presets() {
        progress.say("endpoint", &format!("{:45} {meaning}", endpoint.url(name)));
    }
    interruption.arrives().await;
    Ok(ExitCode::SUCCESS)
}
