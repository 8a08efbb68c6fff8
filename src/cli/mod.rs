//! The command line: one file a command.

mod crd;
mod explain;
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
    /// Explain a recorded answer of a token endpoint.
    Explain(explain::ExplainArgs),
    /// Turn what other tools export into a `TokenSource` and a Secret.
    Import(import::ImportArgs),
    /// Print the CRD.
    Crd,
}

/// The form of what a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Says on standard error what is wrong.
#[expect(clippy::print_stderr, reason = "this is where a command says what is wrong with its input")]
fn complain(problem: &str) {
    eprintln!("tokensource: {problem}");
}

/// Runs a command. The exit code is the process's.
pub async fn main(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Run(args) => run::run(args).await,
        Command::Explain(args) => explain::run(&args),
        Command::Import(args) => import::import(args),
        Command::Crd => crd::crd(),
    }
}
