//! `tokensource import`: reads, prints, and leaves the rest to [`crate::destination`].

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::destination::{Manifests, Options, convert, parse, select};

/// More than this is no export, in bytes.
const FILE_MAX: u64 = 4 * 1024 * 1024;
/// Bad input, as with `tokensource check`.
const BAD_INPUT: u8 = 2;

/// What to import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Turn an exported SAP BTP destination (JSON or properties) into a TokenSource and a Secret.
    ///
    /// The manifests go to the standard output, with the credentials in the clear; what became of every property goes to
    /// the standard error.
    Destination(DestinationArgs),
}

#[derive(Debug, Args)]
struct DestinationArgs {
    /// The exported file, or - for the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The namespace of the TokenSource and the Secret. Without it, `kubectl apply` decides.
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// The name of the TokenSource. Without it: the destination's, as Kubernetes takes it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// The tenant's subdomain, for a destination whose tokenServiceURLType is Common.
    #[arg(long, value_name = "SUBDOMAIN")]
    tenant: Option<String>,

    /// Which destination, where the file holds several.
    #[arg(long, value_name = "NAME")]
    select: Option<String>,
}

pub(super) fn import(args: ImportArgs) -> ExitCode {
    let Subject::Destination(args) = args.subject;
    let printed = read(&args.file)
        .map_err(|error| format!("{}: {error}", args.file.display()))
        .and_then(|bytes| converted(&bytes, args))
        .and_then(|(yaml, report)| print(&yaml, &report).map_err(|error| format!("standard output: {error}")));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // With no standard error left, the exit code has to do.
            _ = writeln!(io::stderr(), "error: {problem}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(file)?) };
    source.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// The manifests as YAML, and the report.
fn converted(bytes: &[u8], args: DestinationArgs) -> Result<(String, String), String> {
    let DestinationArgs { namespace, name, tenant, select: chosen, .. } = args;
    let manifests = parse(bytes)
        .and_then(|destinations| select(destinations, chosen.as_deref()))
        .and_then(|destination| convert(destination, &Options { namespace, name, tenant }));
    let Manifests { secret, source, report } = manifests.map_err(|error| error.to_string())?;
    let yaml = [secret, source].iter().map(serde_saphyr::to_string).collect::<Result<Vec<String>, _>>();
    let yaml = yaml.map_err(|error| error.to_string())?;
    Ok((yaml.join("---\n"), report.to_string()))
}

fn print(yaml: &str, report: &str) -> io::Result<()> {
    io::stdout().write_all(yaml.as_bytes())?;
    io::stdout().flush()?;
    io::stderr().write_all(report.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use proptest::prelude::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: ImportArgs,
    }

    fn args(line: &str) -> DestinationArgs {
        let Subject::Destination(args) = Line::try_parse_from(line.split(' ')).unwrap().args.subject;
        args
    }

    #[test]
    fn the_command_line_says_what_to_read_and_how_to_name_it() {
        let args = args("import destination - --namespace apps --name feed --tenant t1 --select Feed");
        assert_eq!(args.file, Path::new("-"));
        let given = [args.namespace, args.name, args.tenant, args.select].map(Option::unwrap);
        assert_eq!(given, ["apps", "feed", "t1", "Feed"]);
    }

    #[test]
    fn a_file_becomes_two_documents_of_yaml() {
        let properties = "Name=feed\nAuthentication=OAuth2ClientCredentials\ntokenServiceURL=https\\://auth.example.com/token\nclientId=on\nclientSecret=0123\n";
        let (yaml, report) = converted(properties.as_bytes(), args("import destination -")).unwrap();
        let documents: Vec<serde_json::Value> = yaml.split("---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect();
        let kinds: Vec<&str> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["Secret", "TokenSource"]);
        assert_eq!(documents[0]["stringData"], serde_json::json!({"client_id": "on", "client_secret": "0123"}));
        assert!(report.starts_with("Name -> metadata.name: feed\n"));
    }

    proptest! {
        #[test]
        fn yaml_gives_back_every_secret_as_it_was(secret in "(\\PC|[\\t\\n\\r :#'\"|>&*!%@0-9-]){1,40}") {
            prop_assume!(!secret.trim().is_empty());
            let destination = serde_json::json!({"Authentication": "OAuth2ClientCredentials", "tokenServiceURL": "https://a.example.com/t",
                "clientId": "a", "clientSecret": secret});
            let (yaml, report) = converted(destination.to_string().as_bytes(), args("import destination -")).unwrap();
            let document: serde_json::Value = serde_saphyr::from_str(yaml.split("\n---\n").next().unwrap()).unwrap();
            prop_assert_eq!(document["stringData"]["client_secret"].as_str(), Some(secret.as_str()));
            prop_assert!(secret.len() < 12 || !report.contains(&secret));
        }
    }
}
