//! Reports as a table: what was before, what became of the plan, and what is told.

use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::api::status::LastAttempt;
use crate::oauth::rejection::{ClientCause, Refusal, Rejection};
use crate::oauth::token::{IssuedToken, Lifetime};
use crate::oauth::vendor::Vendor;
use crate::token_source::circumstances::Circumstances;
use crate::token_source::digest::RequestDigest;
use crate::token_source::scene::{Scene, at, digest};

const NOW: i64 = 1000;

fn told(scene: &Scene, outcome: Outcome) -> Report {
    report(&scene.observed(), outcome, at(NOW))
}

fn request_digest(scene: &Scene) -> RequestDigest {
    RequestDigest { spec: scene.observed().spec_digest, credentials: digest('c') }
}

fn attempt(scene: &Scene) -> Attempt {
    Attempt {
        last: LastAttempt {
            time: Time(at(NOW)),
            request_digest: request_digest(scene).to_string(),
            credentials_version: Some("uid/1".into()),
        },
        client_proof: None,
    }
}

fn asked() -> Circumstances {
    Circumstances { host: "auth.example.com".into(), vendor: Vendor::Other, hints: Vec::new() }
}

fn refused(scene: &Scene, rejection: Rejection) -> Report {
    let refusal = Refusal { http_status: Some(401), ..Refusal::new(rejection) };
    told(scene, Outcome::Refused { failure: Failure::refused(&refusal, &asked()), attempt: attempt(scene) })
}

fn issued(scene: &Scene, scope: Option<&str>) -> Report {
    let token = IssuedToken {
        access_token: SecretString::from("t".to_owned()),
        token_type: "Bearer".into(),
        lifetime: Lifetime::Seconds(3600),
        scope: scope.map(|scope| scope.split(' ').map(ToOwned::to_owned).collect()),
        id_token: None,
        refresh_token: None,
        issued_token_type: None,
    };
    let issue = Issue {
        token,
        expires_at: at(4600),
        renew_at: at(3400),
        requested_at: at(1000),
        digest: request_digest(scene),
        credentials_version: None,
        token_url: String::new(),
        client_id: String::new(),
    };
    told(scene, Outcome::Issued { issue: Box::new(issue), attempt: attempt(scene) })
}

/// Ready, Refreshed and Stalled, as `status/reason`.
fn conditions(report: &Report) -> [String; 3] {
    [ConditionType::Ready, ConditionType::Refreshed, ConditionType::Stalled].map(|condition_type| {
        let found = condition::find(&report.status.conditions, condition_type);
        found.map(|condition| format!("{:?}/{}", condition.status, condition.reason)).unwrap_or_default()
    })
}

fn event(report: &Report) -> Option<(Reason, bool)> {
    report.event.as_ref().map(|note| (note.reason, note.is_warning))
}

const WRONG_SECRET: Rejection = Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret);

#[test]
fn an_issued_token_is_told_once_and_clears_what_failed_before() {
    let scene = Scene::new().attempted(0).failed("ServerError", 3, Some(NOW));
    let report = issued(&scene, Some("read"));
    assert_eq!(conditions(&report), ["True/TokenIssued", "True/TokenIssued", ""]);
    assert_eq!((report.status.last_failure, report.status.consecutive_failures, report.status.next_attempt_time), (None, None, None));
    assert_eq!(report.status.granted_scopes, Some(vec!["read".to_owned()]));
    assert_eq!(report.status.observed_generation, Some(3));
    assert_eq!(report.requeue, Some(at(3400)));
}

#[test]
fn a_renewal_is_no_transition() {
    let first = issued(&Scene::new(), None);
    assert_eq!(event(&first), Some((Reason::TokenIssued, false)));
    let scene = Scene::new().status(&serde_json::to_value(&first.status).unwrap());
    assert_eq!(event(&issued(&scene, None)), None);
}

#[test]
fn scopes_that_were_not_granted_are_said_and_unsaid_ones_are_those_asked_for() {
    let scene = Scene::new().spec(&json!({"scopes": ["read", "write"]}));
    let report = issued(&scene, Some("read"));
    assert!(report.status.conditions[0].message.contains("did not grant the scopes write"));
    assert_eq!(issued(&scene, None).status.granted_scopes, Some(vec!["read".to_owned(), "write".to_owned()]));
}

