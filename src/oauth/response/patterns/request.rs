//! What is said about the request: limits, parameters, grant, scope, the token or assertion that was sent, the place it went to.

use super::vocabulary::{EXPIRED, GONE, MISSING as NOT_SENT, NOT_ALLOWED, OFF, WRONG};
use super::{On, Pattern, says};
use crate::oauth::rejection::{ClientCause as Cause, Rejection};

use Rejection::{
    AccessDenied, AssertionRejected, ClientAuthenticationFailed as Client, GrantTypeNotAllowed, InvalidRequest, InvalidScope,
    NotAnOAuthResponse, RateLimited, RefreshTokenInvalid, TemporarilyUnavailable, TenantNotFound,
};

const GRANT: &str = "grant type|granttype|grant |grants |flow |flows |authorization grant|ropc|direct access|service account|\
    direct grant";
const GRANT_NAMES: &str = "client credentials|jwt bearer|saml2 bearer|token exchange|refresh token|refresh tokens|password credentials";
const CLIENT_PARAMETERS: &str = "client id|clientid|client identifier|client secret|client assertion|client credential|\
    client authentication|authorization header|basic auth|no credential|missing credential|credentials are required|\
    authentication credentials|full authentication|clientsecret|client password|credentials missing|credentials is missing|\
    client is required";
const PARAMETERS: &str = "grant type|username|user name|password|assertion|refresh token|parameter|param |subject token|code |audience|\
    resource |redirect uri|request body|field|actor token|requested token|body |account id|user credentials|payload";
const SENT: &str = "assertion|jwt|saml|signature|signing|id token|subject token|token|audience|aud |issuer|iss |subject|bearer|claim|\
    nonce|recipient|issue instant|exp |iat |nbf |jti |certificate|account|user |user s |key |kid |principal";
const FAULT: &str = "not trusted|untrusted|no trusted|replay|already used|not yet valid|unable to|could not|couldnt|cannot|decode|parse|\
    verif|validat|malformed|does not|not authorized|not allowed|too far|too long|in the future|must be|not before|unsupported|revoked|\
    must not|not found|error";
const PLACE: &str = "tenant|realm|instance |identity zone|identityzone|zone |authorization server|authorizationserver|subdomain|organization |\
    organisation |environment|directory |domain |user pool|userpool|host |hostname|org ";

/// Limits, before "too many" is read as anything else.
pub(super) const LIMITS: &[Pattern] = &[says(
    RateLimited,
    On::Any,
    &[&[
        "rate limit|ratelimit|login rate exceeded|rate exceeded|too many requests|too many request |throttl|quota|spike arrest|spikearrest|request loop|requests per|\
            limit exceeded|slow down|request limit",
    ]],
    &["attempt|login attempt|failed login|password|user account"],
)];

/// API keys and subscriptions are a gateway's; beside a code of OAuth they are not meant.
pub(super) const GATEWAY: &[Pattern] = &[says(
    NotAnOAuthResponse,
    On::Any,
    &[&["api key|apikey|subscription key|key not authori"], &["no |not |missing|invalid|failed to resolve|required|wrong|incorrect"]],
    &["client "],
)];

/// Parameters that the server misses, or got twice.
pub(super) const MISSING: &[Pattern] = &[
    says(InvalidRequest, On::Any, &[&["more than once|duplicate|duplicated|repeated parameter|sent twice"]], &["jti|assertion|token"]),
    says(
        InvalidScope,
        On::Any,
        &[&["scope|scopes"], &["missing|required|must contain|not specified|not provided|empty|no scope"]],
        &["grant type|client id|parameter"],
    ),
    says(GrantTypeNotAllowed, On::Any, &[&["no client credentials user|no client credential user|credentials flow user"]], &[]),
    says(
        Client(Cause::MissingCredentials),
        On::Any,
        &[&[CLIENT_PARAMETERS], &[NOT_SENT, "no client|not found|none"]],
        &[
            "claim|jti |redirect|invalid or|client requires|scope|grant type|expired|certificate|audience|could not be found|requested id|with id",
        ],
    ),
    says(
        Client(Cause::MissingCredentials),
        On::Any,
        &[&["full authentication is required|missing client|client not specified|authentication object was not found"]],
        &["scope|certificate"],
    ),
    says(
        InvalidRequest,
        On::Any,
        &[&[PARAMETERS], &[NOT_SENT]],
        &["scope|client |invalid or|expired|change|verif|permission|policy|certificate|mfa|factor|missing or"],
    ),
];

