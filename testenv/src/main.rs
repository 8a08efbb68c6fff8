//! `testenv`: starts the world around a command, builds it ahead, or serves the scripted endpoint alone.

mod commands;

use std::process::ExitCode;

use clap::Parser;

use commands::Commands;

/// The world that tokensource is tested in.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[tokio::main]
async fn main() -> ExitCode {
    Arguments::parse().command.execute().await
}