#[test]
fn a_refusal_without_a_token_is_not_ready_for_the_same_reason() {
    let report = refused(&Scene::new(), WRONG_SECRET);
    assert_eq!(
        conditions(&report),
        ["False/ClientAuthenticationFailed", "False/ClientAuthenticationFailed", "True/ClientAuthenticationFailed"]
    );
    assert_eq!(event(&report), Some((Reason::ClientAuthenticationFailed, true)));
    let failure = report.status.last_failure.unwrap();
    assert_eq!((failure.cause.as_deref(), failure.http_status), (Some("WrongSecret"), Some(401)));
    assert_eq!(report.status.consecutive_failures, Some(1));
    assert!(report.requeue.unwrap() >= at(NOW + 3600));
}

#[test]
fn a_refused_renewal_leaves_ready_until_the_token_expires() {
    let scene = Scene::new().holding(1600, 900).attempted(0);
    let report = refused(&scene, WRONG_SECRET);
    assert_eq!(conditions(&report), ["True/TokenIssued", "False/ClientAuthenticationFailed", "True/ClientAuthenticationFailed"]);
    assert_eq!(report.requeue, Some(at(1600)), "the expiry is told when it comes");

    let later = Scene::new().holding(999, 900).status(&serde_json::to_value(&report.status).unwrap());
    let report = told(&later, Outcome::Held(Some(at(4600))));
    assert_eq!(conditions(&report)[0], "False/ClientAuthenticationFailed");
    assert_eq!(event(&report), Some((Reason::ClientAuthenticationFailed, true)));
}

#[test]
fn passing_faults_do_not_stall_and_lasting_ones_do() {
    for (rejection, failures, stalled) in [
        (Rejection::ConnectionFailed, 1, false),
        (Rejection::ConnectionFailed, 50, false),
        (Rejection::RateLimited, 5, false),
        (Rejection::ServerError, 1, false),
        (Rejection::ServerError, 6, true),
        (Rejection::InvalidScope, 0, true),
        (Rejection::UserAuthenticationFailed, 0, true),
    ] {
        let scene = Scene::new().attempted(0).failed(rejection.as_str(), failures, None);
        assert_eq!(!conditions(&refused(&scene, rejection))[2].is_empty(), stalled, "{rejection:?} after {failures}");
    }
}

#[test]
fn another_request_counts_its_failures_from_one() {
    let scene = Scene::new().attempted(0).failed("InvalidScope", 4, None).spec(&json!({"scopes": ["other"]}));
    assert_eq!(refused(&scene, Rejection::InvalidScope).status.consecutive_failures, Some(1));
    let same = Scene::new().attempted(0).failed("InvalidScope", 4, None);
    assert_eq!(refused(&same, Rejection::InvalidScope).status.consecutive_failures, Some(5));
}

#[test]
fn the_same_look_gives_the_same_status() {
    let missing = || Outcome::Stalled(Failure::local(Reason::CredentialsNotFound, "there is no Secret client"));
    for (sentence, scene, outcome) in [
        ("missing credentials", Scene::new(), missing as fn() -> Outcome),
        ("a fresh token", Scene::new().holding(3600, 2400), || Outcome::Kept(at(2400))),
        ("a suspended source", Scene::new(), || Outcome::Suspended),
    ] {
        let first = told(&scene, outcome());
        let again = Scene::new().holding(3600, 2400).status(&serde_json::to_value(&first.status).unwrap());
        let again = if sentence == "a fresh token" { again } else { Scene::new().status(&serde_json::to_value(&first.status).unwrap()) };
        let second = report(&again.observed(), outcome(), at(NOW + 500));
        assert_eq!(second.status, first.status, "{sentence}");
        assert_eq!(second.event, None, "{sentence}");
    }
}

