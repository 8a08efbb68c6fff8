//! Which addresses a token request may go to, judged on the resolved address at connect time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

/// Denied and allowed address ranges. What is allowed goes before what is denied; the rest is allowed.
#[derive(Debug, Clone)]
pub struct EgressPolicy {
    denied: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

/// The address is not one that token requests may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("egress policy: address not allowed")]
pub struct Denied;

/// What is denied to begin with: this host, link-local (where clouds keep their metadata service), multicast, and the
/// unspecified and reserved addresses that some systems route to this host.
const DENIED: [&str; 9] =
    ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fe80::/10", "ff00::/8"];

impl EgressPolicy {
    /// The ranges denied to begin with and further ones, but for the allowed ones. `api_server` is denied as an address.
    pub fn new(denied: &[IpNet], allowed: &[IpNet], api_server: &[IpAddr]) -> Self {
        let to_begin_with = DENIED.iter().filter_map(|range| range.parse().ok());
        let api_server = api_server.iter().map(|address| IpNet::from(address.to_canonical()));
        Self { denied: to_begin_with.chain(api_server).chain(denied.iter().copied()).collect(), allowed: allowed.to_vec() }
    }

    /// The named ranges alone: for a person's own machine and credentials, where nobody else's spec has to be feared.
    pub fn only(denied: &[IpNet], allowed: &[IpNet]) -> Self {
        Self { denied: denied.to_vec(), allowed: allowed.to_vec() }
    }

    /// Whether a connection to the address may be opened. IPv4 addresses in IPv6 clothes are judged as IPv4.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = plain(address);
        let within = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        within(&self.allowed) || !within(&self.denied)
    }

    /// Judges a host that is an address itself: such a host never meets a resolver.
    pub fn check_literal(&self, host: &url::Host<&str>) -> Result<(), Denied> {
        let address = match host {
            url::Host::Domain(_) => return Ok(()),
            url::Host::Ipv4(address) => IpAddr::V4(*address),
            url::Host::Ipv6(address) => IpAddr::V6(*address),
        };
        if self.permits(address) { Ok(()) } else { Err(Denied) }
    }
}

impl EgressPolicy {
    /// Judges a name that a proxy will resolve: denied where we too find only denied addresses. What we can't resolve is
    /// the proxy's to judge.
    pub async fn check_name(&self, name: &str) -> Result<(), Denied> {
        let Ok(found) = tokio::net::lookup_host((name.trim_matches(['[', ']']), 0)).await else { return Ok(()) };
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() || found.iter().any(|address| self.permits(address.ip())) { Ok(()) } else { Err(Denied) }
    }
}

/// IPv4-mapped (`::ffff:a.b.c.d`) and NAT64 (`64:ff9b::a.b.c.d`, RFC 6052) addresses as the IPv4 address that they reach.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.octets() {
            [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => v6.to_canonical(),
        },
        IpAddr::V4(_) => address,
    }
}

/// Resolves by the system and hands on only what the policy permits, so that the connection is opened to an
/// address that was judged: an answer that changes between check and connect gains nothing.
pub struct JudgedResolver(pub Arc<EgressPolicy>);

impl Resolve for JudgedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (any, permitted): (bool, Vec<SocketAddr>) =
                (!found.is_empty(), found.into_iter().filter(|address| policy.permits(address.ip())).collect());
            if any && permitted.is_empty() {
                return Err(Denied.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allowed: &[&str]) -> EgressPolicy {
        let allowed: Vec<IpNet> = allowed.iter().map(|range| range.parse().unwrap()).collect();
        EgressPolicy::new(&["10.1.0.0/16".parse().unwrap()], &allowed, &["192.0.2.10".parse().unwrap()])
    }

    #[test]
    fn inner_addresses_and_the_api_server_are_denied_in_every_form() {
        for address in [
            "127.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "10.1.2.3",
            "192.0.2.10",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "::ffff:192.0.2.10",
        ] {
            assert!(!policy(&[]).permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn other_addresses_are_allowed_private_ones_too() {
        for address in ["198.51.100.7", "10.2.0.1", "192.168.1.1", "2001:db8::1", "::ffff:198.51.100.7"] {
            assert!(policy(&[]).permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_allowed_goes_before_what_is_denied() {
        assert!(policy(&["127.0.0.0/8"]).permits("127.0.0.1".parse().unwrap()));
        assert!(policy(&["127.0.0.0/8"]).permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!policy(&["127.0.0.0/8"]).permits("::1".parse().unwrap()));
    }

    #[test]
    fn a_host_that_is_an_address_is_judged_without_a_resolver() {
        for (host, permitted) in [
            ("http://127.0.0.1/", false),
            ("http://[::1]/", false),
            ("http://2130706433/", false),
            ("http://0x7f.1/", false),
            ("http://auth.example.com/", true),
        ] {
            let url = url::Url::parse(host).unwrap();
            assert_eq!(policy(&[]).check_literal(&url.host().unwrap()).is_ok(), permitted, "{host}");
        }
    }
}
