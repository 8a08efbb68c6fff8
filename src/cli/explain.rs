//! `tokensource explain`.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::{OutputFormat, print};
use crate::token_source::explain::{Explanation, Recorded, explain};

/// A recorded answer in, the reason, cause, remedy and retry class out that the operator would give. Needs no network.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The grant that was asked by, such as `client_credentials` or `password`.
    #[arg(long, default_value = "client_credentials", value_name = "GRANT")]
    grant: String,

    /// The HTTP status of the answer. 0: no answer came, and the body is the error's text.
    #[arg(long, required_unless_present = "jsonl", value_name = "N")]
    status: Option<u16>,

    /// A header of the answer, as `Name: value`; may be repeated.
    #[arg(long = "header", value_parser = header, value_name = "HEADER")]
    headers: Vec<(String, String)>,

    /// The file with the body; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// Read recorded answers instead, a JSON object a line (`id`, `grant`, `status`, `headers`, `body`), and write an
    /// explanation a line; `-` for standard input.
    #[arg(long, conflicts_with_all = ["status", "headers", "body"], value_name = "FILE")]
    jsonl: Option<PathBuf>,

    /// The form of the explanation of a single answer.
    #[arg(short = 'o', long = "output", value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

pub(super) fn run(args: &ExplainArgs) -> ExitCode {
    let done = match &args.jsonl {
        Some(file) => explain_lines(file),
        None => explain_one(args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            super::complain(&error);
            ExitCode::from(2)
        }
    }
}

fn explain_one(args: &ExplainArgs) -> Result<ExitCode, String> {
    let body = args.body.as_deref().map(read).transpose()?.unwrap_or_default();
    let headers = args.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let recorded = Recorded { id: None, grant: args.grant.clone(), status: args.status.unwrap_or_default(), headers, body };
    let explanation = explain(&recorded);
    match args.output {
        OutputFormat::Json => print(&json(&explanation)?)?,
        OutputFormat::Text => print(&text(&explanation))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn explain_lines(file: &Path) -> Result<ExitCode, String> {
    let mut code = ExitCode::SUCCESS;
    for (index, line) in open(file)?.lines().enumerate() {
        let line = line.map_err(|error| format!("{}: {error}", file.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Recorded>(&line) {
            Ok(recorded) => print(&json(&explain(&recorded))?)?,
            Err(error) => {
                // The error's own text quotes its input; where it stands is enough.
                super::complain(&format!(
                    "line {}: no recorded answer (column {}): an object with a number as `status` is needed",
                    index + 1,
                    error.column()
                ));
                code = ExitCode::from(2);
            }
        }
    }
    Ok(code)
}

fn json(explanation: &Explanation) -> Result<String, String> {
    serde_json::to_string(explanation).map_err(|error| error.to_string())
}

fn text(explanation: &Explanation) -> String {
    let Explanation { reason, cause, retry, message, remedy, .. } = explanation;
    let mut lines = vec![format!("Reason   {reason}")];
    lines.extend(cause.map(|cause| format!("Cause    {cause}")));
    lines.push(format!("Message  {message}"));
    lines.extend((!remedy.is_empty()).then(|| format!("Remedy   {remedy}")));
    lines.extend(retry.map(|retry| format!("Retry    {retry}")));
    lines.join("\n")
}

fn open(file: &Path) -> Result<BufReader<Box<dyn io::Read>>, String> {
    if file == Path::new("-") {
        return Ok(BufReader::new(Box::new(io::stdin())));
    }
    let opened = fs::File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(BufReader::new(Box::new(opened)))
}

fn read(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    open(file)?.read_to_end(&mut bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
