//! `tokensource status`.

mod details;
mod table;

use std::process::ExitCode;

use clap::Args;
use kube::api::ListParams;

use super::cluster::{Cluster, ClusterArgs, Fault};
use super::{OutputFormat, print, width};
use crate::clock;
use crate::token_source::overview::Overview;

const EXIT_CODES: &str = "Exit code: 0 all that is shown is Ready, 1 something is not, 2 bad input, 3 the API server was not reached.";

/// Which sources to show, and how.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct StatusArgs {
    /// Show this source in detail.
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Show the sources of all namespaces.
    #[arg(long, short = 'A', conflicts_with_all = ["namespace", "name"])]
    all_namespaces: bool,

    /// Show only sources with these labels, as in `kubectl get -l`.
    #[arg(long, short = 'l', value_name = "SELECTOR", conflicts_with = "name")]
    selector: Option<String>,

    /// The form: text for people, or a JSON list of objects for machines.
    #[arg(long, short, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,

    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) async fn run(args: StatusArgs) -> ExitCode {
    match show(&args).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(fault) => fault.complain(),
    }
}

/// Prints. Whether all are Ready.
async fn show(args: &StatusArgs) -> Result<bool, Fault> {
    let cluster = Cluster::find(&args.cluster).await?;
    let sources = match &args.name {
        Some(name) => vec![cluster.sources().get(name).await.map_err(|error| cluster.fault(&error, Some(name)))?],
        None => list(&cluster, args).await?,
    };
    let now = clock::now();
    let overviews: Vec<Overview> = sources.iter().map(|source| Overview::of(source, now)).collect();
    let text = match (args.output, args.name.is_some(), overviews.first()) {
        (OutputFormat::Json, _, _) => serde_json::to_string_pretty(&overviews).map_err(|error| Fault::Output(error.to_string()))?,
        (OutputFormat::Text, true, Some(overview)) => details::details(overview, now, width()),
        (OutputFormat::Text, false, Some(_)) => table::table(&overviews, args.all_namespaces, now, width()),
        (OutputFormat::Text, _, None) => {
            super::complain(&none_found(&cluster, args));
            return Ok(true);
        }
    };
    print(&text).map_err(Fault::Output)?;
    Ok(overviews.iter().all(Overview::is_ready))
}

async fn list(cluster: &Cluster, args: &StatusArgs) -> Result<Vec<crate::api::TokenSource>, Fault> {
    let api = if args.all_namespaces { cluster.all_sources() } else { cluster.sources() };
    let selected = ListParams { label_selector: args.selector.clone(), ..ListParams::default() };
    Ok(api.list(&selected).await.map_err(|error| cluster.fault(&error, None))?.items)
}

fn none_found(cluster: &Cluster, args: &StatusArgs) -> String {
    let labels = if args.selector.is_some() { " with these labels" } else { "" };
    if args.all_namespaces {
        format!("no TokenSource{labels} in any namespace")
    } else {
        format!("no TokenSource{labels} in namespace {}; -A shows all namespaces", cluster.namespace)
    }
}
