//! What GitOps tools read out of the statuses that the operator writes, by the published rules of kstatus
//! (sigs.k8s.io/cli-utils, pkg/kstatus). The same objects go to the real library and to the Lua of docs/argocd-health.lua:
//! `go test` in testenv/gitops.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use secrecy::SecretString;
use serde_json::{Value, json};

use tokensource::api::TokenSource;
use tokensource::api::condition::Reason;
use tokensource::api::status::LastAttempt;
use tokensource::oauth::rejection::{ClientCause, Refusal, Rejection};
use tokensource::oauth::token::{IssuedToken, Lifetime};
use tokensource::oauth::vendor::Vendor;
use tokensource::token_source::circumstances::Circumstances;
use tokensource::token_source::digest::{Digest, DigestKey, RequestDigest};
use tokensource::token_source::failure::Failure;
use tokensource::token_source::observed::{Credentials, Observed, Policy};
use tokensource::token_source::outcome::{Attempt, Outcome};
use tokensource::token_source::request::prepare;
use tokensource::token_source::secret::Issue;
use tokensource::token_source::status::report;
use tokensource::token_source::target::{Held, Target};

const NOW: i64 = 1_772_445_600; // 2026-03-02T10:00:00Z
const HOUR: i64 = 3600;
const WRONG_SECRET: Rejection = Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A source as the API server keeps it, with the status that the CRD gives a new one.
fn new_source() -> Value {
    let definition = tokensource::api::crd::definition();
    let status = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["default"];
    json!({
        "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "uid-of-orders", "generation": 1},
        "spec": {"tokenURL": "https://login.example.com/oauth2/token", "credentials": {"secretRef": {"name": "client"}}},
        "status": status,
    })
}

fn changed(mut object: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut object);
    object
}

/// The object after one look with this outcome. `token_until`: when the token in its Secret expires.
fn looked_at(object: &Value, token_until: Option<i64>, outcome: impl FnOnce(&RequestDigest) -> Outcome) -> Value {
    let source: TokenSource = serde_json::from_value(object.clone()).unwrap();
    let spec_digest = DigestKey::new(b"key of the test").spec(&source.spec);
    let digest = RequestDigest { spec: spec_digest.clone(), credentials: Digest::parse(&"c".repeat(32)).unwrap() };
    let held = |until| Held {
        version: Some("7".into()),
        has_token: true,
        intact: true,
        expires_at: Some(at(until)),
        renew_at: Some(at(until - HOUR / 3)),
        requested_at: Some(at(until - HOUR)),
        digest: Some(digest.clone()),
        credentials_version: None,
        written_at: Some(at(until - HOUR)),
    };
    let observed = Observed {
        source: &source,
        prepared: prepare(&source.spec, false),
        spec_digest,
        credentials: Credentials::NotReferenced { digest: None },
        target: token_until.map_or(Target::Absent, |until| Target::Ours(Box::new(held(until)))),
        policy: Policy { allow_http: false, min_refresh_interval: Duration::from_secs(10) },
    };
    let status = serde_json::to_value(report(&observed, outcome(&digest), at(NOW)).status).unwrap();
    changed(object.clone(), |object| object["status"] = status)
}

fn attempt(digest: &RequestDigest) -> Attempt {
    let last = LastAttempt { time: Time(at(NOW)), request_digest: digest.to_string(), credentials_version: None };
    Attempt { last, client_proof: None }
}

fn asked() -> Circumstances {
    Circumstances { host: "login.example.com".into(), vendor: Vendor::Other, hints: Vec::new() }
}

fn refused(rejection: Rejection) -> impl FnOnce(&RequestDigest) -> Outcome {
    move |digest| {
        let refusal = Refusal { http_status: Some(401), ..Refusal::new(rejection) };
        Outcome::Refused { failure: Failure::refused(&refusal, &asked()), attempt: attempt(digest) }
    }
}

fn withheld(digest: &RequestDigest) -> Outcome {
    Outcome::Withheld { failure: Failure::withheld(WRONG_SECRET, &asked()), until: at(NOW + HOUR), attempt: attempt(digest) }
}

fn missing(_: &RequestDigest) -> Outcome {
    Outcome::Stalled(Failure::local(Reason::CredentialsNotFound, "there is no Secret client (spec.credentials.secretRef.name)"))
}

fn issued(digest: &RequestDigest) -> Outcome {
    let token = IssuedToken {
        access_token: SecretString::from("t".to_owned()),
        token_type: "Bearer".into(),
        lifetime: Lifetime::Seconds(3600),
        scope: None,
        id_token: None,
        refresh_token: None,
        issued_token_type: None,
    };
    let issue = Issue {
        token,
        expires_at: at(NOW + HOUR),
        renew_at: at(NOW + 2 * HOUR / 3),
        requested_at: at(NOW),
        digest: digest.clone(),
        credentials_version: None,
        token_url: String::new(),
        client_id: String::new(),
    };
    Outcome::Issued { issue: Box::new(issue), attempt: attempt(digest) }
}

