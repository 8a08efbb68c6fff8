//! The cluster that a command talks to, and how it says that it can't.

use std::error::Error as _;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use http::HeaderValue;
use http::header::USER_AGENT;
use kube::client::AuthError;
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::{Api, Client, Config};
use thiserror::Error;

use crate::api::TokenSource;
use crate::controller::chain;

/// A person waits: sooner than kube's own limits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The exit code where something could not be reached.
const UNREACHABLE: u8 = 3;

/// Which cluster and namespace, as with kubectl.
#[derive(Debug, Args)]
pub(super) struct ClusterArgs {
    /// The namespace. Without it: that of the kubeconfig's context.
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    /// The kubeconfig's context. Without it: the current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The kubeconfig file. Without it: KUBECONFIG, else ~/.kube/config, else, inside a cluster, the pod's ServiceAccount.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// A cluster, and the namespace in it.
pub(super) struct Cluster {
    client: Client,
    url: String,
    /// The namespace that was named, or the context's own.
    pub(super) namespace: String,
}

/// Why a command could not be carried out, by who must act.
#[derive(Debug, Error)]
pub(super) enum Fault {
    /// There is no usable kubeconfig.
    #[error("no cluster: {0}. Name a kubeconfig by --kubeconfig or KUBECONFIG, and by --context one of the contexts in it")]
    NoCluster(String),
    /// The kubeconfig's user has no credentials that work.
    #[error("not logged on to the cluster: {0}. See whether kubectl works with this kubeconfig")]
    NotLoggedOn(String),
    /// There is no source of this name.
    #[error("no TokenSource {name} in namespace {namespace}; `tokensource status -n {namespace}` lists those that are there")]
    NoSuchSource {
        /// The name.
        name: String,
        /// The namespace.
        namespace: String,
    },
    /// The CRD is not there.
    #[error("this cluster has no TokenSources: install the CRD by `tokensource crd | kubectl apply -f -`, or choose another --context")]
    NoCrd,
    /// The API server understood and said no.
    #[error("the API server refuses it: {0}")]
    Refused(String),
    /// What the API server holds is not what this program knows.
    #[error("a TokenSource can't be read: {0}. Is this program as new as the cluster's CRD?")]
    Unreadable(String),
    /// The API server did not answer, or is not able to now.
    #[error("the API server {url} was not reached: {why}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What came instead of an answer.
        why: String,
    },
    /// The result can't be printed.
    #[error("{0}")]
    Output(String),
}

impl Fault {
    /// Whether nothing is wrong but the way to the API server.
    pub(super) fn is_unreachable(&self) -> bool {
        self.code() == UNREACHABLE
    }

    /// The exit code: 2 where the input has to change, 3 where the API server is not to be reached.
    fn code(&self) -> u8 {
        match self {
            Self::NoCluster(_)
            | Self::NotLoggedOn(_)
            | Self::NoSuchSource { .. }
            | Self::NoCrd
            | Self::Refused(_)
            | Self::Unreadable(_)
            | Self::Output(_) => 2,
            Self::Unreachable { .. } => UNREACHABLE,
        }
    }

    /// Says it, and gives the exit code.
    pub(super) fn complain(&self) -> ExitCode {
        super::complain(&self.to_string());
        ExitCode::from(self.code())
    }
}

