//! The command line: one file a command.

mod check;
mod cluster;
mod crd;
mod explain;
mod import;
mod paragraph;
mod reach;
mod refresh;
mod relative;
mod run;
mod status;

use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::api::duration::Span;

/// What the program is called as a plugin of kubectl.
const PLUGIN: &str = "kubectl-tokensource";
/// The width of what is printed where `COLUMNS` does not say, in characters.
const WIDTH: usize = 100;
/// Narrower than this no text can be read.
const WIDTH_MIN: usize = 40;

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
    /// Ask for a token as the operator would, and explain the answer.
    Check(check::CheckArgs),
    /// Show the sources: whether they are Ready, why not, and what comes next.
    Status(status::StatusArgs),
    /// Ask for a new token of a source now.
    Refresh(refresh::RefreshArgs),
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

/// Prints to the standard output.
fn print(text: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{text}").map_err(|error| format!("standard output: {error}"))
}

/// How many characters fit on a line of the terminal.
fn width() -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.unwrap_or(WIDTH).max(WIDTH_MIN)
}

/// Reads a length of time of a second or more; a bare number means seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let with_unit = if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text}s") } else { text.to_owned() };
    let span: Span = serde_json::from_value(with_unit.into()).map_err(|error| error.to_string())?;
    if span.0 < Duration::from_secs(1) { Err("must be 1s or more".to_owned()) } else { Ok(span.0) }
}

/// Parses the command line. The program's own name decides only how its help names it.
pub fn parse() -> Cli {
    let program = env::args_os().next().unwrap_or_default();
    let is_plugin = Path::new(&program).file_name().is_some_and(|name| name == PLUGIN);
    let command = if is_plugin { Cli::command().bin_name("kubectl tokensource") } else { Cli::command() };
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

/// Runs a command. The exit code is the process's.
pub async fn main(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Run(args) => run::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Refresh(args) => refresh::run(args).await,
        Command::Explain(args) => explain::run(&args),
        Command::Import(args) => import::import(args),
        Command::Crd => crd::crd(),
    }
}
