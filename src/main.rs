//! Parses the command line and starts. Decides nothing.

use std::process::ExitCode;

use tokensource::cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = cli::parse();
    // kube and reqwest both take the process's default; the only failure is that one is set already.
    _ = rustls::crypto::ring::default_provider().install_default();
    cli::main(cli).await
}