/// An object, and what GitOps tools shall say of it: kstatus, and Argo CD by docs/argocd-health.lua.
type Specimen = (&'static str, Value, &'static str, Option<&'static str>);

fn specimens() -> Vec<Specimen> {
    let good = looked_at(&new_source(), None, issued);
    let wrong = looked_at(&new_source(), None, refused(WRONG_SECRET));
    let unreachable = || refused(Rejection::ConnectionFailed);
    let lasting = (0..5).fold(new_source(), |object, _| looked_at(&object, None, unreachable()));
    let suspended = |object: Value| changed(object, |object| object["spec"]["suspend"] = true.into());
    let newer = |object: Value| changed(object, |object| object["metadata"]["generation"] = 2.into());
    let still_good = Some(NOW + HOUR / 3);
    vec![
        ("no operator has looked yet", new_source(), "InProgress", Some("Progressing")),
        ("a token was issued", good.clone(), "Current", Some("Healthy")),
        ("the spec is newer than the status", newer(good.clone()), "InProgress", Some("Progressing")),
        ("the spec is newer than a refusal", newer(wrong.clone()), "InProgress", Some("Progressing")),
        ("the client is refused", wrong.clone(), "Failed", Some("Degraded")),
        ("refused credentials are not sent again", looked_at(&wrong, None, withheld), "Failed", Some("Degraded")),
        ("a corrected client got its token", looked_at(&wrong, None, issued), "Current", Some("Healthy")),
        ("the credentials Secret is missing", looked_at(&new_source(), None, missing), "Failed", Some("Degraded")),
        ("a renewal is refused, the token is still good", looked_at(&good, still_good, refused(WRONG_SECRET)), "Failed", Some("Degraded")),
        ("a renewal failed for now, the token is still good", looked_at(&good, still_good, unreachable()), "Current", Some("Healthy")),
        ("the first request failed for now", looked_at(&new_source(), None, unreachable()), "InProgress", Some("Progressing")),
        ("it has failed for minutes", lasting, "InProgress", Some("Degraded")),
        ("too many requests", looked_at(&new_source(), None, refused(Rejection::RateLimited)), "InProgress", Some("Progressing")),
        (
            "suspended before the first token",
            looked_at(&suspended(new_source()), None, |_| Outcome::Suspended),
            "InProgress",
            Some("Suspended"),
        ),
        (
            "suspended with a good token",
            looked_at(&suspended(good.clone()), still_good, |_| Outcome::Suspended),
            "Current",
            Some("Suspended"),
        ),
        (
            "it is being deleted",
            changed(good, |object| object["metadata"]["deletionTimestamp"] = "2026-03-02T10:00:00Z".into()),
            "Terminating",
            None,
        ),
    ]
}

/// The generic rules, in their order; without rules of a kind's own, which no custom resource has.
fn kstatus(object: &Value) -> &'static str {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating";
    }
    let observed = &object["status"]["observedGeneration"];
    if observed.is_number() && *observed != object["metadata"]["generation"] {
        return "InProgress";
    }
    let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    for condition in conditions.iter().filter(|condition| condition["status"] == "True") {
        match condition["type"].as_str() {
            Some("Reconciling") => return "InProgress",
            Some("Stalled") => return "Failed",
            _ => {}
        }
    }
    match conditions.iter().find(|condition| condition["type"] == "Ready") {
        Some(ready) if ready["status"] != "True" => "InProgress",
        Some(_) | None => "Current",
    }
}

#[test]
fn kstatus_tells_what_the_operator_means() {
    for (sentence, object, expected, _) in specimens() {
        assert_eq!(kstatus(&object), expected, "{sentence}: {}", object["status"]["conditions"]);
    }
}

#[test]
fn every_status_names_the_generation_that_it_is_about() {
    for (sentence, object, ..) in specimens().into_iter().skip(1) {
        assert!(object["status"]["observedGeneration"].is_number(), "{sentence}");
    }
}

/// With `UPDATE_GENERATED` in the environment the file is written instead; `make generate` does so.
#[test]
fn the_objects_for_the_libraries_of_gitops_tools_are_these() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testenv/gitops/objects.json");
    let objects = specimens()
        .into_iter()
        .map(|(name, object, kstatus, health)| json!({"name": name, "kstatus": kstatus, "argoCD": health, "object": object}));
    let made = format!("{:#}\n", Value::Array(objects.collect()));
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == made, "testenv/gitops/objects.json is out of date: run `make generate`");
}
