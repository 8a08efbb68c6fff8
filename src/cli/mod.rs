//! The command line: one file a command.

mod crd;
mod import;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Keeps OAuth access tokens fresh in Kubernetes Secrets, and says exactly why when it can't.
#[derive(Debug, Parser)]
#[command(name = "tokensource", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator against the current kubeconfig, or the cluster it runs in.
    Run(run::RunArgs),
    /// Turn what other tools export into a `TokenSource` and a Secret.
    Import(import::ImportArgs),
    /// Print the CRD.
    Crd,
}

/// Runs a command. The exit code is the process's.
pub async fn main(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Run(args) => run::run(args).await,
        Command::Import(args) => import::import(args),
        Command::Crd => crd::crd(),
    }
}
