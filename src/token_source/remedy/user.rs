//! The user was refused, or the identity provider that keeps the user.

use super::Advice;
use crate::oauth::vendor::Vendor::{Auth0, Entra, IdentityAuthentication, Keycloak, Neo, Okta, Other, Uaa, Xsuaa};

pub(super) const AUTHENTICATION_FAILED: Advice = Advice {
    general: "Log on with this user and password at the identity provider in a browser; if that fails, \
              change the password or use another user.",
    specific: |vendor| match vendor {
        Xsuaa => Some("A Universal ID user needs the separate password of the SAP ID service account."),
        IdentityAuthentication => Some(
            "With a second factor the one-time code belongs behind the password: put the secret of the codes under totpSecret. \
             Identity Authentication locks a password after 5 failures.",
        ),
        Uaa => Some("The UAA locks a user after 5 failures, and then refuses the right password too."),
        Keycloak => Some(
            "With brute force detection Keycloak gives a locked user the same answer: look at the user in the admin console, under Users.",
        ),
        Entra => Some(
            "Entra takes passwords of the tenant's own accounts only: no guests, no personal accounts, and federated ones only where \
             their password hashes are synchronised.",
        ),
        Okta => Some("Reports, System Log in the Okta Admin Console says which policy or password it was."),
        Auth0 => Some("Auth0 looks for the user in the connection that the tenant's setting Default Directory names."),
        Neo | Other => None,
    },
};

pub(super) const CREDENTIALS_REJECTED: Advice = Advice {
    general: "Check client id and secret first, for instance by a client_credentials request with the same client: \
              if that works, it is the user. Then check user name and password at the identity provider.",
    specific: |vendor| match vendor {
        Xsuaa => Some("With spec.diagnosis.probe at Auto the operator asks so itself, since XSUAA answers both in the same words."),
        IdentityAuthentication => Some(
            "Look both up instead of trying: Identity Authentication locks client or password after 5 failures, a client for 60 minutes.",
        ),
        Uaa => Some("With spec.diagnosis.probe at Auto the operator asks so itself, since a UAA answers both in the same words."),
        Neo | Keycloak | Entra | Okta | Auth0 | Other => None,
    },
};

pub(super) const ACCOUNT_LOCKED: Advice = Advice {
    general: "Wait for the lock to end or have an administrator unlock the user, then correct the password in the credentials Secret.",
    specific: |vendor| match vendor {
        Xsuaa => Some("The lock is the identity provider's behind XSUAA: it is seen and lifted there."),
        IdentityAuthentication => {
            Some("Identity Authentication locks a password after 5 failures, mostly for 60 minutes, and refuses the right one until then.")
        }
        Uaa => Some("The UAA locks a user after 5 failures, and refuses the right password until the lock ends."),
        Keycloak => {
            Some("It is lifted under Users in the Keycloak admin console; Realm settings, Security defenses says how long it lasts.")
        }
        Entra => Some("AADSTS50053 is also said of an address that Microsoft distrusts: see the sign-in logs."),
        Okta => Some("It is lifted under Directory, People in the Okta Admin Console."),
        Auth0 => Some("It is lifted under User Management, Users in the Auth0 dashboard."),
        Neo | Other => None,
    },
};

pub(super) const ACCOUNT_DISABLED: Advice = Advice {
    general: "Have an administrator activate the user, or use another one.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some(
            "USER_INACTIVE wants the user activated, MAIL_NOT_VERIFIED the mail address verified, PASSWORD_DISABLED a logon by password \
             allowed.",
        ),
        Xsuaa => Some("The account is the identity provider's behind XSUAA."),
        Uaa => Some("In the UAA the user must be both active and verified."),
        Keycloak => Some("It is the switch Enabled of the user in the Keycloak admin console."),
        Entra => Some("It is Account enabled among the user's properties (AADSTS50057)."),
        Okta => Some("The user's status must be Active in Okta."),
        Auth0 => Some("A blocked user is unblocked under User Management, Users in the Auth0 dashboard."),
        Neo | Other => None,
    },
};

