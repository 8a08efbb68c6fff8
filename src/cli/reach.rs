//! Where token requests may go: the same for the operator and for a check.

use clap::Args;
use ipnet::IpNet;

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

    /// Let a serviceAccountRef ask for a token of this audience, beside the token endpoint's origin; may be repeated.
    #[arg(
        long = "trusted-assertion-audience",
        env = "TOKENSOURCE_TRUSTED_ASSERTION_AUDIENCE",
        value_delimiter = ',',
        value_name = "AUDIENCE"
    )]
    pub(super) trusted_assertion_audiences: Vec<String>,
}
