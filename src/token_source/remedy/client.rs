//! The client was refused: what to do by cause.

use super::Advice;
use crate::oauth::vendor::Vendor::{Auth0, Entra, IdentityAuthentication, Keycloak, Neo, Okta, Other, Uaa, Xsuaa};

pub(super) const UNKNOWN_CLIENT: Advice = Advice {
    general: "Check the client id, and that spec.tokenURL belongs to the tenant or realm where the client is registered.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "Take the id from the binding or service key itself (clientid). \
             For the subdomain of a subscriber, the application must be onboarded there through SaaS Provisioning.",
        ),
        IdentityAuthentication => {
            Some("The id is that of the application in the administration console of this very tenant; other tenants don't know it.")
        }
        Uaa => Some("A UAA client belongs to one identity zone, which is the subdomain before the host."),
        Keycloak => Some("It is the field Client ID under Clients in the Keycloak admin console, not the id in that page's address."),
        Entra => Some(
            "It is the Application (client) ID, not an object id, and the application must be known in the tenant of the token URL \
             (AADSTS700016).",
        ),
        Okta => Some("Compare it with the application's Client ID in the Okta org that the host names."),
        Auth0 => Some("Compare it with the application's Client ID in the Auth0 tenant that the host names."),
        Neo | Other => None,
    },
};

pub(super) const WRONG_SECRET: Advice = Advice {
    general: "Put the client's current secret into the credentials Secret; \
              check that it was not rotated or deleted at the server since.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "Check that the binding or service key it came from still exists, and that credential-types in the instance's security \
             descriptor has its type, instance-secret or binding-secret. \
             A secret with a + is safe in the body (clientAuthentication.method Body), not in the header.",
        ),
        IdentityAuthentication => {
            Some("After 5 failed attempts Identity Authentication locks the client for 60 minutes, and refuses the right secret too.")
        }
        Uaa => Some("An older UAA does not decode what stands in the header: use method Body, or basicEncoding Raw with Basic."),
        Keycloak => Some(
            "Compare it with Clients, Credentials in the admin console: unauthorized_client with status 401 is Keycloak's word for a \
             wrong secret.",
        ),
        Entra => Some(
            "Send the secret's Value, not its Secret ID (AADSTS7000215); the Value is shown once only, so make a new secret if nobody \
             kept it.",
        ),
        Okta => Some("An Okta application has up to two secrets: use one whose status is Active."),
        Auth0 => Some("Compare it with the application's settings in the Auth0 dashboard: rotating it there ends the old one at once."),
        Neo | Other => None,
    },
};

pub(super) const EXPIRED_SECRET: Advice = Advice {
    general: "Create a new client secret at the authorization server and put it into the credentials Secret.",
    specific: |vendor| match vendor {
        Xsuaa => Some("An XSUAA secret is part of its binding or service key: make a new one of these."),
        IdentityAuthentication => Some("The administration console shows with the application until when each of its secrets is valid."),
        Keycloak => Some("Where a Keycloak client policy rotates secrets, Clients, Credentials shows when the current one ends."),
        Entra => Some(
            "It stands in App registrations under Certificates & secrets: copy the Value, not the Secret ID, and note when it ends \
             (AADSTS7000222).",
        ),
        Neo | Uaa | Okta | Auth0 | Other => None,
    },
};

pub(super) const SECRET_ENCODING: Advice = Advice {
    general: "The server decodes the secret to something else: use clientAuthentication.method Body, or change basicEncoding.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "A secret with a + belongs in the body. Where only the header will do, basicEncoding FormURLEncoded encodes it and sends \
             X-CF-ENCODED-CREDENTIALS: true, which XSUAA needs to decode it.",
        ),
        Uaa => Some(
            "A newer UAA decodes where X-CF-ENCODED-CREDENTIALS: true is sent, as basicEncoding FormURLEncoded does; an older one needs \
             basicEncoding Raw.",
        ),
        IdentityAuthentication => {
            Some("Identity Authentication wants id and secret form-encoded in the header: leave basicEncoding at FormURLEncoded.")
        }
        Keycloak => Some("Keycloak decodes what stands in the header: leave basicEncoding at FormURLEncoded."),
        Entra => Some("Entra wants the secret form-encoded: leave basicEncoding at FormURLEncoded."),
        Neo | Okta | Auth0 | Other => None,
    },
};

pub(super) const WRONG_AUTHENTICATION_METHOD: Advice = Advice {
    general: "Set spec.clientAuthentication.method to the one that the client is registered for.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "A binding with certificate and key (x509) wants MutualTLS and the host of its certurl, one with clientsecret wants Body or \
             Basic.",
        ),
        IdentityAuthentication => Some("Identity Authentication takes Basic, MutualTLS and ClientAssertion."),
        Neo => Some("A Neo token service takes the client in the header only: set method Basic."),
        Keycloak => Some(
            "It is the Client Authenticator under Clients, Credentials; a client with Client authentication off is public and needs None.",
        ),
        Entra => Some(
            "AADSTS700025 says that the client is public: use method None, or have it registered with a secret as a confidential client.",
        ),
        Okta => Some("With Okta client_secret_basic is Basic, client_secret_post is Body, and private_key_jwt is ClientAssertion."),
        Auth0 => Some(
            "It is the application's Authentication Method in the Auth0 dashboard: Client Secret (Post) is Body, (Basic) is Basic, \
             Private Key JWT is ClientAssertion.",
        ),
        Uaa | Other => None,
    },
};

