//! Where token requests may go: the same for the operator and for a check.

use clap::Args;
use ipnet::IpNet;

use crate::token_source::hosts::{HostPattern, HostPolicy};

/// Where token requests may go.
#[derive(Debug, Args)]
pub(super) struct ReachArgs {
    /// Accept plain http token URLs. For tests: credentials then travel in the clear.
    #[arg(long, env = "TOKENSOURCE_ALLOW_HTTP")]
    pub(super) allow_http: bool,

    /// Send no token request to addresses of this range; may be repeated. For the operator, loopback,
    /// link-local, multicast and the API server are denied to begin with; for a check nothing is.
    #[arg(long = "deny-cidr", env = "TOKENSOURCE_DENY_CIDR", value_delimiter = ',', value_name = "CIDR")]
    pub(super) denied: Vec<IpNet>,

    /// Allow addresses of this range although they are denied otherwise; may be repeated.
    #[arg(long = "allow-cidr", env = "TOKENSOURCE_ALLOW_CIDR", value_delimiter = ',', value_name = "CIDR")]
    pub(super) allowed: Vec<IpNet>,

    /// Send credentials to this host only, such as `login.example.com` or `*.example.com`; may be repeated. Without it: to any.
    #[arg(long = "allow-host", env = "TOKENSOURCE_ALLOW_HOST", value_delimiter = ',', value_name = "HOST")]
    allowed_hosts: Vec<HostPattern>,

    /// Use no credentials Secret that does not name its hosts in the annotation tokensource.dev/allowed-hosts.
    #[arg(long, env = "TOKENSOURCE_REQUIRE_ALLOWED_HOSTS")]
    require_allowed_hosts: bool,

    /// Let a serviceAccountRef ask for a token of this audience, beside the token endpoint's origin; may be repeated.
    #[arg(
        long = "trusted-assertion-audience",
        env = "TOKENSOURCE_TRUSTED_ASSERTION_AUDIENCE",
        value_delimiter = ',',
        value_name = "AUDIENCE"
    )]
    pub(super) trusted_assertion_audiences: Vec<String>,
}

impl ReachArgs {
    /// The hosts that credentials may be sent to.
    pub(super) fn hosts(&self) -> HostPolicy {
        HostPolicy { allowed: self.allowed_hosts.clone(), require_consent: self.require_allowed_hosts }
    }
}
