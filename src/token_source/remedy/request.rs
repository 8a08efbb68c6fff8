//! What was asked for was refused: grant, scope, assertion, policy, tenant.

use super::Advice;
use crate::oauth::vendor::Vendor::{Auth0, Entra, IdentityAuthentication, Keycloak, Neo, Okta, Other, Uaa, Xsuaa};

pub(super) const GRANT_TYPE_NOT_ALLOWED: Advice = Advice {
    general: "Allow the grant type in the client's registration, or set spec.grant.type to one that is allowed.",
    specific: |vendor| match vendor {
        Xsuaa => Some("It is grant-types under oauth2-configuration in the instance's security descriptor."),
        IdentityAuthentication => Some("It is among the grant types in the application's OpenID Connect configuration."),
        Uaa => Some("In the UAA these are the client's authorized_grant_types."),
        Keycloak => Some(
            "In the client's settings in Keycloak turn on Service accounts roles for client_credentials, Direct access grants for password.",
        ),
        Entra => Some("Use the token URL of the tenant itself, not the one with /common, at which Entra refuses these grants."),
        Okta => {
            Some("Okta asks twice: the application's settings and an access policy rule of the authorization server must both have it.")
        }
        Auth0 => Some("It stands in the application's advanced settings under Grant Types in the Auth0 dashboard."),
        Neo | Other => None,
    },
};

pub(super) const INVALID_SCOPE: Advice = Advice {
    general: "Ask only for scopes, audience and resource that the client is registered for.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "An XSUAA scope begins with its application's xsappname, as in shop!t4711.Read; with client_credentials another application \
             gives it by grant-as-authority-to-apps.",
        ),
        IdentityAuthentication => Some("Identity Authentication knows the scopes openid, email, profile and groups."),
        Uaa => Some("With client_credentials a UAA looks at the client's authorities, not at its scope."),
        Keycloak => Some("In Keycloak a scope must be a client scope of the realm, and be assigned to the client."),
        Entra => Some(
            "With client_credentials Entra takes one scope: the resource's identifier with /.default behind it (AADSTS70011, \
             AADSTS1002012).",
        ),
        Okta => Some("With client_credentials Okta wants a scope of the authorization server's own, not openid and its like."),
        Auth0 => Some("In Auth0 spec.grant.audience must be the Identifier of an API for which the application is authorized."),
        Neo | Other => None,
    },
};

pub(super) const INVALID_REQUEST: Advice = Advice {
    general: "Compare the request with the server's documentation: extra parameters, client authentication method, \
              and the token URL itself.",
    specific: |vendor| match vendor {
        Xsuaa => Some("A login_hint must be JSON, as in {\"origin\":\"sap.custom\"}."),
        Uaa => Some("A login_hint must be JSON, as in {\"origin\":\"uaa\"}."),
        Keycloak => {
            Some("Keycloak answers so to special characters in the header that are not encoded: leave basicEncoding at FormURLEncoded.")
        }
        Entra => Some("AADSTS900144 names the parameter that is missing; mostly it is the scope."),
        Auth0 => Some("With client_credentials Auth0 wants spec.grant.audience."),
        IdentityAuthentication | Neo | Okta | Other => None,
    },
};

pub(super) const ASSERTION_REJECTED: Advice = Advice {
    general: "Check the assertion's issuer, audience, signature and life, and the trust that the server has in its issuer.",
    specific: |vendor| match vendor {
        Xsuaa => Some("XSUAA trusts its own tenant and the providers that the cockpit lists under Trust Configuration."),
        Uaa => Some("Its issuer must be an identity provider of the UAA's zone."),
        Keycloak => Some(
            "For a token exchange turn on Standard token exchange in the client's settings in Keycloak; the subject token's audience must \
             name this client.",
        ),
        Entra => Some(
            "Entra wants this application as the assertion's audience, and requested_token_use=on_behalf_of in spec.request.body \
             (AADSTS500131).",
        ),
        IdentityAuthentication | Neo | Okta | Auth0 | Other => None,
    },
};

pub(super) const REFRESH_TOKEN_INVALID: Advice = Advice {
    general: "Provide a new refresh token, or use a grant that needs none.",
    specific: |vendor| match vendor {
        Xsuaa => Some("How long one lives is refresh-token-validity under oauth2-configuration in the instance's security descriptor."),
        IdentityAuthentication => Some("spec.refreshExpirySeconds can only shorten its life."),
        Keycloak => Some("In Keycloak it ends with the user's session, unless it was asked for with the scope offline_access."),
        Entra => Some("AADSTS700082 says that it lay unused for too long, AADSTS50173 that the password was changed since."),
        Okta => Some("Where Okta rotates refresh tokens, each is taken once only."),
        Auth0 => Some("Where Auth0 rotates refresh tokens, one that is used twice ends all that came from it."),
        Neo | Uaa | Other => None,
    },
};

pub(super) const ACCESS_DENIED: Advice = Advice {
    general: "Ask the server's administrator which policy denies it: allowed addresses, a rule for sign-ins, or an assignment \
              that is missing.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some("See the application's rules for Risk-Based Authentication in the administration console."),
        Entra => Some(
            "See the sign-in logs: Conditional Access (AADSTS53003), or an assignment that the enterprise application requires \
             (AADSTS50105, AADSTS501051).",
        ),
        Okta => Some("In Okta a rule of the authorization server's access policies must allow this client, grant and scope together."),
        Auth0 => Some("In Auth0 authorize the application for the API and set spec.grant.audience; a Rule or an Action can deny it too."),
        Xsuaa | Neo | Uaa | Keycloak | Other => None,
    },
};

pub(super) const TENANT_NOT_FOUND: Advice = Advice {
    general: "Check the tenant or realm in spec.tokenURL and spec.tenant: its spelling, and that it still exists.",
    specific: |vendor| match vendor {
        Xsuaa => {
            Some("The host begins with the subaccount's subdomain, which is neither its name nor its id, and goes on with its region.")
        }
        IdentityAuthentication => Some("The host begins with the id of the Identity Authentication tenant."),
        Uaa => Some("The subdomain of the identity zone stands before the UAA's host."),
        Keycloak => Some("Realm names are case-sensitive, and a Keycloak older than 17 has /auth before /realms."),
        Entra => Some("The path has the tenant's id or one of its domains (AADSTS90002); sovereign clouds have hosts of their own."),
        Okta => Some(
            "The path names an authorization server of the Okta org, as in /oauth2/default/v1/token; the org's own is /oauth2/v1/token.",
        ),
        Auth0 => Some("The host of an Auth0 tenant has its region in it, as in TENANT.eu.auth0.com."),
        Neo | Other => None,
    },
};
