//! `testenv image`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use testenv::{Error, ImageOrder, Progress};

use super::named_value;

/// Arguments of `testenv image`, named as image builders name theirs.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The Dockerfile; it may only pack: FROM scratch, no RUN
    #[arg(long, default_value = "Dockerfile")]
    file: PathBuf,
    /// The image's name
    #[arg(long)]
    tag: String,
    /// Value of an ARG; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = named_value)]
    values: Vec<(String, String)>,
    /// Age of everything in the image, in seconds since 1970
    #[arg(long, default_value_t = 0)]
    timestamp: u32,
    /// The archive to write, in the form of `docker save`
    #[arg(long)]
    output: PathBuf,
    /// The folder to copy from
    context: PathBuf,
}

/// Writes the archive.
pub(crate) fn image(arguments: Arguments, progress: &Progress) -> Result<ExitCode, Error> {
    let Arguments { file, tag, values, timestamp, output, context } = arguments;
    let order = ImageOrder { dockerfile: file, context, reference: tag, arguments: values.into_iter().collect(), timestamp };
    order.write(&output)?;
    progress.say("image", &format!("{} is in {}", order.reference, output.display()));
    Ok(ExitCode::SUCCESS)
}
