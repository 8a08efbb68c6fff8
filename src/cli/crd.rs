//! `tokensource crd`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use kube::CustomResourceExt as _;

use crate::api::TokenSource;

const HEADER: &str = "# Made by `tokensource crd`. Do not edit: change src/api and run `make generate`.\n";

pub(super) fn crd() -> ExitCode {
    match io::stdout().write_all(text().as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The CRD as YAML: the text of crds/.
pub(super) fn text() -> String {
    let yaml = serde_saphyr::to_string(&TokenSource::crd()).unwrap_or_default();
    format!("{HEADER}{yaml}")
}