/// Grant types, scopes, audiences.
pub(super) const GRANT_AND_SCOPE: &[Pattern] = &[
    says(InvalidScope, On::Any, &[&["scopes requested|requested scope|any of the scopes|audience not found"]], &[]),
    // The client is known and may not have this API.
    says(
        AccessDenied,
        On::Any,
        &[&["client is not authorized to access|client not authorized to access|associated to this api"]],
        &["scope", "grant type"],
    ),
    says(
        GrantTypeNotAllowed,
        On::Any,
        &[&[GRANT], &[NOT_ALLOWED]],
        &["scope|secret|audience|access token|user is|users are|redirect|ip address|service account is disabled|deleted"],
    ),
    says(
        GrantTypeNotAllowed,
        On::Any,
        &[
            &["grant type|granttype|grant types"],
            &["unknown|invalid|not valid|isnt valid|unexpected|denied|must be one of|incorrect|wrong"],
        ],
        &["scope"],
    ),
    says(
        GrantTypeNotAllowed,
        On::Any,
        &[
            &[GRANT_NAMES],
            &["not allowed|not enabled|not supported|unsupported|not permitted|disabled|not authorized to use|cannot use|isnt enabled"],
        ],
        &["scope|secret|invalid|expired|user "],
    ),
    says(
        GrantTypeNotAllowed,
        On::Any,
        &[
            &["using this method|public client|public clients|use this grant|this type of grant|to exchange|token exchange"],
            &[NOT_ALLOWED, "cannot|can not|may not"],
        ],
        &["scope"],
    ),
    says(
        InvalidScope,
        On::Any,
        &[
            &["scope|scopes"],
            &[WRONG, GONE, NOT_ALLOWED, "exceed|insufficient|not assigned|empty|malformed|none of|not granted|no valid|beyond"],
        ],
        &["client authentication"],
    ),
    says(
        InvalidScope,
        On::NotAssertion,
        &[
            &["audience|resource indicator|resource server|requested resource|resource principal|api identifier|service not found|\
                    resource parameter|the resource|target service"],
            &[WRONG, GONE, NOT_ALLOWED, "whitelist|service not found|not been|not available|no such|not a known|unable to"],
        ],
        &["assertion|jwt|token|client authentication|resource owner"],
    ),
];

/// The refresh token, the assertion or the subject token.
pub(super) const SENT_TOKEN: &[Pattern] = &[
    says(
        RefreshTokenInvalid,
        On::Refresh,
        &[
            &["refresh token|refreshtoken|token |tokens |session|grant "],
            &[
                WRONG,
                GONE,
                EXPIRED,
                "revoked|already used|reuse|malformed|another client|used|not active|inactive|issued to|not found|could not|cannot|stale|\
                    limit",
            ],
        ],
        &["secret|client assertion|grant type|client is not"],
    ),
    says(
        AssertionRejected,
        On::Assertion,
        &[&[SENT], &[WRONG, GONE, EXPIRED, FAULT]],
        &["client assertion|client id|client secret|clientassertion|client authentication|grant type|client credential|o auth client|\
                policy|ip address|admin approved|client does|client not|client is|requested token type"],
    ),
];

/// Where the request went, and what a policy says.
pub(super) const REST: &[Pattern] = &[
    says(
        TenantNotFound,
        On::Any,
        &[&[PLACE], &[GONE, OFF, "invalid|not supported on this|not map|not valid|neither a valid|lives elsewhere|not a valid"]],
        &["user |users |client |application |app |account|scope|token|redirect|password|email"],
    ),
    says(TenantNotFound, On::Any, &[&["not supported on this domain|user lives elsewhere|login pages unavailable|unknown host"]], &[]),
    says(
        NotAnOAuthResponse,
        On::Any,
        &[
            &["csrf|xsrf|no route|missing authentication token|no static resource|no message available"],
            &["csrf|xsrf|no |missing|invalid|not "],
        ],
        &["client "],
    ),
    says(InvalidRequest, On::Any, &[&["https|ssl|tls"], &["must|required|requires|only"]], &["certificate"]),
    says(
        AccessDenied,
        On::Any,
        &[
            &["ip address|source ip|ip restrict|ip is|your ip|client ip|ip range|whitelist|allowlist|allow list|trusted ip|\
                    network zone|ip |geo|country|location"],
            &["not|denied|restrict|block|outside|forbidden|reject"],
        ],
        &["audience|scope|redirect"],
    ),
    says(
        AccessDenied,
        On::Any,
        &[&["policy|policies|conditional access|rule"], &["denied|deny|block|failed|not |prevent|violat|reject|evaluation|disallow"]],
        &["password policy"],
    ),
    says(
        AccessDenied,
        On::Any,
        &[&["not assigned|not admin approved|app denied|permission|not entitled|isnt assigned|not subscribed|no subscription|license|\
                licence|not authorized by the enterprise|not authorized to access|not authorised to access|blocked by|\
                not allowed to access|required group|required role|not a member|not meet"]],
        &["grant"],
    ),
    says(
        TemporarilyUnavailable,
        On::Any,
        &[&["maintenance|try again later|temporarily unavailable|temporarily out|limited mode|overload|please try again|\
                retry your request|transient"]],
        &["user |password|credential|invalid|incorrect"],
    ),
];
