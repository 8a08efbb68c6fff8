//! Whose authorization server a token endpoint is, as far as its address shows it.

use super::endpoint::TokenEndpoint;

/// A vendor whose servers are known by the address of their token endpoints.
///
/// A domain of the customer's own mostly hides the vendor: that is [`Vendor::Other`], and nothing of a vendor's is said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vendor {
    /// SAP Authorization and Trust Management.
    Xsuaa,
    /// SAP Cloud Identity Services: Identity Authentication, on the vendor's own domains.
    IdentityAuthentication,
    /// The token services of the SAP BTP Neo environment.
    Neo,
    /// The Cloud Foundry UAA.
    Uaa,
    /// Keycloak.
    Keycloak,
    /// Microsoft Entra ID.
    Entra,
    /// Okta.
    Okta,
    /// Auth0.
    Auth0,
    /// Any other, or one that can't be told. The last, so that [`Vendor::ALL`] can be checked.
    Other,
}

/// The domains of Identity Authentication tenants, behind the tenant's id.
const IDENTITY_AUTHENTICATION: [&str; 5] =
    ["accounts.ondemand.com", "trial-accounts.ondemand.com", "accounts400.ondemand.com", "accounts.cloud.sap", "accounts.sapcloud.cn"];
/// The domains of the BTP landscapes, behind the region.
const LANDSCAPES: [&str; 3] = ["hana.ondemand.com", "hanavlab.ondemand.com", "platform.sapcloud.cn"];
/// The paths of the Neo environment's token services: of its platform API and of its authorization server.
const NEO_PATHS: [&str; 2] = ["/oauth2/apitoken/v1", "/oauth2/api/v1/token"];
/// Microsoft's logon hosts, those of the sovereign clouds among them.
const ENTRA: [&str; 9] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.microsoftonline.de",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login-us.microsoftonline.com",
];
/// Microsoft's domains for the tenants of applications' own customers.
const ENTRA_CUSTOMERS: [&str; 2] = ["ciamlogin.com", "b2clogin.com"];
const OKTA: [&str; 5] = ["okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil"];
const AUTH0: [&str; 1] = ["auth0.com"];

impl Vendor {
    /// Every vendor once.
    pub const ALL: &'static [Self] = &[
        Self::Xsuaa,
        Self::IdentityAuthentication,
        Self::Neo,
        Self::Uaa,
        Self::Keycloak,
        Self::Entra,
        Self::Okta,
        Self::Auth0,
        Self::Other,
    ];

    /// The name, as documentation has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xsuaa => "XSUAA",
            Self::IdentityAuthentication => "Identity Authentication",
            Self::Neo => "SAP BTP Neo",
            Self::Uaa => "UAA",
            Self::Keycloak => "Keycloak",
            Self::Entra => "Entra ID",
            Self::Okta => "Okta",
            Self::Auth0 => "Auth0",
            Self::Other => "any other server",
        }
    }

    /// Tells the vendor from host and path, most certain evidence first.
    pub fn of(endpoint: &TokenEndpoint) -> Self {
        let address = Address::of(endpoint);
        let known: [(Self, bool); 8] = [
            (Self::IdentityAuthentication, address.is_below(&IDENTITY_AUTHENTICATION)),
            (Self::Xsuaa, address.has_label("authentication") && address.is_below(&LANDSCAPES)),
            (Self::Neo, address.is_below(&LANDSCAPES) && NEO_PATHS.contains(&address.path)),
            (Self::Entra, ENTRA.contains(&address.host) || address.is_below(&ENTRA_CUSTOMERS)),
            (Self::Auth0, address.is_below(&AUTH0)),
            (Self::Okta, address.is_below(&OKTA) || address.has_okta_path()),
            (Self::Keycloak, address.has_keycloak_path()),
            (Self::Uaa, address.is_uaa()),
        ];
        known.into_iter().find_map(|(vendor, fits)| fits.then_some(vendor)).unwrap_or(Self::Other)
    }
}

/// Host and path of a token endpoint, as far as they tell the vendor.
struct Address<'a> {
    host: &'a str,
    path: &'a str,
}

impl<'a> Address<'a> {
    fn of(endpoint: &'a TokenEndpoint) -> Self {
        let url = endpoint.url();
        Self { host: url.host_str().unwrap_or_default().trim_end_matches('.'), path: url.path().trim_end_matches('/') }
    }

    fn is_below(&self, domains: &[&str]) -> bool {
        let below = |domain: &&str| self.host.strip_suffix(*domain).is_some_and(|rest| rest.ends_with('.'));
        domains.iter().any(below)
    }

    fn has_label(&self, wanted: &str) -> bool {
        self.host.split('.').any(|label| label == wanted)
    }

    /// `/realms/REALM/protocol/openid-connect/token`, behind whatever path the server is mounted at.
    fn has_keycloak_path(&self) -> bool {
        let realm = self.path.strip_suffix("/protocol/openid-connect/token").and_then(|head| head.rsplit_once('/'));
        realm.is_some_and(|(head, realm)| head.ends_with("/realms") && !realm.is_empty())
    }

    /// A custom domain before one of Okta's authorization servers: `/oauth2/default/v1/token`, or an id that begins with `aus`.
    fn has_okta_path(&self) -> bool {
        let server = self.path.strip_prefix("/oauth2/").and_then(|rest| rest.strip_suffix("/v1/token"));
        server.is_some_and(|server| server == "default" || (server.starts_with("aus") && server.len() == 20 && !server.contains('/')))
    }

