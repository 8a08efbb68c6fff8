//! Whether tokens are renewed in time.

use std::time::Duration;

use jiff::Timestamp;

use super::observed::Observed;
use super::outcome::Outcome;
use super::schedule::between;
use crate::api::condition::{ConditionStatus, ConditionType, find};

/// How punctual one look found or made the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Punctuality {
    /// The token was renewed this long after it was due.
    pub lateness: Option<Duration>,
    /// The token before expired first. Told once a token.
    pub expired: bool,
}

/// Judges what became of a look. A token that nobody may renew, because the source is suspended, is not late.
pub fn judge(observed: &Observed<'_>, outcome: &Outcome, now: Timestamp) -> Punctuality {
    let is_suspended = matches!(outcome, Outcome::Suspended);
    let held = observed.target.held().filter(|held| held.intact && !is_suspended);
    let is_renewed = matches!(outcome, Outcome::Issued { .. });
    // The condition still says what the look before saw: it turns with this one.
    let conditions = observed.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let was_ready = find(conditions, ConditionType::Ready).is_some_and(|ready| ready.status == ConditionStatus::True);
    Punctuality {
        lateness: held.and_then(|held| held.renew_at).filter(|due| is_renewed && *due <= now).map(|due| between(due, now)),
        expired: was_ready && held.and_then(|held| held.expires_at).is_some_and(|expiry| expiry <= now),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;
    use crate::api::condition::Reason;
    use crate::api::status::LastAttempt;
    use crate::oauth::token::{IssuedToken, Lifetime};
    use crate::token_source::digest::RequestDigest;
    use crate::token_source::failure::Failure;
    use crate::token_source::outcome::Attempt;
    use crate::token_source::scene::{Scene, at, digest};
    use crate::token_source::secret::Issue;

    type Happens = fn(&Scene) -> Outcome;

    fn issued(scene: &Scene) -> Outcome {
        let digest = RequestDigest { spec: scene.observed().spec_digest, credentials: digest('c') };
        let token = IssuedToken {
            access_token: SecretString::from("t".to_owned()),
            token_type: "Bearer".into(),
            lifetime: Lifetime::Seconds(3600),
            scope: None,
            id_token: None,
            refresh_token: None,
            issued_token_type: None,
        };
        let last = LastAttempt { time: Time(at(1000)), request_digest: digest.to_string(), credentials_version: None };
        let issue = Issue {
            token,
            expires_at: at(4600),
            renew_at: at(3400),
            requested_at: at(1000),
            digest,
            credentials_version: None,
            token_url: String::new(),
            client_id: String::new(),
        };
        Outcome::Issued { issue: Box::new(issue), attempt: Attempt { last, client_proof: None } }
    }

    fn failed(_: &Scene) -> Outcome {
        Outcome::Stalled(Failure::local(Reason::SecretConflict, "taken"))
    }

    fn suspended(_: &Scene) -> Outcome {
        Outcome::Suspended
    }

    fn ready(status: &str) -> serde_json::Value {
        json!({"conditions": [{
            "type": "Ready", "status": status, "reason": "TokenIssued", "message": "", "lastTransitionTime": at(0),
        }]})
    }

    /// What is told at 1000 of a token with this expiry and renewal.
    #[test]
    fn lateness_is_told_at_the_renewal_and_expiry_once() {
        let holding = |expires_at, renew_at, status| Scene::new().holding(expires_at, renew_at).status(&ready(status));
        let table: Vec<(&str, Scene, Happens, Option<u64>, bool)> = vec![
            ("a first token", Scene::new(), issued, None, false),
            ("a renewal on time", holding(1300, 1000, "True"), issued, Some(0), false),
            ("a late renewal", holding(1300, 700, "True"), issued, Some(300), false),
            ("a renewal before it is due, as a forced one", holding(1600, 1300, "True"), issued, None, false),
            ("a renewal after expiry that no look saw", holding(990, 700, "True"), issued, Some(300), true),
            ("the first look after expiry", holding(990, 700, "True"), failed, None, true),
            ("a renewal that fails before expiry", holding(1300, 700, "True"), failed, None, false),
            ("a renewal after an expiry that was told", holding(990, 700, "False"), issued, Some(300), false),
            ("an expiry while suspended", holding(990, 700, "True"), suspended, None, false),
        ];
        for (what, scene, outcome, lateness, expired) in table {
            let expected = Punctuality { lateness: lateness.map(Duration::from_secs), expired };
            assert_eq!(judge(&scene.observed(), &outcome(&scene), at(1000)), expected, "{what}");
        }
    }

    #[test]
    fn a_secret_that_someone_changed_is_no_late_token() {
        let scene = Scene::new().holding(990, 700).tampered().status(&ready("True"));
        assert_eq!(judge(&scene.observed(), &issued(&scene), at(1000)), Punctuality { lateness: None, expired: false });
    }
}
