//! The token endpoint's URL, with the tenant put where it belongs.

use thiserror::Error;
use url::{Host, Url};

/// Where the tenant goes in a token URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlType<'a> {
    /// The URL is used as it is.
    Dedicated,
    /// Every `{tenant}` becomes the tenant's subdomain; without one, the tenant is put in front of the host
    /// (SAP BTP Destination, `tokenServiceURLType` `Common`).
    Common {
        /// The tenant's subdomain: one DNS label.
        tenant: &'a str,
    },
}

/// A token endpoint that a request can be sent to: `https` (or `http` where allowed), a host, no user
/// information, no fragment. A query of its own survives (RFC 6749 §3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEndpoint(Url);

/// Why a token URL can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Not an absolute URL with a host that a name server could know.
    #[error("is no absolute URL with a host: write it as https://HOST/PATH")]
    NotAUrl,
    /// Neither `https` nor `http`.
    #[error("must be an https URL")]
    Scheme,
    /// `http` where the operator does not allow it.
    #[error("is a plain http URL, which would send the credentials in the clear: use https")]
    PlainHttp,
    /// `https://user:password@host`.
    #[error("holds user information before the host: put the credentials into the credentials Secret")]
    UserInfo,
    /// `https://host/path#fragment` (RFC 6749 §3.2 forbids it).
    #[error("has a fragment (#…), which a token endpoint must not have (RFC 6749 §3.2)")]
    Fragment,
    /// `{tenant}` in a URL that is used as it is.
    #[error("holds {{tenant}}, but tokenURLType is Dedicated: set tokenURLType to Common")]
    PlaceholderInDedicated,
    /// The tenant is no DNS label.
    #[error("needs a tenant that is one DNS label: letters a-z, digits and inner hyphens, 63 at most")]
    Tenant,
    /// The tenant would decide which registered domain the credentials go to.
    #[error("must have at least two fixed labels after {{tenant}} in its host, as in {{tenant}}.example.com")]
    TenantDecidesDomain,
    /// No placeholder, and the host is an address that no subdomain can be put in front of.
    #[error("has an address as its host, so the tenant can't become a subdomain: place {{tenant}} in the URL")]
    AddressHost,
}

const PLACEHOLDER: &str = "{tenant}";

