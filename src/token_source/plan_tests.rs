//! Decisions as a table: what is observed, and what follows.

use serde_json::{Value, json};

use super::*;
use crate::token_source::scene::{CREDENTIALS_VERSION, Scene, at};

fn plan(scene: &Scene) -> Plan {
    decide(&scene.observed(), at(1000))
}

/// A source whose token of an hour was issued at 0 and is due at 2400.
fn fresh() -> Scene {
    Scene::new().holding(3600, 2400).attempted(0)
}

/// A source whose one request was refused at 900, to be tried again at 4500.
fn refused() -> Scene {
    Scene::new().attempted(900).failed("ClientAuthenticationFailed", 1, Some(4500))
}

#[test]
fn each_observation_has_its_plan() {
    let keep = Plan::Keep { until: at(2400) };
    for (sentence, scene, expected) in vec![
        ("a new source asks for a token", Scene::new(), Plan::Request(Cause::NoSecret)),
        ("a fresh token is kept", fresh(), keep.clone()),
        ("a suspended source does nothing", Scene::new().spec(&json!({"suspend": true})), Plan::Suspended),
        ("a due token is renewed", Scene::new().holding(3600, 1000).attempted(0), Plan::Request(Cause::Due)),
        ("an expired token is renewed", Scene::new().holding(999, 900).attempted(0), Plan::Request(Cause::Due)),
        ("a changed Secret is mended", fresh().tampered(), Plan::Request(Cause::SecretChanged)),
        ("a changed spec brings a new token", fresh().spec(&json!({"scopes": ["more"]})), Plan::Request(Cause::SpecChanged)),
        ("another time-out does not", fresh().spec(&json!({"request": {"readTimeout": "1m"}})), keep.clone()),
        ("nor does another schedule", fresh().spec(&json!({"refresh": {"renewBeforePercentage": 10}})), keep.clone()),
        ("a new version of the credentials is read first", fresh().credentials("uid/2", None), Plan::ReadCredentials),
        ("the same content under a new version changes nothing", fresh().credentials("uid/2", Some('c')), keep.clone()),
        ("other content brings a new token", fresh().credentials("uid/2", Some('d')), Plan::Request(Cause::CredentialsChanged)),
        ("a forced refresh is one request", fresh().annotated("1"), Plan::Request(Cause::Forced)),
        ("a handled one is none", fresh().annotated("1").handled("1"), keep),
        ("a refused request waits", refused(), Plan::Hold { until: Some(at(4500)) }),
        ("until its time has come", Scene::new().attempted(0).failed("ServerError", 1, Some(1000)), Plan::Request(Cause::NoSecret)),
        (
            "without an end where only a change helps",
            Scene::new().attempted(0).failed("InvalidRequest", 2, None),
            Plan::Hold { until: None },
        ),
        ("a forced refresh does not wait", refused().annotated("1"), Plan::Request(Cause::Forced)),
        ("nor does a corrected spec", refused().spec(&json!({"scopes": ["less"]})), Plan::Request(Cause::SpecChanged)),
        ("touched credentials are read before trying again", refused().credentials("uid/2", None), Plan::ReadCredentials),
        ("the same content still waits", refused().credentials("uid/2", Some('c')), Plan::Hold { until: Some(at(4500)) }),
        ("corrected credentials are tried at once", refused().credentials("uid/2", Some('d')), Plan::Request(Cause::NoSecret)),
        ("what stood in the way is gone", Scene::new().attempted(0).failed("CredentialsNotFound", 1, None), Plan::Request(Cause::NoSecret)),
        (
            "its turn has come after a failed request",
            Scene::new().attempted(0).failed("RateLimited", 3, None),
            Plan::Request(Cause::NoSecret),
        ),
        ("a Secret that keeps vanishing is made at the floor's pace", Scene::new().attempted(995), Plan::Hold { until: Some(at(1005)) }),
        (
            "a changed spec does not wait for the floor",
            fresh().attempted(995).spec(&json!({"scopes": ["x"]})),
            Plan::Request(Cause::SpecChanged),
        ),
        (
            "a token from a time to come is renewed: the clock was set back, and its times would come too late",
            Scene::new().holding(5000, 4000).status(&json!({"lastRefreshTime": at(1500)})),
            Plan::Request(Cause::Due),
        ),
        (
            "the clocks of two replicas may be a little apart",
            Scene::new().holding(5000, 4000).status(&json!({"lastRefreshTime": at(1050)})),
            Plan::Keep { until: at(4000) },
        ),
        (
            "nor does a failure from a time to come hold anything up",
            Scene::new().attempted(1500).failed("ServerError", 1, Some(4500)),
            Plan::Request(Cause::NoSecret),
        ),
        ("nor the floor", Scene::new().attempted(1500), Plan::Request(Cause::NoSecret)),
    ] {
        assert_eq!(plan(&scene), expected, "{sentence}");
    }
}

#[test]
fn what_stands_in_the_way_is_named_before_any_request() {
    let same: Value = json!({"secret": {"name": "client"}});
    for (sentence, scene, reason, text) in [
        ("no credentials Secret", Scene::new().without_credentials(), Reason::CredentialsNotFound, "there is no Secret client"),
        ("a foreign target", Scene::new().foreign(), Reason::SecretConflict, "Secret orders belongs to someone: it is left as it is"),
        (
            "a plain http URL",
            Scene::new().spec(&json!({"tokenURL": "http://a.example.com/t"})),
            Reason::InvalidSpec,
            "spec.tokenURL is a plain http URL",
        ),
        ("the target is the credentials", Scene::new().spec(&same), Reason::InvalidSpec, "both say client"),
        ("even with a fresh token", fresh().without_credentials(), Reason::CredentialsNotFound, "there is no Secret client"),
    ] {
        let Plan::Stall(failure) = plan(&scene) else { panic!("{sentence}: {:?}", plan(&scene)) };
        assert_eq!(failure.reason, reason, "{sentence}");
        assert!(failure.message.contains(text), "{sentence}: {}", failure.message);
    }
}

#[test]
fn the_version_of_the_credentials_is_the_one_of_the_scene() {
    assert_eq!(Scene::new().observed().credentials.version(), Some(CREDENTIALS_VERSION));
}