#[test]
fn a_status_lost_in_a_crash_is_made_from_the_secret() {
    let report = told(&Scene::new().holding(3600, 2400), Outcome::Kept(at(2400)));
    assert_eq!(conditions(&report), ["True/TokenIssued", "True/TokenIssued", ""]);
    assert_eq!(report.status.expiration_time, Some(Time(at(3600))));
    assert_eq!(report.status.last_refresh_time, Some(Time(at(0))));
}

#[test]
fn suspending_tells_only_where_no_token_is_left() {
    let without = told(&Scene::new(), Outcome::Suspended);
    assert_eq!(conditions(&without), ["False/Suspended", "Unknown/Suspended", ""]);
    assert_eq!(event(&without), Some((Reason::Suspended, false)));
    let with = told(&Scene::new().holding(3600, 2400), Outcome::Suspended);
    assert_eq!(conditions(&with), ["", "", ""]);
    assert_eq!(with.requeue, Some(at(3600)));
}

#[test]
fn a_source_that_is_resumed_while_it_waits_tells_again_what_it_waits_for() {
    let before = refused(&Scene::new(), WRONG_SECRET);
    let refreshed = |report: &Report| condition::find(&report.status.conditions, ConditionType::Refreshed).unwrap().message.clone();
    let scene = |report: &Report| Scene::new().status(&serde_json::to_value(&report.status).unwrap());
    let suspended = told(&scene(&before), Outcome::Suspended);
    assert_eq!(conditions(&suspended)[..2], ["False/Suspended", "Unknown/Suspended"]);
    let resumed = told(&scene(&suspended), Outcome::Held(Some(at(4600))));
    assert_eq!(conditions(&resumed)[..2], ["False/ClientAuthenticationFailed", "False/ClientAuthenticationFailed"]);
    assert_eq!(refreshed(&resumed), refreshed(&before));
}

#[test]
fn a_token_of_an_older_spec_does_not_make_the_new_one_ready() {
    let scene = Scene::new().holding(3600, 2400).attempted(0).spec(&json!({"scopes": ["other"]}));
    assert_eq!(conditions(&refused(&scene, Rejection::InvalidScope))[0], "False/InvalidScope");
}

#[test]
fn withheld_credentials_are_told_with_the_refusal_that_held_them_back() {
    let scene = Scene::new().annotated("1");
    let outcome = Outcome::Withheld { failure: Failure::withheld(WRONG_SECRET, &asked()), until: at(4000), attempt: attempt(&scene) };
    let report = told(&scene, outcome);
    assert_eq!(conditions(&report)[0], "False/ClientAuthenticationFailed");
    assert_eq!((report.requeue, report.status.next_attempt_time.clone()), (Some(at(4000)), Some(Time(at(4000)))));
    assert_eq!(report.status.last_handled_refresh_request.as_deref(), Some("1"));
}

#[test]
fn a_wait_for_the_turn_is_told_once_it_is_long_and_no_token_is_valid() {
    let again = Duration::from_secs(15);
    let queued = || Outcome::Queued { told: Some(Failure::queued("auth.example.com")), again };
    for (sentence, scene, outcome) in [
        ("a short wait", Scene::new(), Outcome::Queued { told: None, again }),
        ("a long one with a token that is valid", Scene::new().holding(1500, 900), queued()),
    ] {
        let report = told(&scene, outcome);
        assert_eq!(report.status, scene.observed().status().cloned().unwrap_or_default(), "{sentence} costs no write");
        assert_eq!(report.event, None, "{sentence}");
        assert!(report.requeue.is_some_and(|again| at(NOW + 15) <= again && again <= at(NOW + 30)), "{sentence}: {:?}", report.requeue);
    }
    let first = told(&Scene::new(), queued());
    let ready = condition::find(&first.status.conditions, ConditionType::Ready).unwrap();
    assert_eq!((ready.status, ready.reason.as_str()), (ConditionStatus::False, "RateLimited"));
    let again = told(
        &Scene::new().status(&serde_json::to_value(&first.status).unwrap()),
        Outcome::Queued { told: Some(Failure::paused("other", at(2000))), again },
    );
    assert_eq!((again.status, again.event), (first.status, None), "what was told is not told anew");
}
