//! The words of authorization servers: see [`super::super::words`] for how lists are written.

/// A thing that is not there.
pub(super) const GONE: &str = "unknown|not found|does not exist|doesnt exist|do not exist|did not exist|not exist|no such|not registered|\
    isnt registered|unregistered|could not find|couldnt find|cannot find|can not find|cant find|unable to find|not known|not recognized|\
    not recognised|unrecognized|unrecognised|didnt recognize|dont recognize|could not be found|cannot be found|cant be found|\
    not be found|nonexistent|non existent|nonexisting|non existing|notfound|no longer exists|is missing in the tenant|not been found|\
    does not match any|no match|cannot load|unable to load|could not load";

/// A thing that does not fit.
pub(super) const WRONG: &str = "invalid|incorrect|wrong|bad |mismatch|not match|doesnt match|didnt match|do not match|dont match|\
    not valid|isnt valid|arent valid|failed|failure|fail |denied|rejected|not correct|isnt correct|not accepted|could not be verified|\
    cannot be verified|not verified|couldnt be verified|verification|illegal|not acceptable|does not verify|is not the";

/// A thing that is switched off.
pub(super) const OFF: &str = "disabled|inactive|not active|isnt active|not currently active|deactivated|inactivated|suspended|\
    not enabled|isnt enabled|not activated|archived|deprovisioned|banned|is blocked|been blocked|was blocked|closed|terminated|\
    switched off|not in active state|not in an active state|not in the active state";

/// A thing that may not be done.
pub(super) const NOT_ALLOWED: &str = "not allowed|not be allowed|isnt allowed|arent allowed|doesnt allow|does not allow|unauthorized|\
    unauthorised|not authorized|not authorised|isnt authorized|not permitted|isnt permitted|not supported|isnt supported|arent supported|\
    unsupported|not enabled|isnt enabled|disabled|forbidden|cannot use|can not use|cant use|cannot be used|can not be used|may not use|\
    must not use|should not use|not available|disallow|not configured|prohibit|restricted|not granted|does not support|doesnt support|\
    not support |not registered|not implemented|not accepted|no longer supported|not acceptable|not set up|not eligible|not be used";

/// A thing that was not sent.
pub(super) const MISSING: &str = "missing|must contain|must be provided|must be specified|must be supplied|must be present|\
    must be included|must be set|must be sent|not supplied|not provided|not specified|not present|not sent|not included|was not set|\
    is required|are required|required parameter|required field|required param|is empty|are empty|is blank|be blank|absent|\
    must not be empty|must not be null|is null|be empty|be null|mandatory|must supply|must provide|must include|must specify|must send|\
    none provided|no assertion|no password|no username|no user name|no client id|no client secret|no client authentication|\
    no client credential|no credential|no grant type|no refresh token|no authorization header|no token |no audience|no authentication|\
    not found in the request|not found in request|lacks|lacking|expected parameter|check the|undefined|didnt provide|did not provide|\
    not contain|requires|not determine";

/// A thing whose time is over.
pub(super) const EXPIRED: &str = "expired|expir|run out|no longer valid|outdated|past its|not within its valid|timed out|too old";

/// The client, also as OAuth 1 and the vendors call it.
pub(super) const CLIENT: &str = "client |clients |consumer |application |app |relying party|service principal|appid |clientid ";

/// The client's name.
pub(super) const CLIENT_ID: &str = "client id|clientid|client identifier|consumer key|app id|appid|application id|client key|client name|\
    app key|application key";

/// The client's secret.
pub(super) const CLIENT_SECRET: &str = "secret|client credential|client password|clientsecret|application credential|client key|\
    credentials of the client|credentials for client";

/// The user.
pub(super) const USER: &str = "user |users |username|user name|user s |userid|user id|account|login|logon|log in |resource owner|email|\
    e mail|password|passphrase|member |subject |person |principal";

/// The provider behind the server.
pub(super) const PROVIDER: &str = "identity provider|identityprovider|idp |idps |login hint|loginhint|origin |connector|external open id|\
    external openid|external provider|upstream provider|federated provider|provider configuration|identity store|external oidc|\
    external o auth|federation|authentication provider|auth provider";
