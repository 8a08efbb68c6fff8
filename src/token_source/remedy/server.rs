//! The server, or the way to it, is the trouble.

use super::Advice;
use crate::oauth::vendor::Vendor::{Auth0, Entra, IdentityAuthentication, Keycloak, Neo, Okta, Other, Uaa, Xsuaa};

pub(super) const RATE_LIMITED: Advice = Advice {
    general: "Nothing to do: requests pause as long as the server asks. If it stays, fewer TokenSources or longer token lives help.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some(
            "Identity Authentication takes 1,000 requests a minute for a tenant and 50 at a time from one address, all callers together.",
        ),
        Okta => Some("Reports, Rate Limits in the Okta Admin Console shows who uses the limit."),
        Xsuaa | Neo | Uaa | Keycloak | Entra | Auth0 | Other => None,
    },
};

pub(super) const TEMPORARILY_UNAVAILABLE: Advice =
    Advice::plain("Nothing to do: it is tried again. If it stays, see whether the server, or a gateway before it, is down.");

pub(super) const SERVER_ERROR: Advice = Advice::plain("It is tried again. If it stays, read the authorization server's log.");

pub(super) const PROXY_AUTHENTICATION_REQUIRED: Advice =
    Advice::plain("The proxy between the operator and the server wants credentials: have the host exempted there.");

pub(super) const NOT_AN_OAUTH_RESPONSE: Advice = Advice {
    general: "Check spec.tokenURL: it is answered by a web page, a redirect or a gateway, not by a token endpoint. \
              Redirects are never followed with credentials.",
    specific: |vendor| match vendor {
        Xsuaa => Some("The path of XSUAA's token endpoint is /oauth/token."),
        IdentityAuthentication => Some("The path of Identity Authentication's token endpoint is /oauth2/token."),
        Entra => Some("The path of Entra's token endpoint is /TENANT/oauth2/v2.0/token."),
        Okta => Some("The path of Okta's token endpoint is /oauth2/v1/token, or /oauth2/SERVER/v1/token."),
        Auth0 => Some("The path of Auth0's token endpoint is /oauth/token."),
        Neo | Uaa | Keycloak | Other => None,
    },
};

pub(super) const INVALID_TOKEN_RESPONSE: Advice =
    Advice::plain("Check that spec.tokenURL is a token endpoint and that it issues Bearer tokens with a sane lifetime.");

pub(super) const TLS_VERIFICATION_FAILED: Advice = Advice {
    general: "Put the certificates of the authority that signed the server's certificate into spec.tls.caBundle, \
              or have the server's certificate renewed or reissued for this host.",
    specific: |vendor| match vendor {
        Xsuaa | IdentityAuthentication | Neo | Entra | Okta | Auth0 => Some(
            "A public authority signs this host's certificates: another one points to a proxy that opens TLS, or to a caBundle without \
             the public roots.",
        ),
        Uaa | Keycloak | Other => None,
    },
};

pub(super) const CONNECTION_FAILED: Advice = Advice::plain(
    "Check the host in spec.tokenURL, DNS, network policies and firewalls between the operator and the server, \
     and whether a proxy is needed (spec.request.proxyURL).",
);