pub(super) const BAD_CERTIFICATE: Advice = Advice {
    general: "Check that the client certificate is the registered one, has not expired, and goes to a host that asks for one.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "That is the host of the binding's certurl, the one with \".cert.\"; credential-types in the security descriptor must have \
             x509, and a subscriber's application must be onboarded. A TLS handshake that fails all the same is a matter for SAP support.",
        ),
        IdentityAuthentication => Some("Compare it with the certificate that the administration console shows with the application."),
        Keycloak => Some(
            "Compare its subject with the Subject DN under Clients, Credentials; a proxy before Keycloak must hand the certificate on.",
        ),
        Entra => {
            Some("Entra takes a certificate within a signed assertion, not in the TLS handshake: use method ClientAssertion, or a secret.")
        }
        Neo | Uaa | Okta | Auth0 | Other => None,
    },
};

pub(super) const BAD_CLIENT_ASSERTION: Advice = Advice {
    general: "Check the client assertion's issuer, subject, audience, key and life against the client's registration, \
              and the clock of the operator's node.",
    specific: |vendor| match vendor {
        IdentityAuthentication => {
            Some("Issuer and subject must be those that the application trusts, as the administration console shows them.")
        }
        Keycloak => Some("The public key or the URL of its JWKS stands under Clients, Keys in the Keycloak admin console."),
        Entra => Some(
            "Issuer, subject and audience (api://AzureADTokenExchange) must equal those of the federated credential, letter by letter \
             (AADSTS70021, AADSTS700213).",
        ),
        Okta => Some("The public key must be saved with the Okta application, and keyID, if set, must be its KID there."),
        Auth0 => Some("The audience is the address of the Auth0 tenant with a slash at its end: set signedJWT.audience to that."),
        Xsuaa | Neo | Uaa | Other => None,
    },
};

pub(super) const MISSING_CREDENTIALS: Advice = Advice {
    general: "The server saw no client credentials, or not all: check the keys of the credentials Secret and \
              spec.clientAuthentication.method.",
    specific: |vendor| match vendor {
        Xsuaa => Some("A binding of type x509 has no clientsecret: set method MutualTLS."),
        IdentityAuthentication => Some("Identity Authentication takes Basic, MutualTLS and ClientAssertion."),
        Neo => Some("A Neo token service takes the client in the header only: set method Basic."),
        Keycloak => Some("A Keycloak client with Client authentication on needs its secret for a user's token too."),
        Entra => Some("AADSTS7000218 says that this client must bring a secret or an assertion."),
        Uaa | Okta | Auth0 | Other => None,
    },
};

pub(super) const CLIENT_DISABLED: Advice = Advice {
    general: "Have the client enabled or unlocked at the authorization server.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some(
            "Identity Authentication locks a client for 60 minutes after 5 failed attempts: correct the secret first, then let the hour \
             pass.",
        ),
        Keycloak => Some("It is the switch Enabled of the client in the Keycloak admin console."),
        Entra => Some("Look at Enabled for users to sign-in under Properties of the enterprise application (AADSTS7000112)."),
        Okta => Some("Activate the application in the Okta Admin Console."),
        Xsuaa | Neo | Uaa | Auth0 | Other => None,
    },
};

pub(super) const UNSPECIFIED: Advice = Advice {
    general: "Check client id and secret, the client's registration with its grant types, and spec.clientAuthentication.method; \
              the authorization server's log says more.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "Check that the binding or service key still exists, and that credential-types in the instance's security descriptor has its \
             type: instance-secret, binding-secret or x509. In a subscriber's tenant the application must be onboarded through SaaS \
             Provisioning.",
        ),
        IdentityAuthentication => Some(
            "Identity Authentication takes Basic, MutualTLS and ClientAssertion. \
             It locks a client for 60 minutes after 5 failed attempts: look the secret up instead of trying.",
        ),
        Neo => Some("A Neo token service takes the client in the header only: set method Basic."),
        Uaa => Some("An older UAA does not decode what stands in the header: use method Body, or basicEncoding Raw with Basic."),
        Keycloak => Some(
            "Keycloak's unauthorized_client with status 401 is a wrong secret, or Service accounts roles turned off in the client's \
             settings.",
        ),
        Entra => Some("The AADSTS number in the message names the cause: Microsoft explains it at login.microsoftonline.com/error."),
        Okta => Some("In Okta that is Reports, System Log."),
        Auth0 => Some("In Auth0 that is Monitoring, Logs; access_denied with Unauthorized is a wrong secret."),
        Other => None,
    },
};