impl ClusterArgs {
    /// The namespace that was named.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

impl Cluster {
    /// The client.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The API server's origin: no audience of a ServiceAccount's token.
    pub(super) fn origin(&self) -> String {
        url::Url::parse(&self.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// There is no source of this name.
    pub(super) fn no_source(&self, name: &str) -> Fault {
        Fault::NoSuchSource { name: name.to_owned(), namespace: self.namespace.clone() }
    }

    /// Finds the cluster. Nothing is asked of it yet.
    pub(super) async fn find(args: &ClusterArgs) -> Result<Self, Fault> {
        let mut config = identified(config(args).await?);
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.default_retry = false;
        let url = config.cluster_url.to_string();
        let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| client_fault(&error))?;
        Ok(Self { client, url, namespace })
    }

    /// The sources of the namespace.
    pub(super) fn sources(&self) -> Api<TokenSource> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The sources of all namespaces.
    pub(super) fn all_sources(&self) -> Api<TokenSource> {
        Api::all(self.client.clone())
    }

    /// What a failed request means. `name`: the source it was about.
    pub(super) fn fault(&self, error: &kube::Error, name: Option<&str>) -> Fault {
        if let kube::Error::Api(status) = error {
            self.answered(status, name)
        } else if let kube::Error::SerdeError(error) = error {
            Fault::Unreadable(error.to_string())
        } else if let kube::Error::Auth(error) = error {
            not_logged_on(error)
        } else {
            self.unreachable(chain(error))
        }
    }

    fn answered(&self, status: &Status, name: Option<&str>) -> Fault {
        let about = status.details.as_ref().map_or("", |details| details.name.as_str());
        match (status.code, name) {
            (404, Some(name)) if about == name => Fault::NoSuchSource { name: name.to_owned(), namespace: self.namespace.clone() },
            (404, _) => Fault::NoCrd,
            (401, _) => Fault::NotLoggedOn("the API server does not accept the credentials (401)".to_owned()),
            (code @ (429 | 500..), _) => self.unreachable(format!("it answered {code} {}", status.message)),
            (_, _) => Fault::Refused(status.message.clone()),
        }
    }

    fn unreachable(&self, why: impl Display) -> Fault {
        Fault::Unreachable { url: self.url.trim_end_matches('/').to_owned(), why: why.to_string() }
    }
}

/// The same, named as this program's in the API server's log.
pub(super) fn identified(mut config: Config) -> Config {
    config.headers.push((USER_AGENT, HeaderValue::from_static(concat!("tokensource/", env!("CARGO_PKG_VERSION")))));
    config
}

async fn config(args: &ClusterArgs) -> Result<Config, Fault> {
    let options = KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    let found = match &args.kubeconfig {
        Some(file) => match Kubeconfig::read_from(file) {
            Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
            Err(error) => Err(error),
        },
        None if args.context.is_some() => Config::from_kubeconfig(&options).await,
        None => return Config::infer().await.map_err(|error| inferred_fault(&error)),
    };
    found.map_err(|error| kubeconfig_fault(&error))
}

/// Neither a kubeconfig nor a pod: the kubeconfig is what a person can mend.
fn inferred_fault(error: &InferConfigError) -> Fault {
    let kubeconfig = error.source().and_then(|source| source.downcast_ref::<KubeconfigError>());
    kubeconfig.map_or_else(|| Fault::NoCluster(error.to_string()), kubeconfig_fault)
}

/// A parser's error quotes its input, which holds credentials: that there is one is enough.
fn kubeconfig_fault(error: &KubeconfigError) -> Fault {
    let is_garbled = matches!(error, KubeconfigError::Parse(_));
    Fault::NoCluster(if is_garbled { "the kubeconfig is no YAML of a kubeconfig".to_owned() } else { chain(error) })
}

fn client_fault(error: &kube::Error) -> Fault {
    if let kube::Error::Auth(error) = error { not_logged_on(error) } else { Fault::NoCluster(chain(error)) }
}

/// Of a plugin for logging on, the words may hold credentials; its name and how it ended are enough.
fn not_logged_on(error: &AuthError) -> Fault {
    Fault::NotLoggedOn(if let AuthError::AuthExecRun { cmd, out } = error {
        format!("`{cmd}` ended with {}", out.status)
    } else if let AuthError::AuthExecStart(error) = error {
        format!("the plugin for it did not start: {error}")
    } else {
        "the kubeconfig's user can't be authenticated".to_owned()
    })
}
