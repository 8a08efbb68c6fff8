//! `tokensource check`: reads the objects, asks, prints.

mod json;
mod text;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use kube::api::ListParams;

use super::OutputFormat;
use super::cluster::{Cluster, ClusterArgs, Fault};
use super::reach::ReachArgs;
use crate::api::TokenSource;
use crate::api::condition::Reason;
use crate::clock;
use crate::controller::audiences::Audiences;
use crate::controller::chain;
use crate::controller::check::{CheckResult, Checked, Checker};
use crate::controller::egress::EgressPolicy;
use crate::controller::objects::Objects;
use crate::oauth::rejection::Rejection;
use crate::token_source::manifests::Manifests;
use crate::token_source::references::{cycle, source_names};

/// More than this is no file of manifests, in bytes.
const FILE_MAX: u64 = 16 * 1024 * 1024;
/// The operator's own default of `--min-refresh-interval`.
const FLOOR: std::time::Duration = std::time::Duration::from_secs(10);

/// Ask for a token as the operator would, and explain the answer. Nothing is stored; with -f no cluster is needed.
///
/// Exit code: 0 a token, 1 refused, 2 bad input, 3 not reached.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A file with TokenSources, Secrets and ConfigMaps as YAML or JSON; `-` for standard input; may be repeated.
    #[arg(short = 'f', long = "filename", value_name = "FILE", required_unless_present = "name")]
    files: Vec<PathBuf>,

    /// The TokenSource. With -f: only this one of the file's. Without: it is taken from the cluster, with what it refers to.
    #[arg(value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// The form of the report.
    #[arg(short = 'o', long = "output", value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,

    /// Print the token too.
    #[arg(long)]
    show_token: bool,

    #[command(flatten)]
    reach: ReachArgs,
}

/// A source with what the check found.
struct Finding<'a> {
    source: &'a TokenSource,
    checked: Checked,
}

/// How a check ends; the worst of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Token = 0,
    Refused = 1,
    Unreachable = 3,
    BadInput = 4,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        match end {
            End::Token => Self::SUCCESS,
            End::Refused => Self::from(1),
            End::Unreachable => Self::from(3),
            End::BadInput => Self::from(2),
        }
    }
}

pub(super) async fn run(args: CheckArgs) -> ExitCode {
    let checked = if args.files.is_empty() { from_cluster(&args).await } else { from_files(&args).await };
    match checked {
        Ok(end) => end.into(),
        Err((end, problem)) => {
            super::complain(&problem);
            end.into()
        }
    }
}

type Outcome = Result<End, (End, String)>;

fn bad_input(problem: String) -> (End, String) {
    (End::BadInput, problem)
}

async fn from_files(args: &CheckArgs) -> Outcome {
    let mut text = String::new();
    for file in &args.files {
        let read = read(file).map_err(|error| bad_input(format!("{}: {error}", file.display())))?;
        // Each by itself first, so that a fault is told by its file.
        Manifests::parse(&read).map_err(|error| bad_input(format!("{}: {error}", file.display())))?;
        text.push_str("\n---\n");
        text.push_str(&read);
    }
    let mut manifests = Manifests::parse(&text).map_err(|error| bad_input(error.to_string()))?;
    let sources = chosen(args, &manifests)?;
    let checker = checker(args, Vec::new());
    let mut findings = Vec::new();
    for source in &sources {
        let target_of = |name: &str| manifests.source(source.namespace(), name).map(|other| other.target_name().to_owned());
        let found = checker.check(source, Objects::Manifests(&manifests), &target_of).await;
        let found = found.map_err(|error| (End::Unreachable, chain(&error)))?;
        if let CheckResult::Issued { token, .. } = &found.result {
            manifests.put_token(source, &token.access_token);
        }
        findings.push(Finding { source, checked: found });
    }
    report(args, &findings)
}