impl TokenEndpoint {
    /// Parses a token URL and puts the tenant in place. `allow_http` is for tests on loopback.
    pub fn parse(text: &str, url_type: UrlType<'_>, allow_http: bool) -> Result<Self, EndpointError> {
        // WHATWG's URLs leave these out, so that a placeholder could stand on two lines and not be seen.
        let text = &text.replace(['\t', '\n', '\r'], "");
        let url = match url_type {
            UrlType::Dedicated if text.contains(PLACEHOLDER) => return Err(EndpointError::PlaceholderInDedicated),
            UrlType::Dedicated => absolute(text)?,
            UrlType::Common { tenant } if !is_dns_label(tenant) => return Err(EndpointError::Tenant),
            UrlType::Common { tenant } if text.contains(PLACEHOLDER) => substitute(text, tenant)?,
            UrlType::Common { tenant } => prefix_host(absolute(text)?, tenant)?,
        };
        match url.scheme() {
            "https" => {}
            "http" if allow_http => {}
            "http" => return Err(EndpointError::PlainHttp),
            _ => return Err(EndpointError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        Ok(Self(url))
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host, as messages and metrics name the endpoint; with a port where it is not the scheme's own.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Scheme, host and port: what limits and pauses are counted by.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

fn absolute(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl)?;
    // No host's name has braces, but WHATWG's URLs let them through: a placeholder that was encoded, or misspelt.
    if url.host_str().is_none_or(|host| host.is_empty() || host.contains(['{', '}'])) {
        return Err(EndpointError::NotAUrl);
    }
    Ok(url)
}

/// Puts the tenant into every placeholder. Where one stands in the host, at least two labels of the host's
/// end stay fixed, so that the registered domain is the URL author's choice and never the tenant's.
///
/// Two tenants tell what is fixed, by the hosts that come of them: a URL can be written in ways that hide where its host
/// is (`https:\\{tenant}`) and how many labels it has (a soft hyphen is a label to the eye, and none to WHATWG's URLs).
fn substitute(text: &str, tenant: &str) -> Result<Url, EndpointError> {
    let url = absolute(&text.replace(PLACEHOLDER, tenant))?;
    let other = if tenant == "a" { "b" } else { "a" };
    let other = absolute(&text.replace(PLACEHOLDER, other)).map_err(|_| EndpointError::TenantDecidesDomain)?;
    let is_fixed = url.host() == other.host() || domain(&url).is_some_and(|labels| domain(&other) == Some(labels));
    if is_fixed { Ok(url) } else { Err(EndpointError::TenantDecidesDomain) }
}

/// The last two labels of a host that is a name, the last one first.
fn domain(url: &Url) -> Option<[&str; 2]> {
    let Some(Host::Domain(name)) = url.host() else { return None };
    let mut labels = name.rsplit('.').filter(|label| !label.is_empty());
    Some([labels.next()?, labels.next()?])
}

fn prefix_host(mut url: Url, tenant: &str) -> Result<Url, EndpointError> {
    let host = match url.host() {
        Some(Host::Domain(domain)) => format!("{tenant}.{domain}"),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => return Err(EndpointError::AddressHost),
    };
    url.set_host(Some(&host)).map_err(|_| EndpointError::NotAUrl)?;
    Ok(url)
}

/// RFC 1123 label, lower case, as Kubernetes and BTP subdomains are written.
fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINE: UrlType<'_> = UrlType::Common { tenant: "mytenant" };

    fn parsed(text: &str, url_type: UrlType<'_>) -> Result<String, EndpointError> {
        TokenEndpoint::parse(text, url_type, false).map(|endpoint| endpoint.url().to_string())
    }

    #[test]
    fn a_common_url_takes_the_tenant_where_the_destination_service_puts_it() {
        for (url, expected) in [
            ("https://auth.region.example.com/oauth/token", "https://mytenant.auth.region.example.com/oauth/token"),
            ("https://{tenant}.auth.region.example.com/oauth/token", "https://mytenant.auth.region.example.com/oauth/token"),
            ("https://auth.example.com/tenant/{tenant}/token", "https://auth.example.com/tenant/mytenant/token"),
            ("https://oauth.{tenant}.example.com/token", "https://oauth.mytenant.example.com/token"),
            ("https://auth.example.com:8443/token?zone={tenant}", "https://auth.example.com:8443/token?zone=mytenant"),
        ] {
            assert_eq!(parsed(url, MINE).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn a_dedicated_url_keeps_its_own_query() {
        let url = "https://api.neo.example.com/oauth2/apitoken/v1?grant_type=client_credentials";
        assert_eq!(parsed(url, UrlType::Dedicated).as_deref(), Ok(url));
    }

    #[test]
    fn an_unusable_url_says_what_is_wrong_with_it() {
        for (url, url_type, expected) in [
            ("not a url", UrlType::Dedicated, EndpointError::NotAUrl),
            ("/oauth/token", UrlType::Dedicated, EndpointError::NotAUrl),
            ("mailto:me@example.com", UrlType::Dedicated, EndpointError::NotAUrl),
            ("ftp://example.com/token", UrlType::Dedicated, EndpointError::Scheme),
            ("http://example.com/token", UrlType::Dedicated, EndpointError::PlainHttp),
            ("https://id:secret@example.com/token", UrlType::Dedicated, EndpointError::UserInfo),
            ("https://example.com/token#top", UrlType::Dedicated, EndpointError::Fragment),
            ("https://{tenant}.example.com/token", UrlType::Dedicated, EndpointError::PlaceholderInDedicated),
            ("https://{tenant}/token", MINE, EndpointError::TenantDecidesDomain),
            ("https://{tenant}.com/token", MINE, EndpointError::TenantDecidesDomain),
            ("https://auth.{tenant}:8443/token", MINE, EndpointError::TenantDecidesDomain),
            ("https://192.0.2.7/token", MINE, EndpointError::AddressHost),
        ] {
            assert_eq!(parsed(url, url_type), Err(expected), "{url}");
        }
    }

    #[test]
    fn a_tenant_decided_the_domain_where_the_url_hid_its_host_or_its_labels() {
        for url in [
            "https:\\\\{tenant}/token",
            "https:/auth-{tenant}.com/token",
            "https:auth-{tenant}.com/token",
            "https://{tenant}.com.\u{ad}/token",
            "https://{tenant}.com.%C2%AD/token",
            "https://{tenant}.com.\t/token",
            "https://{tenant}.0.0.1/token",
        ] {
            for tenant in ["mytenant", "10", "a"] {
                assert_eq!(parsed(url, UrlType::Common { tenant }).ok(), None, "{url} with {tenant}");
            }
        }
    }

    #[test]
    fn a_placeholder_that_was_hidden_from_us_became_part_of_the_host() {
        for (url, url_type, expected) in [
            ("https://{tena\rnt}.example.com/token", UrlType::Dedicated, EndpointError::PlaceholderInDedicated),
            ("https://auth.example.com/token?zone={ten\nant}", UrlType::Dedicated, EndpointError::PlaceholderInDedicated),
            ("https://%7Btenant%7D.example.com/token", UrlType::Dedicated, EndpointError::NotAUrl),
            ("https://%7Btenant%7D.example.com/token", MINE, EndpointError::NotAUrl),
            ("https://{subdomain}.example.com/token", MINE, EndpointError::NotAUrl),
        ] {
            assert_eq!(parsed(url, url_type), Err(expected), "{url:?}");
        }
        assert_eq!(parsed("https://{ten\tant}.example.com/t", MINE).as_deref(), Ok("https://mytenant.example.com/t"));
    }

    #[test]
    fn a_tenant_that_is_no_label_is_refused() {
        for tenant in ["", "a.b", "evil.com/", "x#", "x?", "x@y", "UPPER", "-a", "a-", "ä", "a b", &"a".repeat(64)] {
            assert_eq!(parsed("https://auth.example.com/token", UrlType::Common { tenant }), Err(EndpointError::Tenant), "{tenant}");
        }
    }

    #[test]
    fn plain_http_is_for_those_who_allow_it() {
        assert!(TokenEndpoint::parse("http://127.0.0.1:8080/token", UrlType::Dedicated, true).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_the_tenant_the_host_stays_in_the_authors_domain(tenant in "\\PC{0,70}") {
            for url in ["https://auth.example.com/token", "https://{tenant}.auth.example.com/token", "https://auth.example.com/{tenant}"] {
                if let Ok(endpoint) = TokenEndpoint::parse(url, UrlType::Common { tenant: &tenant }, false) {
                    prop_assert!(endpoint.url().host_str().unwrap().ends_with("auth.example.com"));
                }
            }
        }
    }
}
