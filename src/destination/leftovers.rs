//! Properties without a counterpart, each with its reason.

use super::authentication::Authentication;
use super::draft::Draft;

const TARGET: &str = "for the call to the target, not for the token: not part of a TokenSource";
const ASSERTION: &str = "describes the assertion that the Destination service makes; here it comes from spec.grant.assertion";
const USER_TOKEN: &str = "checks the token of the caller, which the authorization server does here";

/// What is for the call to the target, by the beginning of its name or all of it.
const OF_THE_TARGET: [&str; 18] = [
    "URL",
    "Type",
    "Description",
    "User",
    "Password",
    "HTML5.",
    "WebIDE",
    "sap-",
    "sap.",
    "CloudConnector",
    "KeyStore",
    "XFSystemName",
    "TargetSystem",
    "forwardAuthToken",
    "preemptive",
    "mail.",
    "ldap.",
    "jco.",
];

/// What an assertion is made of (`OAuth2SAMLBearerAssertion`).
const OF_THE_ASSERTION: [&str; 17] = [
    "audience",
    "authnContextClassRef",
    "SAMLAssertionProvider",
    "nameQualifier",
    "assertionIssuer",
    "assertionRecipient",
    "nameIdFormat",
    "userIdSource",
    "systemUser",
    "companyId",
    "apiKey",
    "skipUserAttributesPrefixInSAMLAttributes",
    "includeSigningCertificateInSAMLAssertion",
    "skipUserUuidInSAMLAttributes",
    "samlAssertionEncoding",
    "KeyStoreLocation",
    "KeyStorePassword",
];

/// Names whatever is left, and why it goes nowhere.
pub(super) fn leftovers(draft: &mut Draft) {
    let authentication = draft.authentication;
    for property in draft.take_rest() {
        draft.report.left_out(&property, reason(&property, authentication));
    }
}

fn reason(property: &str, authentication: Authentication) -> &'static str {
    if authentication == Authentication::SamlBearer && OF_THE_ASSERTION.contains(&property) {
        return ASSERTION;
    }
    if property.starts_with("x_user_token.") {
        return USER_TOKEN;
    }
    if property.starts_with("tokenService") || property.starts_with("clientAssertion") {
        return "a TokenSource has no such setting";
    }
    if OF_THE_TARGET.iter().any(|beginning| property.starts_with(beginning)) {
        return TARGET;
    }
    "unknown here; most often for the call to the target: not part of a TokenSource"
}
