//! `tokensource crd`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::api::crd::definition;

const HEADER: &str = "# Made by `tokensource crd`. Do not edit: change src/api and run `make generate`.\n";

pub(super) fn crd() -> ExitCode {
    match serde_saphyr::to_string(&definition()).map(|yaml| io::stdout().write_all(format!("{HEADER}{yaml}").as_bytes())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(_)) | Err(_) => ExitCode::FAILURE,
    }
}