    /// Cloud Foundry installs it as `uaa.SYSTEM_DOMAIN` and `login.SYSTEM_DOMAIN`; elsewhere it is mounted at `/uaa`.
    fn is_uaa(&self) -> bool {
        let named = self.host.split('.').any(|label| label == "uaa" || label.ends_with("-uaa"));
        let system = ["login.cf.", "login.sys.", "login.system.", "login.run."].iter().any(|head| self.host.starts_with(head));
        self.path.ends_with("/uaa/oauth/token") || (self.path == "/oauth/token" && (named || system))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::endpoint::UrlType;

    fn of(address: &str) -> Vendor {
        Vendor::of(&TokenEndpoint::parse(&format!("https://{address}"), UrlType::Dedicated, false).unwrap())
    }

    #[test]
    fn the_address_shows_the_vendor() {
        for (vendor, addresses) in [
            (
                Vendor::Xsuaa,
                &[
                    "shop.authentication.eu10.hana.ondemand.com/oauth/token",
                    "shop.authentication.eu10-004.hana.ondemand.com/oauth/token",
                    "shop.authentication.cert.us10.hana.ondemand.com/oauth/token",
                    "authentication.us10.hana.ondemand.com/oauth/token",
                    "shop.authentication.sap.hana.ondemand.com/oauth/token?zone=x",
                    "shop.authentication.cn40.platform.sapcloud.cn/oauth/token",
                    "shop.authentication.cert.cn40.platform.sapcloud.cn/oauth/token",
                    "SHOP.Authentication.EU10.hana.ondemand.com./oauth/token",
                ][..],
            ),
            (
                Vendor::IdentityAuthentication,
                &[
                    "mytenant.accounts.ondemand.com/oauth2/token",
                    "mytenant.trial-accounts.ondemand.com/oauth2/token",
                    "mytenant.accounts400.ondemand.com/oauth2/token",
                    "mytenant.accounts.cloud.sap/oauth2/token",
                    "mytenant.accounts.sapcloud.cn/oauth2/token",
                ],
            ),
            (
                Vendor::Neo,
                &[
                    "api.hana.ondemand.com/oauth2/apitoken/v1?grant_type=client_credentials",
                    "api.eu1.hana.ondemand.com/oauth2/apitoken/v1",
                    "oauthasservices-a1b2.us1.hana.ondemand.com/oauth2/api/v1/token",
                ],
            ),
            (
                Vendor::Uaa,
                &[
                    "uaa.sys.example.com/oauth/token",
                    "zone.uaa.example.com/oauth/token",
                    "login.sys.example.com/oauth/token",
                    "uaa.cf.eu10.hana.ondemand.com/oauth/token",
                    "login.cf.eu10.hana.ondemand.com/oauth/token",
                    "zone.predix-uaa.run.example.com/oauth/token",
                    "192.0.2.7:8080/uaa/oauth/token",
                ],
            ),
            (
                Vendor::Keycloak,
                &[
                    "sso.example.com/realms/shop/protocol/openid-connect/token",
                    "sso.example.com/auth/realms/shop/protocol/openid-connect/token",
                    "192.0.2.7:8443/realms/a%20b/protocol/openid-connect/token",
                ],
            ),
            (
                Vendor::Entra,
                &[
                    "login.microsoftonline.com/contoso.example.com/oauth2/v2.0/token",
                    "login.microsoftonline.us/contoso.example.com/oauth2/v2.0/token",
                    "login.partner.microsoftonline.cn/common/oauth2/token",
                    "sts.windows.net/contoso.example.com/oauth2/token",
                    "contoso.ciamlogin.com/contoso.example.com/oauth2/v2.0/token",
                ],
            ),
            (
                Vendor::Okta,
                &[
                    "shop.okta.com/oauth2/v1/token",
                    "shop.oktapreview.com/oauth2/default/v1/token",
                    "login.example.com/oauth2/default/v1/token",
                    "login.example.com/oauth2/aus9o8wzkhckw9TLa0h7/v1/token",
                ],
            ),
            (Vendor::Auth0, &["shop.auth0.com/oauth/token", "shop.eu.auth0.com/oauth/token"]),
            (Vendor::Other, &["login.example.com/oauth2/token", "192.0.2.7/token", "login.example.com/oauth/token"]),
        ] {
            for address in addresses {
                assert_eq!(of(address), vendor, "{address}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_vendor_is_none() {
        for address in [
            "accounts.ondemand.com/oauth2/token",
            "mytenant.accounts.ondemand.com.example.com/oauth2/token",
            "notaccounts.ondemand.com/oauth2/token",
            "shop.authentication.eu10.hana.ondemand.com.example.com/oauth/token",
            "authentication.example.com/oauth/token",
            "shop.cfapps.eu10.hana.ondemand.com/oauth/token",
            "login.microsoftonline.com.example.com/oauth2/token",
            "example.com/login.microsoftonline.com/oauth2/token",
            "okta.com.example.com/oauth2/v1/token",
            "myokta.com/oauth2/v1/token",
            "login.example.com/oauth2/aus/v1/token",
            "login.example.com/oauth2/v1/token",
            "sso.example.com/realms/protocol/openid-connect/token",
            "sso.example.com/realms//protocol/openid-connect/token",
            "sso.example.com/protocol/openid-connect/token",
            "uaa.example.com/token",
            "quaa.example.com/oauth/token",
        ] {
            assert_eq!(of(address), Vendor::Other, "{address}");
        }
    }

    #[test]
    fn every_vendor_is_listed_once_and_in_order() {
        assert!(Vendor::ALL.iter().enumerate().all(|(index, vendor)| *vendor as usize == index));
        assert_eq!(Vendor::ALL.last(), Some(&Vendor::Other));
    }
}
