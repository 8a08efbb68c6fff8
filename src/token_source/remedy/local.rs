//! What is found before any request, and the words that are no failure: no server has a say in these.

use super::Advice;

pub(super) const TOKEN_ISSUED: Advice = Advice::plain("");

pub(super) const PENDING: Advice = Advice::plain("See that the operator is running and watches this namespace.");

pub(super) const SUSPENDED: Advice = Advice::plain("Set spec.suspend to false to request tokens again.");

pub(super) const CREDENTIALS_NOT_FOUND: Advice =
    Advice::plain("Create the object in the TokenSource's own namespace, or correct its name.");

pub(super) const CREDENTIALS_INCOMPLETE: Advice =
    Advice::plain("Add the key to the object, or name the right key in spec.credentials.keys.");

pub(super) const ASSERTION_SOURCE_NOT_READY: Advice = Advice::plain(
    "See the conditions of the object that provides the assertion. \
     For a ServiceAccount: it must exist, and the operator must be allowed to create serviceaccounts/token.",
);

pub(super) const HOST_NOT_ALLOWED: Advice = Advice::plain(
    "Use another token URL, or have the host allowed: by the operator's administrator (--allow-host for its name, --allow-cidr \
                   for its address), or in the annotation tokensource.dev/allowed-hosts of the Secret.",
);

pub(super) const SECRET_CONFLICT: Advice =
    Advice::plain("Set spec.secret.name to a name that is free, or delete the Secret if nobody needs it.");

pub(super) const INVALID_SPEC: Advice = Advice::plain("Correct the field and apply the TokenSource again.");