pub(super) const PASSWORD_CHANGE_REQUIRED: Advice = Advice {
    general: "Log on with this user in a browser, set a new password and put it into the credentials Secret.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some(
            "PASSWORD_CHANGE_REQUIRED comes back as often as the password policy lets this user's password expire: give technical users \
             one that does not.",
        ),
        Keycloak => Some("In Keycloak it is the required action Update Password, or a password that was set as Temporary."),
        Entra => Some("AADSTS50055 comes back as often as the tenant lets this user's password expire."),
        Auth0 => Some("With password_leaked it is Auth0's breached password detection."),
        Xsuaa | Neo | Uaa | Okta | Other => None,
    },
};

pub(super) const INITIAL_PASSWORD_EXPIRED: Advice = Advice {
    general: "Have an administrator issue a new initial password, log on once in a browser to set a lasting one, \
              and put that into the credentials Secret.",
    specific: |vendor| match vendor {
        IdentityAuthentication => {
            Some("After INITIAL_PASSWORD_EXPIRED only an administrator of the Identity Authentication tenant can do so.")
        }
        Xsuaa | Neo | Uaa | Keycloak | Entra | Okta | Auth0 | Other => None,
    },
};

pub(super) const MULTI_FACTOR_REQUIRED: Advice = Advice {
    general: "Exempt this technical user from the second factor, or use a grant without a user.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some(
            "Identity Authentication takes the one-time code behind the password: put the secret of the codes under totpSecret. \
             If it is there, check it and the clock of the operator's node.",
        ),
        Keycloak => Some("It is the step Conditional OTP of the realm's direct grant flow."),
        Entra => Some("It is a Conditional Access policy or the tenant's Security Defaults (AADSTS50076, AADSTS50079)."),
        Okta => Some("It is the sign-on policy of the application or of the Okta org."),
        Auth0 => Some("It is Security, Multi-factor Auth in the Auth0 dashboard; an Action can exempt a user."),
        Xsuaa | Neo | Uaa | Other => None,
    },
};

pub(super) const INTERACTION_REQUIRED: Advice = Advice {
    general: "Have an administrator consent for this client, or let the user do in a browser what is asked once.",
    specific: |vendor| match vendor {
        IdentityAuthentication => Some("With TOU_NOT_ACCEPTED it is the terms of use of the Identity Authentication tenant."),
        Keycloak => Some(
            "In Keycloak \"Account is not fully set up\" means that the user has required actions: remove them, or log on once and do them.",
        ),
        Entra => Some("AADSTS65001 wants Grant admin consent, under API permissions of the app registration."),
        Okta => Some("With consent_required the scope's setting User consent in Okta must be Implicit."),
        Auth0 => Some("With consent_required the API's setting Allow Skipping User Consent in Auth0 helps."),
        Xsuaa | Neo | Uaa | Other => None,
    },
};

pub(super) const IDENTITY_PROVIDER_NOT_SUPPORTED: Advice = Advice {
    general: "Use an identity provider that supports the password grant, which SAML providers don't, \
              and name it in the request where the server has several.",
    specific: |vendor| match vendor {
        Xsuaa => Some(
            "Name the origin key of an OpenID Connect provider in login_hint (spec.request.body): sap.default, sap.custom, or one that \
             the cockpit lists under Trust Configuration.",
        ),
        Uaa => Some("It is named by its origin, as {\"origin\":\"uaa\"} in login_hint (spec.request.body) for the UAA's own users."),
        Auth0 => Some("Auth0 asks the connection that the tenant's setting Default Directory names."),
        IdentityAuthentication | Neo | Keycloak | Entra | Okta | Other => None,
    },
};

pub(super) const IDENTITY_PROVIDER_ERROR: Advice = Advice {
    general: "The identity provider behind the server failed or was not reached; it is tried again. \
              If it stays, read the authorization server's log.",
    specific: |vendor| match vendor {
        Xsuaa => Some("Trust Configuration in the cockpit shows which provider it is and whether the trust is active."),
        Keycloak => Some("User federation in the Keycloak admin console can test connection and authentication."),
        IdentityAuthentication | Neo | Uaa | Entra | Okta | Auth0 | Other => None,
    },
};
