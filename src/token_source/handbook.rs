//! docs/failures.md, made from the same tables that conditions are told from.

use std::fmt::Write as _;

use crate::api::condition::Reason;
use crate::oauth::rejection::{ClientCause, Refusal, Rejection, RetryClass};
use crate::oauth::vendor::Vendor;

use super::circumstances::Circumstances;
use super::failure::{Failure, Retry, anchor, reason as reason_of};
use super::hint::Hint;
use super::meaning::{cause_evidence, cause_meaning, evidence, meaning};
use super::remedy::{Advice, advice};

mod preface;

/// The whole page, in Markdown.
pub fn render() -> String {
    let mut page = [preface::HEAD, &example(), preface::PARTS, preface::RETRIES, preface::LOCK_OUT, preface::EVIDENCE].join("\n\n");
    page.push_str("\n\n## All reasons\n\n");
    page.push_str(&overview());
    for reason in Reason::ALL {
        _ = write!(page, "\n{}", section(*reason));
    }
    page.push('\n');
    page.push_str(&hints());
    page
}

/// A condition's message as the operator would write it.
fn example() -> String {
    let refusal = Refusal {
        http_status: Some(401),
        error: Some("invalid_client".to_owned()),
        description: Some("Bad credentials".to_owned()),
        ..Refusal::new(Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret))
    };
    let circumstances = Circumstances { host: "login.example.com".to_owned(), vendor: Vendor::Other, hints: vec![Hint::PaddedSecret] };
    let failure = Failure::refused(&refusal, &circumstances);
    format!("```text\n{}\n```", failure.told())
}

fn overview() -> String {
    let mut table = "| reason | it means | tried again |\n|---|---|---|\n".to_owned();
    for reason in Reason::ALL {
        _ = writeln!(table, "| [{reason}](#{}) | {} | {} |", anchor(&reason.to_string()), meaning(*reason), tried_again(*reason));
    }
    table
}

fn section(reason: Reason) -> String {
    let mut text = format!("### {reason}\n\n{}.\n\n", capitalised(meaning(reason)));
    _ = writeln!(text, "* Typical evidence: {}", evidence(reason));
    _ = writeln!(text, "* Tried again: {}.", tried_again(reason));
    if reason == Reason::ClientAuthenticationFailed {
        text.push_str(&causes());
        return text;
    }
    text.push_str(&what_to_do(&advice(reason, None)));
    text
}

/// The table of causes, then what to do about each.
fn causes() -> String {
    let mut text = "\n`status.lastFailure.cause` says more where the answer does:\n\n".to_owned();
    text.push_str("| cause | it means | typical evidence | tried again |\n|---|---|---|---|\n");
    for cause in ClientCause::ALL {
        let retry = told_retry(Rejection::ClientAuthenticationFailed(*cause));
        let (means, seen) = (cause_meaning(*cause), cause_evidence(*cause));
        _ = writeln!(text, "| [{cause}](#{}) | {means} | {seen} | {retry} |", anchor(cause.as_str()));
    }
    text.push_str("\nA client certificate that is found to be unusable before any request is tried again on *change*.\n");
    for cause in ClientCause::ALL {
        _ = write!(text, "\n#### {cause}\n\n{}.\n", capitalised(cause_meaning(*cause)));
        text.push_str(&what_to_do(&advice(Reason::ClientAuthenticationFailed, Some(*cause))));
    }
    text
}

/// The general remedy, then what each vendor has to say beside it.
fn what_to_do(advice: &Advice) -> String {
    if advice.general.is_empty() {
        return String::new();
    }
    let mut text = format!("\nWhat to do: {}\n", advice.general);
    let mut specifics: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for vendor in Vendor::ALL {
        let Some(specific) = (advice.specific)(*vendor) else { continue };
        match specifics.iter_mut().find(|(known, _)| *known == specific) {
            Some((_, vendors)) => vendors.push(vendor.as_str()),
            None => specifics.push((specific, vec![vendor.as_str()])),
        }
    }
    for (index, (specific, vendors)) in specifics.iter().enumerate() {
        let gap = if index == 0 { "\n" } else { "" };
        _ = writeln!(text, "{gap}* {}: {specific}", vendors.join(", "));
    }
    text
}

fn hints() -> String {
    let mut text = format!("{}\n\n| hint | told when |\n|---|---|\n", preface::HINTS);
    for hint in Hint::ALL {
        _ = writeln!(text, "| {} | {} |", hint.text(), hint.told_when());
    }
    text
}

