//! Names of the contract that stand outside the schema: labels, annotations, keys.

/// Label on every target Secret.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY: &str = "tokensource";
/// On the target Secret: when the token in it expires (RFC 3339, UTC).
pub const EXPIRES_AT: &str = "tokensource.dev/expires-at";
/// On the target Secret: when the token in it is due to be renewed (RFC 3339, UTC).
pub const RENEW_AT: &str = "tokensource.dev/renew-at";
/// On the target Secret: when its token was asked for (RFC 3339, UTC, in milliseconds): what the lock-out ledger knows the request by.
pub const REQUESTED_AT: &str = "tokensource.dev/requested-at";
/// On the target Secret: what its token was asked with, as a keyed hash.
pub const REQUEST_DIGEST: &str = "tokensource.dev/request-digest";
/// On the target Secret: which version of the credentials Secret its token was asked with, as `UID/RESOURCE_VERSION`.
/// While it stands, nobody needs to read the credentials to know that they are the same.
pub const CREDENTIALS_VERSION: &str = "tokensource.dev/credentials-version";
/// On the target Secret: the `TokenSource` it belongs to, also where no owner reference says so.
pub const SOURCE: &str = "tokensource.dev/source";
/// On the target Secret: the keys of its data that are ours, joined by commas.
pub const KEYS: &str = "tokensource.dev/keys";
/// On a credentials Secret: the only hosts that it may be sent to, joined by commas.
pub const ALLOWED_HOSTS: &str = "tokensource.dev/allowed-hosts";
/// On a `TokenSource`: any new value forces one token request now.
pub const REFRESH_REQUESTED_AT: &str = "tokensource.dev/refresh-requested-at";
/// The field manager of every write of the operator's.
pub const FIELD_MANAGER: &str = "tokensource";
/// The field manager of a refresh that a person asks for.
pub const REFRESH_FIELD_MANAGER: &str = "tokensource-refresh";
/// The controller's name in Events.
pub const CONTROLLER: &str = "tokensource.dev/tokensource";
