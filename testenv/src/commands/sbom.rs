//! `testenv sbom`

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use testenv::{BillOfMaterials, Error, Progress};

use super::named_value;

/// Arguments of `testenv sbom`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Cargo.lock
    #[arg(long, default_value = "Cargo.lock")]
    lock: PathBuf,
    /// What is linked beside crates; may be repeated
    #[arg(long = "further", value_name = "NAME=VERSION", value_parser = named_value)]
    further: Vec<(String, String)>,
    /// Time of the document, in seconds since 1970
    #[arg(long, default_value_t = 0)]
    timestamp: u32,
    /// The document to write
    #[arg(long)]
    output: PathBuf,
}

/// Reads the output of `cargo tree` from stdin and writes the document.
pub(crate) fn sbom(arguments: Arguments, progress: &Progress) -> Result<ExitCode, Error> {
    let Arguments { lock, further, timestamp, output } = arguments;
    let at = |path: PathBuf| |source: io::Error| Error::File { path, source };
    let tree = io::read_to_string(io::stdin()).map_err(at("stdin".into()))?;
    let lock = std::fs::read_to_string(&lock).map_err(at(lock))?;
    let document = BillOfMaterials { tree, lock, further, timestamp }.document();
    std::fs::write(&output, format!("{document:#}\n")).map_err(at(output.clone()))?;
    progress.say("sbom", &output.display().to_string());
    Ok(ExitCode::SUCCESS)
}
