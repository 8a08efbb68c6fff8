//! Every reason and cause × vendor: short, complete, and no vendor in another's words.

use super::*;

/// A vendor's own words, and whose they are. Words are compared whole.
const WORDS: &[(&[&str], &[Vendor])] = &[
    (&["SAP"], &[Vendor::Xsuaa, Vendor::IdentityAuthentication, Vendor::Neo]),
    (
        &[
            "XSUAA",
            "sap.default",
            "sap.custom",
            "onboarded",
            "SaaS",
            "cockpit",
            "certurl",
            "clientsecret",
            "credential-types",
            "xsappname",
            "instance-secret",
            "binding-secret",
            "x509",
            "Universal",
            "subaccount",
            "X-CF-ENCODED-CREDENTIALS",
        ],
        &[Vendor::Xsuaa],
    ),
    (&["UAA"], &[Vendor::Uaa]),
    (&["Identity Authentication", "PASSWORD_CHANGE_REQUIRED", "INITIAL_PASSWORD_EXPIRED", "totpSecret"], &[Vendor::IdentityAuthentication]),
    (&["Neo"], &[Vendor::Neo]),
    (&["Keycloak", "realm's", "Subject DN"], &[Vendor::Keycloak]),
    (&["Entra", "AADSTS", "Microsoft", "Conditional Access"], &[Vendor::Entra]),
    (&["Okta"], &[Vendor::Okta]),
    (&["Auth0"], &[Vendor::Auth0]),
];

/// Everything that can be asked for.
fn problems() -> impl Iterator<Item = (Reason, Option<ClientCause>)> {
    let causes = ClientCause::ALL.iter().map(|cause| (Reason::ClientAuthenticationFailed, Some(*cause)));
    Reason::ALL.iter().map(|reason| (*reason, None)).chain(causes)
}

fn everywhere() -> impl Iterator<Item = (Reason, Option<ClientCause>, Vendor)> {
    problems().flat_map(|(reason, cause)| Vendor::ALL.iter().map(move |vendor| (reason, cause, *vendor)))
}

fn sentences(text: &str) -> usize {
    text.matches(". ").count() + usize::from(text.ends_with('.'))
}

/// As a word of its own, so that XSUAA does not hold UAA; numbers may follow (AADSTS70011).
fn says(text: &str, word: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(letter) && !text[at + word.len()..].starts_with(letter))
}

#[test]
fn every_remedy_is_one_to_three_sentences() {
    for (reason, cause, vendor) in everywhere().filter(|(reason, ..)| *reason != Reason::TokenIssued) {
        let remedy = remedy(reason, cause, vendor);
        assert!((1..=3).contains(&sentences(&remedy)) && remedy.ends_with('.'), "{reason} {cause:?} {vendor:?}: {remedy}");
        assert!(!remedy.contains("  ") && !remedy.contains('\n'), "{reason} {cause:?} {vendor:?}: {remedy}");
    }
}

#[test]
fn no_vendor_is_told_in_the_words_of_another() {
    for (reason, cause, vendor) in everywhere() {
        let remedy = remedy(reason, cause, vendor);
        for (words, owners) in WORDS.iter().filter(|(_, owners)| !owners.contains(&vendor)) {
            let strays: Vec<&&str> = words.iter().filter(|word| says(&remedy, word)).collect();
            let shared = vendor == Vendor::Uaa && strays == [&"X-CF-ENCODED-CREDENTIALS"];
            assert!(strays.is_empty() || shared, "{reason} {cause:?} {vendor:?} says {strays:?} of {owners:?}");
        }
    }
}

#[test]
fn every_vendor_has_its_specifics() {
    for (vendor, reason, cause, words) in [
        (
            Vendor::Xsuaa,
            Reason::ClientAuthenticationFailed,
            Some(ClientCause::WrongSecret),
            &["credential-types", "instance-secret", "+"][..],
        ),
        (Vendor::Xsuaa, Reason::ClientAuthenticationFailed, None, &["x509", "SaaS Provisioning"]),
        (Vendor::Xsuaa, Reason::ClientAuthenticationFailed, Some(ClientCause::BadCertificate), &["x509", ".cert.", "SAP support"]),
        (Vendor::Xsuaa, Reason::ClientAuthenticationFailed, Some(ClientCause::SecretEncoding), &["X-CF-ENCODED-CREDENTIALS: true"]),
        (Vendor::Xsuaa, Reason::IdentityProviderNotSupported, None, &["sap.default", "sap.custom", "Trust Configuration"]),
        (Vendor::Xsuaa, Reason::UserAuthenticationFailed, None, &["Universal ID", "SAP ID service"]),
        (
            Vendor::IdentityAuthentication,
            Reason::ClientAuthenticationFailed,
            Some(ClientCause::ClientDisabled),
            &["60 minutes", "5 failed"],
        ),
        (Vendor::IdentityAuthentication, Reason::PasswordChangeRequired, None, &["PASSWORD_CHANGE_REQUIRED"]),
        (Vendor::IdentityAuthentication, Reason::InitialPasswordExpired, None, &["INITIAL_PASSWORD_EXPIRED"]),
        (Vendor::IdentityAuthentication, Reason::MultiFactorRequired, None, &["totpSecret", "behind the password"]),
        (Vendor::IdentityAuthentication, Reason::RateLimited, None, &["1,000 requests a minute", "50 at a time"]),
        (Vendor::Keycloak, Reason::GrantTypeNotAllowed, None, &["Service accounts", "Direct access grants"]),
        (Vendor::Keycloak, Reason::ClientAuthenticationFailed, None, &["unauthorized_client"]),
        (Vendor::Keycloak, Reason::UserInteractionRequired, None, &["required actions"]),
        (Vendor::Entra, Reason::UserInteractionRequired, None, &["admin consent"]),
        (Vendor::Entra, Reason::ClientAuthenticationFailed, Some(ClientCause::WrongSecret), &["Value", "Secret ID", "AADSTS7000215"]),
        (Vendor::Okta, Reason::AccessDenied, None, &["access policies"]),
        (Vendor::Auth0, Reason::InvalidScope, None, &["spec.grant.audience"]),
        (Vendor::Neo, Reason::ClientAuthenticationFailed, Some(ClientCause::MissingCredentials), &["method Basic"]),
        (Vendor::Uaa, Reason::ClientAuthenticationFailed, Some(ClientCause::SecretEncoding), &["basicEncoding Raw"]),
    ] {
        let remedy = remedy(reason, cause, vendor);
        assert!(words.iter().all(|word| remedy.contains(word)), "{vendor:?} {reason} {cause:?}: {remedy}");
    }
}

#[test]
fn nothing_of_a_vendor_is_said_where_no_vendor_is_known() {
    for (reason, cause) in problems() {
        assert_eq!((advice(reason, cause).specific)(Vendor::Other), None, "{reason} {cause:?}");
    }
}
