//! The subcommands, a file each.

mod build;
mod endpoint;
mod image;
mod run;
mod sbom;
mod signals;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use testenv::{Component, Progress};

/// What testenv can do.
#[derive(Subcommand)]
pub(crate) enum Commands {
    /// Start the world, run a command in it, end the world; exits with the command's code
    Run(run::Arguments),
    /// Build and fetch everything into the cache, and start nothing
    Build(build::Arguments),
    /// Serve the scripted token endpoint, until interrupted
    Endpoint(endpoint::Arguments),
    /// Write an image from a Dockerfile that only packs, where no image builder is installed
    Image(image::Arguments),
    /// Write what the binary is made of as CycloneDX JSON, from the output of `cargo tree`
    Sbom(sbom::Arguments),
}

impl Commands {
    pub(crate) async fn execute(self) -> ExitCode {
        let progress = Progress::start();
        let ended = match self {
            // Boxed: starting a world is a large future.
            Self::Run(arguments) => Box::pin(run::run(arguments, &progress)).await,
            Self::Build(arguments) => build::build(&arguments, &progress).await,
            Self::Endpoint(arguments) => endpoint::serve(&arguments, &progress).await,
            Self::Image(arguments) => image::image(arguments, &progress),
            Self::Sbom(arguments) => sbom::sbom(arguments, &progress),
        };
        ended.unwrap_or_else(|error| {
            progress.say("error", &error.to_string());
            ExitCode::FAILURE
        })
    }
}

/// Which part of the world.
#[derive(Args)]
pub(crate) struct Selection {
    /// Only these components, separated by commas
    #[arg(long = "with", value_name = "COMPONENTS", value_delimiter = ',', value_enum)]
    components: Vec<Component>,
}

impl Selection {
    fn components(&self) -> &[Component] {
        if self.components.is_empty() { &Component::ALL } else { &self.components }
    }
}

/// Parses an argument of two parts.
fn named_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "must be NAME=VALUE".to_owned())
}
