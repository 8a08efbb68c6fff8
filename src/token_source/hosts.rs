//! Which hosts credentials may be sent to, by name: what the administrator allows, and what the owner of a Secret consents to.
//! Addresses are the egress policy's.

use std::str::FromStr;

use thiserror::Error;
use url::Url;

use super::failure::Failure;
use crate::api::condition::Reason;
use crate::api::names::ALLOWED_HOSTS;
use crate::oauth::endpoint::TokenEndpoint;

/// A host, or a pattern in which `*` stands for any characters: `*.example.com`, `login-*.example.com:8443`. Without a port, all
/// ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    host: String,
    port: Option<u16>,
}

/// Not a pattern of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write it as HOST or HOST:PORT, with * for any characters, such as *.example.com")]
pub struct NotAHost;

impl FromStr for HostPattern {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let text = text.trim().to_ascii_lowercase();
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address has colons of its own.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().map_err(|_| NotAHost)?)),
            Some(_) | None => (text.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*:".contains(&byte);
        if host.is_empty() || !host.bytes().all(fits) { Err(NotAHost) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

impl HostPattern {
    /// Whether the URL's host is meant.
    fn matches(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let host = host.to_ascii_lowercase();
        self.port.is_none_or(|port| url.port_or_known_default() == Some(port)) && is_like(&host, &self.host)
    }
}

/// Whether a text is like a pattern with stars in it.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// What the administrator has set.
#[derive(Debug, Clone, Default)]
pub struct HostPolicy {
    /// `--allow-host`; none: any host.
    pub allowed: Vec<HostPattern>,
    /// `--require-allowed-hosts`: a Secret without the annotation is not used.
    pub require_consent: bool,
}

/// A Secret whose content would be sent, and the annotation by which its owner says where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The Secret's name.
    pub secret: String,
    /// The annotation `tokensource.dev/allowed-hosts`.
    pub hosts: Option<String>,
}

/// The hosts that see what is sent: the endpoint's, and the proxy's. A proxy could read it all where the spec that names it names
/// the trusted certificates too.
#[derive(Debug, Clone)]
pub struct Way(Vec<Url>);

impl Way {
    /// To an endpoint, through a proxy if there is one.
    pub fn to(endpoint: &TokenEndpoint, proxy: Option<&str>) -> Self {
        Self([Some(endpoint.url().clone()), proxy.and_then(|proxy| Url::parse(proxy).ok())].into_iter().flatten().collect())
    }

    /// The first host that none of the patterns means.
    fn outside(&self, patterns: &[HostPattern]) -> Option<&str> {
        let stranger = self.0.iter().find(|url| !patterns.iter().any(|pattern| pattern.matches(url)));
        stranger.map(|url| url.host_str().unwrap_or_default())
    }
}

impl HostPolicy {
    /// Whether the administrator allows the hosts on the way.
    pub fn judge(&self, way: &Way) -> Result<(), Failure> {
        match way.outside(&self.allowed).filter(|_| !self.allowed.is_empty()) {
            Some(host) => Err(denied(&format!("{host} is not among the hosts that the operator allows (--allow-host)"))),
            None => Ok(()),
        }
    }

    /// Whether the owners of all Secrets consent to the hosts on the way.
    pub fn judge_consents(&self, consents: &[Consent], way: &Way) -> Result<(), Failure> {
        consents.iter().try_for_each(|consent| self.judge_consent(consent, way))
    }

    fn judge_consent(&self, Consent { secret, hosts }: &Consent, way: &Way) -> Result<(), Failure> {
        let Some(hosts) = hosts else {
            let missing =
                format!("Secret {secret} has no annotation {ALLOWED_HOSTS}, and the operator requires it (--require-allowed-hosts)");
            return if self.require_consent { Err(denied(&missing)) } else { Ok(()) };
        };
        let patterns = hosts.split([',', ' ', '\n']).filter(|part| !part.trim().is_empty());
        let patterns: Vec<HostPattern> = patterns
            .map(|part| {
                part.parse().map_err(|error: NotAHost| denied(&format!("the annotation {ALLOWED_HOSTS} of Secret {secret}: {error}")))
            })
            .collect::<Result<_, _>>()?;
        match way.outside(&patterns) {
            Some(host) => Err(denied(&format!("{host} is not among the hosts that Secret {secret} may be sent to ({ALLOWED_HOSTS})"))),
            None => Ok(()),
        }
    }
}

fn denied(why: &str) -> Failure {
    Failure::local(Reason::HostNotAllowed, format!("{why}: no request was sent"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::endpoint::UrlType;
    use proptest::prelude::*;

    fn endpoint(url: &str) -> TokenEndpoint {
        TokenEndpoint::parse(url, UrlType::Dedicated, true).unwrap()
    }

    #[test]
    fn a_pattern_means_what_stands_in_it() {
        for (pattern, url, expected) in [
            ("login.example.com", "https://login.example.com/token", true),
            ("LOGIN.example.com", "https://Login.Example.com./token", true),
            ("login.example.com", "https://login.example.com:8443/token", true),
            ("login.example.com:443", "https://login.example.com/token", true),
            ("login.example.com:443", "https://login.example.com:8443/token", false),
            ("*.example.com", "https://a.b.example.com/token", true),
            ("*.example.com", "https://example.com/token", false),
            ("*.example.com", "https://evil-example.com/token", false),
            ("*.example.com", "https://a.example.com.evil.test/token", false),
            ("login-*.example.*", "https://login-7.example.org/token", true),
            ("*", "https://anything.test/token", true),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/token", true),
            ("2001:db8::1", "https://[2001:db8::1]/token", true),
            ("10.1.2.3", "https://10.1.2.3/token", true),
        ] {
            assert_eq!(pattern.parse::<HostPattern>().unwrap().matches(endpoint(url).url()), expected, "{pattern} {url}");
        }
        for broken in ["", " ", "https://example.com", "example.com/path", "a:b", "example.com:99999", "a b"] {
            assert_eq!(broken.parse::<HostPattern>(), Err(NotAHost), "{broken}");
        }
    }

    #[test]
    fn administrator_and_owner_both_have_to_agree() {
        let login = Way::to(&endpoint("https://login.example.com/token"), None);
        let proxied = Way::to(&endpoint("https://login.example.com/token"), Some("http://proxy.test:3128"));
        let allowing = |hosts: &[&str], require_consent| HostPolicy {
            allowed: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            require_consent,
        };
        assert_eq!(allowing(&[], false).judge(&login), Ok(()));
        assert_eq!(allowing(&["other.example.com", "login.*"], false).judge(&login), Ok(()));
        assert_eq!(allowing(&["login.*", "proxy.test"], false).judge(&proxied), Ok(()));
        assert!(allowing(&["login.*"], false).judge(&proxied).unwrap_err().message.starts_with("proxy.test is not among"));
        assert_eq!(allowing(&["other.example.com"], false).judge(&login).unwrap_err().reason, Reason::HostNotAllowed);

        let told = |hosts: Option<&str>, require_consent| {
            let consent = Consent { secret: "client".into(), hosts: hosts.map(str::to_owned) };
            allowing(&[], require_consent).judge_consents(&[consent], &login).err().map(|failure| failure.message).unwrap_or_default()
        };
        assert_eq!([told(None, false), told(Some("a.test, *.example.com"), true), told(Some("login.example.com"), false)], [""; 3]);
        assert!(told(None, true).contains("has no annotation"));
        assert!(told(Some("a.test"), false).contains("may be sent to"));
        assert!(told(Some(""), false).contains("may be sent to"), "an empty list consents to nothing");
        assert!(told(Some("https://login.example.com"), false).contains("write it as HOST"));
    }

    proptest! {
        #[test]
        fn a_pattern_without_a_star_means_one_host(host in "[a-z0-9.-]{1,20}", other in "[a-z0-9.-]{1,20}") {
            prop_assert!(is_like(&host, &host) && is_like(&host, "*"));
            prop_assert_eq!(is_like(&other, &host), other == host);
        }
    }
}