/// When a failed source is tried again, in the words of the preface.
fn tried_again(reason: Reason) -> String {
    let rejections = || Rejection::ALL.iter().copied().filter(|rejection| reason_of(*rejection) == reason);
    let Some(first) = rejections().next() else {
        return of_no_answer(reason).to_owned();
    };
    let others: Vec<(Rejection, &str)> =
        rejections().map(|rejection| (rejection, told_retry(rejection))).filter(|(_, retry)| *retry != told_retry(first)).collect();
    let Some((_, retry)) = others.first() else {
        return told_retry(first).to_owned();
    };
    let causes: Vec<String> = others.iter().filter_map(|(other, _)| other.cause()).map(|cause| format!("`{cause}`")).collect();
    format!("{}; {retry} for {}", told_retry(first), causes.join(", "))
}

fn told_retry(rejection: Rejection) -> &'static str {
    match Retry::of(rejection, None) {
        Retry::Watch => "*change*",
        Retry::After { class, not_before, first } => match class {
            RetryClass::Input => "*input*",
            RetryClass::Slow if not_before.is_some() => "*slow*, after 60 minutes at the earliest",
            RetryClass::Slow => "*slow*",
            RetryClass::Backoff => "*backoff*",
            RetryClass::BackoffThenSlow => "*backoff* five times, then *slow*",
            RetryClass::Server if first.is_zero() => "*server*",
            RetryClass::Server => "*server*; without `Retry-After` from 60 s",
        },
    }
}

/// When it is tried again what no answer of a server gives.
fn of_no_answer(reason: Reason) -> &'static str {
    match reason {
        Reason::TokenIssued => "when the token is due to be renewed",
        Reason::Pending => "as soon as an operator looks",
        Reason::Suspended => "not while `spec.suspend` is true",
        Reason::CredentialsNotFound | Reason::CredentialsIncomplete | Reason::InvalidSpec => {
            "*change*; a CA bundle is looked at about every minute"
        }
        Reason::AssertionSourceNotReady => "*change*; a ServiceAccount's token is asked for about every minute",
        Reason::HostNotAllowed => "for a name *change*; an address is looked at about every minute",
        Reason::SecretConflict => "*change*; a refused write about every minute, with the token in hand",
        Reason::ClientAuthenticationFailed
        | Reason::UserAuthenticationFailed
        | Reason::CredentialsRejected
        | Reason::UserAccountLocked
        | Reason::UserAccountDisabled
        | Reason::PasswordChangeRequired
        | Reason::InitialPasswordExpired
        | Reason::MultiFactorRequired
        | Reason::UserInteractionRequired
        | Reason::IdentityProviderNotSupported
        | Reason::IdentityProviderError
        | Reason::GrantTypeNotAllowed
        | Reason::InvalidScope
        | Reason::InvalidRequest
        | Reason::AssertionRejected
        | Reason::RefreshTokenInvalid
        | Reason::AccessDenied
        | Reason::TenantNotFound
        | Reason::RateLimited
        | Reason::TemporarilyUnavailable
        | Reason::ServerError
        | Reason::ProxyAuthenticationRequired
        | Reason::NotAnOAuthResponse
        | Reason::InvalidTokenResponse
        | Reason::TLSVerificationFailed
        | Reason::ConnectionFailed => "",
    }
}

fn capitalised(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_every_cause_has_a_heading_and_a_row() {
        let page = render();
        for reason in Reason::ALL {
            assert!(page.contains(&format!("\n### {reason}\n")) && page.contains(&format!("| [{reason}](#")), "{reason}");
            assert!(!tried_again(*reason).is_empty(), "{reason}");
        }
        for cause in ClientCause::ALL {
            assert!(page.contains(&format!("\n#### {cause}\n")) && page.contains(&format!("| [{cause}](#")), "{cause}");
        }
    }

    #[test]
    fn headings_give_each_anchor_once() {
        let page = render();
        let mut anchors: Vec<String> =
            page.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#').trim())).collect();
        let count = anchors.len();
        anchors.sort();
        anchors.dedup();
        assert_eq!(anchors.len(), count);
    }

    #[test]
    fn the_words_of_a_retry_are_those_of_its_class() {
        for (reason, expected) in [
            (Reason::ClientAuthenticationFailed, "*slow*; *input* for `ExpiredSecret`, `SecretEncoding`, `WrongAuthenticationMethod`"),
            (Reason::UserAccountLocked, "*slow*, after 60 minutes at the earliest"),
            (Reason::RateLimited, "*server*; without `Retry-After` from 60 s"),
            (Reason::TemporarilyUnavailable, "*server*"),
            (Reason::ServerError, "*backoff* five times, then *slow*"),
            (Reason::HostNotAllowed, "for a name *change*; an address is looked at about every minute"),
        ] {
            assert_eq!(tried_again(reason), expected, "{reason}");
        }
    }
}
