//! What is said about the user, and about the provider that keeps the user.

use super::vocabulary::{GONE, NOT_ALLOWED, OFF, PROVIDER as IDP, USER as USER_WORDS, WRONG};
use super::{On, Pattern, says};
use crate::oauth::rejection::{ClientCause as Cause, Rejection};

use Rejection::{
    ClientAuthenticationFailed as Client, CredentialsRejected, GrantTypeNotAllowed, IdentityProviderError, IdentityProviderNotSupported,
    InitialPasswordExpired, MultiFactorRequired, PasswordChangeRequired, ServerError, UserAccountDisabled, UserAccountLocked,
    UserAuthenticationFailed, UserInteractionRequired,
};

const MANY: &str = "too many|consecutive|maximum|exceeded|multiple|repeated|number of";
const ATTEMPTS: &str = "attempt|failed login|failed logon|failures|failed|invalid login|unsuccessful|wrong password|incorrect password";
const LOCKED: &str = "locked|lockout|lock out|lockedout|locked out|temporarily disabled|temporarily blocked|temporarily suspended|\
    temporary lock|temporarily lock|brute force|blocked due to too many|islocked|temporarily unavailable due to";
const SECOND_FACTOR: &str = "mfa|multi factor|multifactor|two factor|twofactor|2 factor|2fa|second factor|two step|2 step|otp |totp |\
    one time code|one time pass|passcode|verification code|step up|strong auth|authenticator|security code|additional factor|\
    additional authentication|security challenge|2nd factor";
const PASSWORD_IS_OVER: &str = "expired|has expired|leaked|breach|compromised|disclosed|force change|forced|pwned|new password required|\
    is too old|no longer valid|temporary|outdated";
const CHANGE: &str = "change|reset|update|renew|set a new";
const MUST: &str = "must|required|requires|need|has to|have to|please|forced|due|should";
const NOT_READY: &str = "not verified|isnt verified|unverified|not confirmed|unconfirmed|not been verified|not been confirmed|\
    not been activated|must be verified|must verify|verify your|must have a verified|forbidden to sign in|forbidden to log|\
    not allowed to sign in|not allowed to log|not allowed to authenticate|not permitted to log|cannot log|can not log|expired|deleted|\
    pending|suspend|is not yet|not validated|confirm your|has been removed|no longer active|is blocked";
const PERSON_NEEDED: &str = "not fully set up|not fully setup|hasnt approved|has not approved|havent approved|not approved this|\
    not yet approved|interaction required|interaction is required|user interaction|requires interaction|login required|consent |consented|\
    terms of use|terms of service|terms and conditions|accept the terms|required action|privacy policy|update your profile|\
    update profile|rapt |not granted access to|user action";
const UNREACHABLE: &str = "could not obtain|could not connect|couldnt connect|could not reach|cannot connect|cannot reach|cant connect|\
    unable to connect|unable to reach|unable to contact|unreachable|not reachable|unavailable|timeout|timed out|error from|\
    failed to connect|communication|connection refused|connection error|connection reset|connect error|not respond|didnt respond|\
    bad gateway|internal error|internal server|server error|returned an error|failed to retrieve|failed to fetch|failed to contact|\
    is down|not be contacted|not be reached|malformed response|invalid response|unexpected response|no response|io error|\
    unexpected error|encountered an error|error communicating|no id token";

/// The state of an account, which every server words in its own way.
pub(super) const STATE: &[Pattern] = &[
    says(Client(Cause::ClientDisabled), On::ClientCredentials, &[&[MANY], &[ATTEMPTS]], &[]),
    says(UserAccountLocked, On::Any, &[&[MANY], &[ATTEMPTS]], &["client "]),
    // WSO2's number of a locked account.
    says(UserAccountLocked, On::User, &[&["17003 "]], &[]),
    says(
        UserAccountLocked,
        On::Any,
        &[&["user|account|login|logon|password|resource owner|sign in"], &[LOCKED]],
        &["not locked|unlocked|client |before |left |remaining|will be locked"],
    ),
    says(
        InitialPasswordExpired,
        On::NotRefresh,
        &[&["initial password|first time password|temporary password"], &["expired|no longer valid|run out|validity"]],
        &[],
    ),
    says(
        PasswordChangeRequired,
        On::NotRefresh,
        &[&["password|passwort"], &[PASSWORD_IS_OVER]],
        &["client |otp |one time|disabled|not been"],
    ),
    says(PasswordChangeRequired, On::NotRefresh, &[&["password"], &[CHANGE], &[MUST]], &["client |otp |one time|forgot|if you"]),
    says(PasswordChangeRequired, On::User, &[&["credentials"], &["expired"]], &["client |token|session|secret"]),
    says(MultiFactorRequired, On::NotClientCredentials, &[&[SECOND_FACTOR]], &["not enabled for|client secret"]),
    says(GrantTypeNotAllowed, On::Any, &[&["client requires|client demands|client needs"], &["consent"]], &[]),
    says(UserInteractionRequired, On::Any, &[&[PERSON_NEEDED]], &["scope|admin consent header"]),
    says(UserInteractionRequired, On::NotRefresh, &[&["reauth|re authenticat"]], &["scope"]),
    says(
        UserAccountDisabled,
        On::Any,
        &[&["user |users |account|resource owner|member |email|e mail|mail |login |profile |person "], &[OFF, NOT_READY]],
        &[
            "assertion|client |consumer |application |app |grant|flow |token|service account|tenant|realm|not found|not exist|scope|origin |\
                provider|domain|session|authentication is|credentials user|password expired",
        ],
    ),
    says(
        UserAccountDisabled,
        On::User,
        &[&["password disabled|password is disabled|password logon is disabled|password login is disabled for"]],
        &["grant"],
    ),
];

/// The provider behind the server: in UAA the origin, in Dex the connector.
pub(super) const PROVIDER: &[Pattern] = &[
    // The server can't sign: nobody's credentials.
    says(
        ServerError,
        On::Any,
        &[&["sign token|sign the token|signing key|signing keys"], &["unable|misconfigur|could not|cannot|failed to"]],
        &["assertion|jwt bearer|client"],
    ),
    says(
        IdentityProviderError,
        On::Any,
        &[
            &[IDP, "ldap|active directory|user store|userstore|authentication agent|directory server|upstream|user federation"],
            &[UNREACHABLE],
        ],
        &["redis"],
    ),
    says(
        IdentityProviderNotSupported,
        On::Any,
        &[
            &[IDP],
            &[
                GONE,
                OFF,
                NOT_ALLOWED,
                "not match|doesnt match|multiple|missing|invalid|misconfigur|could not determine|ambiguous|incorrect|wrong|no active|\
                    more than one",
            ],
        ],
        &["signature|user not found|issuer"],
    ),
];

/// Wrong user credentials, when the sentence is not about the client as well.
pub(super) const USER: &[Pattern] = &[
    says(
        CredentialsRejected,
        On::User,
        &[&["client |client id|secret"], &["user |username|password|user credentials"], &[WRONG]],
        &["user name not|client credentials"],
    ),
    says(
        UserAuthenticationFailed,
        On::User,
        &[
            &[USER_WORDS, "user credentials|resource owner credentials"],
            &[WRONG, GONE, "authentication failed|not authenticated|could not be authenticated"],
        ],
        &["client |secret|grant |tenant|realm|scope|policy|policies"],
    ),
];
