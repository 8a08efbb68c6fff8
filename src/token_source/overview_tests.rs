use super::*;
use crate::token_source::specimens::{good, good_but, now, pending, refused, renewal_failed, suspended, without_credentials};

/// What is asserted of an overview: ready, verdict, doubt, what comes next.
fn told(source: &TokenSource) -> (ConditionStatus, String, Option<Doubt>, Next) {
    let overview = Overview::of(source, now());
    (overview.ready, overview.verdict(), overview.doubt, overview.next())
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn each_state_has_its_verdict_and_what_comes_next() {
    use ConditionStatus::{False, True, Unknown};
    let attempt = |time| Next::Attempt(at(time));
    for (source, ready, verdict, doubt, next) in [
        (good(), True, "TokenIssued", None, Next::Renewal(at("2026-03-02T10:35:00Z"))),
        (refused(), False, "ClientAuthenticationFailed (WrongSecret)", None, attempt("2026-03-02T11:02:00Z")),
        (renewal_failed(), True, "TemporarilyUnavailable", None, attempt("2026-03-02T10:00:40Z")),
        (without_credentials(), False, "CredentialsNotFound", None, Next::AfterChange),
        (pending(), Unknown, "Pending", Some(Doubt::NotSeen), Next::Unknown),
        (suspended(), False, "Suspended", None, Next::WhenResumed),
    ] {
        assert_eq!(told(&source), (ready, verdict.to_owned(), doubt, next));
    }
}

#[test]
fn a_status_that_time_or_spec_has_overtaken_is_doubted() {
    use ConditionStatus::{False, True, Unknown};
    for (path, value, ready, doubt) in [
        ("/metadata/generation", 3.into(), Unknown, Some(Doubt::SpecChanged)),
        ("/status/expirationTime", "2026-03-02T10:00:00Z".into(), False, Some(Doubt::Expired)),
        ("/status/expirationTime", "2026-03-02T10:00:01Z".into(), True, None),
        ("/status/renewalTime", "2026-03-02T09:58:59Z".into(), True, Some(Doubt::Overdue)),
        ("/status/renewalTime", "2026-03-02T09:59:00Z".into(), True, None),
    ] {
        let source = good_but(|source| *source.pointer_mut(path).unwrap() = value);
        let overview = Overview::of(&source, now());
        assert_eq!((overview.ready, overview.doubt), (ready, doubt), "{path}");
    }
}

#[test]
fn a_suspended_source_with_a_token_is_ready_and_never_overdue() {
    let source = good_but(|source| {
        source["spec"]["suspend"] = true.into();
        source["status"]["renewalTime"] = "2026-03-02T09:00:00Z".into();
    });
    assert_eq!(told(&source), (ConditionStatus::True, "TokenIssued, suspended".to_owned(), None, Next::WhenResumed));
}

#[test]
fn a_source_without_any_status_is_one_that_nobody_has_seen() {
    let source = good_but(|source| {
        source.as_object_mut().unwrap().remove("status");
    });
    assert_eq!(told(&source), (ConditionStatus::Unknown, "Pending".to_owned(), Some(Doubt::NotSeen), Next::Unknown));
}

#[test]
fn what_was_known_of_the_client_is_told_until_an_answer_says_otherwise() {
    for (result, reason, told) in [
        ("Accepted", "TokenIssued", Some(ProbeResult::Accepted)),
        ("Accepted", "UserAuthenticationFailed", Some(ProbeResult::Accepted)),
        ("Accepted", "ClientAuthenticationFailed", None),
        ("Rejected", "ClientAuthenticationFailed", Some(ProbeResult::Rejected)),
        ("Rejected", "UserAuthenticationFailed", None),
        ("Inconclusive", "CredentialsRejected", Some(ProbeResult::Inconclusive)),
        ("Inconclusive", "ConnectionFailed", None),
    ] {
        let source = good_but(|source| {
            source["status"]["clientProof"]["result"] = result.into();
            source["status"]["conditions"][1]["reason"] = reason.into();
        });
        assert_eq!(Overview::of(&source, now()).client, told, "{result} {reason}");
    }
}

#[test]
fn machines_read_the_facts_and_no_digest_and_no_query() {
    for source in [good(), refused(), renewal_failed(), without_credentials(), pending(), suspended()] {
        let text = serde_json::to_string(&Overview::of(&source, now())).unwrap();
        assert!(!text.contains("not-shown"), "{text}");
    }
    let told = serde_json::to_value(Overview::of(&refused(), now())).unwrap();
    for (path, value) in [
        ("/namespace", "shop"),
        ("/name", "orders"),
        ("/ready", "False"),
        ("/reason", "ClientAuthenticationFailed"),
        ("/cause", "WrongSecret"),
        ("/endpoint", "login.example.com"),
        ("/grant", "ClientCredentials"),
        ("/nextAttemptTime", "2026-03-02T11:02:00Z"),
        ("/lastFailure/error", "invalid_client"),
        ("/conditions/2/type", "Stalled"),
    ] {
        assert_eq!(told.pointer(path).and_then(|found| found.as_str()), Some(value), "{path}");
    }
}