/// The sources to check, each behind those whose tokens it asks with.
fn chosen(args: &CheckArgs, manifests: &Manifests) -> Result<Vec<TokenSource>, (End, String)> {
    let in_namespace = |source: &TokenSource| args.cluster.namespace().is_none_or(|namespace| source.namespace() == namespace);
    let wanted = |source: &&TokenSource| args.name.is_none() || source.metadata.name == args.name;
    let first: Vec<&TokenSource> = manifests.sources().iter().filter(|source| in_namespace(source)).filter(wanted).collect();
    if first.is_empty() {
        return Err(bad_input(match &args.name {
            Some(name) => format!("the files hold no TokenSource {name}"),
            None => "the files hold no TokenSource".to_owned(),
        }));
    }
    let mut ordered: Vec<TokenSource> = Vec::new();
    for source in first {
        let names_of = |name: &str| manifests.source(source.namespace(), name).map(|other| source_names(&other.spec)).unwrap_or_default();
        if let Some(failure) = cycle(source.metadata.name.as_deref().unwrap_or_default(), source_names(&source.spec), names_of) {
            return Err(bad_input(failure.message));
        }
        put(source, manifests, &mut ordered);
    }
    Ok(ordered)
}

fn put(source: &TokenSource, manifests: &Manifests, ordered: &mut Vec<TokenSource>) {
    let same = |other: &TokenSource| other.namespace() == source.namespace() && other.metadata.name == source.metadata.name;
    if ordered.iter().any(same) {
        return;
    }
    for other in source_names(&source.spec).iter().filter_map(|name| manifests.source(source.namespace(), name)) {
        put(other, manifests, ordered);
    }
    ordered.push(source.clone());
}

async fn from_cluster(args: &CheckArgs) -> Outcome {
    let name = args.name.as_deref().unwrap_or_default();
    let cluster = Cluster::find(&args.cluster).await.map_err(|fault| told(&fault))?;
    let all = cluster.sources().list(&ListParams::default()).await.map_err(|error| told(&cluster.fault(&error, None)))?.items;
    let named = |name: &str| all.iter().find(|source| source.metadata.name.as_deref() == Some(name));
    let source = named(name).ok_or_else(|| told(&cluster.no_source(name)))?;
    let target_of = |other: &str| named(other).map(|source| source.target_name().to_owned());
    let checker = checker(args, vec![cluster.origin()]);
    let found = checker.check(source, Objects::Cluster(cluster.client()), &target_of).await;
    let found = found.map_err(|error| (End::Unreachable, chain(&error)))?;
    report(args, &[Finding { source, checked: found }])
}

fn told(fault: &Fault) -> (End, String) {
    (if fault.is_unreachable() { End::Unreachable } else { End::BadInput }, fault.to_string())
}

fn checker(args: &CheckArgs, api_server: Vec<String>) -> Checker {
    let audiences = Audiences { trusted: args.reach.trusted_assertion_audiences.clone(), api_server };
    Checker::new(EgressPolicy::only(&args.reach.denied, &args.reach.allowed), args.reach.hosts(), audiences, args.reach.allow_http, FLOOR)
}

fn report(args: &CheckArgs, findings: &[Finding<'_>]) -> Outcome {
    let (print, now, width) = (|text: &str| super::print(text).map_err(bad_input), clock::now(), super::width());
    for (index, finding) in findings.iter().enumerate() {
        match args.output {
            OutputFormat::Json => print(&json::report(finding, args.show_token).to_string())?,
            OutputFormat::Text if index > 0 => print(&format!("\n{}", text::report(finding, now, args.show_token, width)))?,
            OutputFormat::Text => print(&text::report(finding, now, args.show_token, width))?,
        }
    }
    Ok(findings.iter().map(|finding| end(&finding.checked.result)).max().unwrap_or(End::BadInput))
}

fn end(result: &CheckResult) -> End {
    match result {
        CheckResult::Issued { .. } => End::Token,
        CheckResult::Refused { rejection: Rejection::ConnectionFailed | Rejection::TLSVerificationFailed, .. } => End::Unreachable,
        CheckResult::Refused { .. } => End::Refused,
        // The other source's own report says why; an unusable certificate is a refusal that needs no server.
        CheckResult::NotSent(failure)
            if matches!(failure.reason, Reason::AssertionSourceNotReady | Reason::ClientAuthenticationFailed | Reason::RateLimited) =>
        {
            End::Refused
        }
        CheckResult::NotSent(failure) if !failure.reason.is_local() => End::Refused,
        CheckResult::NotSent(_) => End::BadInput,
    }
}

fn read(file: &Path) -> io::Result<String> {
    let source: Box<dyn io::Read> = if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(fs::File::open(file)?) };
    let mut bytes = Vec::new();
    source.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "is no UTF-8 text"))
}
