//! `tokensource refresh`.

mod verdict;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use kube::Api;
use tokio::time::{sleep, timeout};

use self::verdict::{is_handled, obtained, overdue, refused, requested};
use super::cluster::{Cluster, ClusterArgs, Fault};
use super::{print, width};
use crate::api::TokenSource;
use crate::clock;
use crate::controller::apply::refresh_request;
use crate::token_source::overview::Overview;

/// How often is looked whether the request was acted on.
const POLL: Duration = Duration::from_millis(300);

const EXIT_CODES: &str = "\
The lock-out ledger, a pause that the server asked for and spec.suspend still hold.

Exit code: 0 the token was obtained (without --wait: asked for), 1 it was refused, 2 bad input,
3 the API server was not reached, 4 nobody acted on it in time.";

/// Which source to refresh, and whether to wait for it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RefreshArgs {
    /// The source.
    #[arg(value_name = "NAME")]
    name: String,

    /// Wait until the operator has acted on it, and tell what became of it; 60s, or as long as this says.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "60s", value_parser = super::duration)]
    wait: Option<Duration>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What became of it, as the exit code tells.
enum Ending {
    Done = 0,
    Refused = 1,
    NotActedOn = 4,
}

pub(super) async fn run(args: RefreshArgs) -> ExitCode {
    match refresh(&args).await {
        Ok(ending) => ExitCode::from(ending as u8),
        Err(fault) => fault.complain(),
    }
}

async fn refresh(args: &RefreshArgs) -> Result<Ending, Fault> {
    let cluster = Cluster::find(&args.cluster).await?;
    let (sources, name) = (cluster.sources(), args.name.as_str());
    let told = |error: kube::Error| cluster.fault(&error, Some(name));
    let value = clock::precise().to_string();
    let source = refresh_request(&sources, name, &value).await.map_err(told)?;
    print(&requested(&source, &value, width())).map_err(Fault::Output)?;
    let Some(patience) = args.wait else {
        return Ok(Ending::Done);
    };
    if source.spec.suspend {
        return Ok(Ending::NotActedOn);
    }
    let acted_on = timeout(patience, until_handled(&sources, name, &value)).await;
    let is_in_time = acted_on.is_ok();
    let source = match acted_on {
        Ok(source) => source.map_err(told)?,
        Err(_) => sources.get(name).await.map_err(told)?,
    };
    let now = clock::now();
    let overview = Overview::of(&source, now);
    let (ending, text) = if !is_in_time {
        (Ending::NotActedOn, overdue(&overview, patience, width()))
    } else if overview.is_failing() {
        (Ending::Refused, refused(&overview, now, width()))
    } else {
        (Ending::Done, obtained(&overview, now, width()))
    };
    print(&text).map_err(Fault::Output)?;
    Ok(ending)
}

async fn until_handled(sources: &Api<TokenSource>, name: &str, value: &str) -> Result<TokenSource, kube::Error> {
    loop {
        let source = sources.get(name).await?;
        if is_handled(&source, value) {
            return Ok(source);
        }
        sleep(POLL).await;
    }
}
