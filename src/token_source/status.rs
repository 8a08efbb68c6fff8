//! Turns what happened into a status, at most one Event, and the time of the next look.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::failure::{Failure, told};
use super::observed::Observed;
use super::outcome::{Attempt, Note, Outcome, Report};
use super::plan::forced;
use super::schedule::{self, RetryContext};
use super::secret::Issue;
use crate::api::condition::{self, Condition, ConditionStatus, ConditionType, Observation, Reason};
use crate::api::status::{LastFailure, TokenSourceStatus};

/// Makes the report. Pure: the same observation, outcome and time give the same report.
pub fn report(observed: &Observed<'_>, outcome: Outcome, now: Timestamp) -> Report {
    let previous = observed.status().cloned().unwrap_or_default();
    let mut draft = Draft {
        status: TokenSourceStatus {
            observed_generation: observed.source.metadata.generation,
            secret_name: Some(observed.source.target_name().to_owned()),
            ..previous.clone()
        },
        observed,
        now,
    };
    let look_again = match outcome {
        Outcome::Suspended => draft.suspended(),
        Outcome::Kept(until) => Some(draft.kept(until)),
        Outcome::Held(until) => draft.held(until),
        Outcome::Queued { told, again } => Some(draft.queued(told.as_ref(), again)),
        Outcome::Stalled(failure) => draft.stalled(&failure),
        Outcome::Withheld { failure, until, attempt } => Some(draft.withheld(&failure, until, attempt)),
        Outcome::Issued { issue, attempt } => Some(draft.issued(&issue, attempt)),
        Outcome::Refused { failure, attempt } => draft.refused(&failure, attempt),
    };
    let event = transition(&previous.conditions, &draft.status.conditions);
    Report { requeue: earliest(look_again, draft.expiry_ahead()), status: draft.status, event }
}

/// A status in the making.
struct Draft<'a> {
    status: TokenSourceStatus,
    observed: &'a Observed<'a>,
    now: Timestamp,
}

impl Draft<'_> {
    fn suspended(&mut self) -> Option<Timestamp> {
        if self.expiry_ahead().is_none() {
            let message = "spec.suspend is true: no token is requested".to_owned();
            self.set(ConditionType::Refreshed, ConditionStatus::Unknown, Reason::Suspended, message.clone());
            self.set(ConditionType::Ready, ConditionStatus::False, Reason::Suspended, message);
        }
        condition::remove(&mut self.status.conditions, ConditionType::Stalled);
        None
    }

    fn kept(&mut self, until: Timestamp) -> Timestamp {
        // After a crash between the two writes the Secret knows more than the status.
        let held = self.observed.target.held();
        self.status.expiration_time = held.and_then(|held| held.expires_at).map(Time);
        self.status.renewal_time = held.and_then(|held| held.renew_at).map(Time);
        self.status.token_type.get_or_insert_with(|| "Bearer".to_owned());
        if self.status.last_refresh_time.is_none() {
            self.status.last_refresh_time = held.and_then(|held| held.written_at).map(Time);
        }
        self.succeeded();
        until
    }

    fn held(&mut self, until: Option<Timestamp>) -> Option<Timestamp> {
        self.resume();
        let refreshed = condition::find(&self.status.conditions, ConditionType::Refreshed);
        if let Some((reason, message)) = refreshed.and_then(|refreshed| {
            let message = match refreshed.status {
                ConditionStatus::True => "the Secret is gone or was changed: a new token is requested shortly".to_owned(),
                ConditionStatus::False | ConditionStatus::Unknown => refreshed.message.clone(),
            };
            Some((Reason::parse(&refreshed.reason)?, message))
        }) {
            self.set_ready_while_failing(reason, message);
        }
        until
    }

    /// What was told before the source was suspended is true again: it waits for the same as before.
    fn resume(&mut self) {
        let refreshed = condition::find(&self.status.conditions, ConditionType::Refreshed);
        let was_suspended = refreshed.is_some_and(|refreshed| refreshed.reason == Reason::Suspended.to_string());
        let failed = self.status.last_failure.clone().filter(|_| was_suspended);
        if let Some((reason, LastFailure { message, remedy, .. })) =
            failed.and_then(|failed| Some((Reason::parse(&failed.reason)?, failed)))
        {
            self.set(ConditionType::Refreshed, ConditionStatus::False, reason, told(reason, &message, &remedy));
        }
    }

    /// A token that is there is renewed in time, most likely: nothing is told before it has expired, nor of a wait that is about
    /// to end. Nor is anything told twice.
    fn queued(&mut self, failure: Option<&Failure>, again: Duration) -> Timestamp {
        if let Some(failure) = failure.filter(|_| self.expiry_ahead().is_none()) {
            let refreshed = condition::find(&self.status.conditions, ConditionType::Refreshed);
            if let Some(told) = refreshed.filter(|told| told.reason == failure.reason.to_string()) {
                let message = told.message.clone();
                self.set_ready_while_failing(failure.reason, message);
            } else {
                self.status.next_attempt_time = failure.not_before(self.now).map(Time);
                self.tell(failure, 1);
            }
        } else {
            self.status = self.observed.status().cloned().unwrap_or_default();
        }
        // Thousands that began to wait together are not looked at together for ever.
        schedule::after(self.now, again + again.mul_f64(schedule::fraction(self.observed.seed())))
    }

    fn stalled(&mut self, failure: &Failure) -> Option<Timestamp> {
        let until = schedule::next_attempt(failure.retry, &self.retry_context(1));
        // What is found before any request is looked at again, which is no attempt.
        self.status.next_attempt_time = until.filter(|_| !failure.reason.is_local()).map(Time);
        self.tell(failure, 1);
        until
    }

    fn withheld(&mut self, failure: &Failure, until: Timestamp, attempt: Attempt) -> Timestamp {
        let failures = self.observed.failures().max(1);
        self.status.next_attempt_time = Some(Time(until));
        self.attempted(attempt, failures);
        self.tell(failure, failures);
        until
    }

    fn refused(&mut self, failure: &Failure, attempt: Attempt) -> Option<Timestamp> {
        let again = self.status.last_attempt.as_ref().is_some_and(|last| last.request_digest == attempt.last.request_digest);
        let failures = if again { self.observed.failures().saturating_add(1) } else { 1 };
        let until = schedule::next_attempt(failure.retry, &self.retry_context(failures));
        self.status.next_attempt_time = until.map(Time);
        self.attempted(attempt, failures);
        self.tell(failure, failures);
        until
    }

    fn issued(&mut self, issue: &Issue, attempt: Attempt) -> Timestamp {
        let asked = self.observed.source.spec.scopes.clone();
        self.status.token_type = Some(issue.token.token_type.clone());
        self.status.granted_scopes = issue.token.scope.clone().or(asked); // RFC 6749 §5.1: left out where identical
        self.status.last_refresh_time = Some(attempt.last.time.clone());
        self.status.expiration_time = Some(Time(issue.expires_at));
        self.status.renewal_time = Some(Time(issue.renew_at));
        self.attempted(attempt, 0);
        self.succeeded();
        issue.renew_at
    }

    /// What every attempt leaves, sent or held back.
    fn attempted(&mut self, attempt: Attempt, failures: u32) {
        let Attempt { last, client_proof } = attempt;
        self.status.client_proof = client_proof.or(self.status.client_proof.take());
        self.status.last_attempt = Some(last);
        self.status.consecutive_failures = Some(failures);
        if let Some(request) = forced(self.observed) {
            self.status.last_handled_refresh_request = Some(request.to_owned());
        }
    }

    /// What every success has in common: all that a failure left is cleared.
    fn succeeded(&mut self) {
        self.status.consecutive_failures = None;
        self.status.next_attempt_time = None;
        self.status.last_failure = None;
        let message = self.success_message();
        self.set(ConditionType::Ready, ConditionStatus::True, Reason::TokenIssued, message.clone());
        self.set(ConditionType::Refreshed, ConditionStatus::True, Reason::TokenIssued, message);
        condition::remove(&mut self.status.conditions, ConditionType::Stalled);
    }

    fn success_message(&self) -> String {
        let secret = self.observed.source.target_name();
        let granted = self.status.granted_scopes.as_deref().unwrap_or_default();
        let asked = self.observed.source.spec.scopes.as_deref().unwrap_or_default();
        let refused: Vec<&str> = asked.iter().filter(|scope| !granted.contains(scope)).map(String::as_str).collect();
        if refused.is_empty() || self.status.granted_scopes.is_none() {
            return format!("Secret {secret} holds a fresh token");
        }
        let message = format!("Secret {secret} holds a fresh token, but the server did not grant the scopes {}", refused.join(" "));
        super::failure::capped(&message)
    }

    /// What every failure has in common.
    fn tell(&mut self, failure: &Failure, failures: u32) {
        let message = failure.told();
        self.set(ConditionType::Refreshed, ConditionStatus::False, failure.reason, message.clone());
        self.set_ready_while_failing(failure.reason, message.clone());
        if schedule::is_stalled(failure.retry, failures) {
            self.set(ConditionType::Stalled, ConditionStatus::True, failure.reason, message);
        } else {
            condition::remove(&mut self.status.conditions, ConditionType::Stalled);
        }
        self.status.last_failure = Some(self.last_failure(failure));
    }

    /// The failure for the status. One that is only seen again, without a new attempt, keeps its time.
    fn last_failure(&self, failure: &Failure) -> LastFailure {
        let attempted = self.status.last_attempt != self.observed.status().and_then(|status| status.last_attempt.clone());
        let told = LastFailure {
            time: Time(self.now),
            reason: failure.reason.to_string(),
            cause: failure.cause.map(|cause| cause.as_str().to_owned()),
            http_status: failure.http_status,
            error: failure.error.clone(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
        };
        match &self.status.last_failure {
            Some(before) if !attempted && told == (LastFailure { time: told.time.clone(), ..before.clone() }) => before.clone(),
            Some(_) | None => told,
        }
    }

    /// A failed renewal leaves `Ready` True until the token expires.
    fn set_ready_while_failing(&mut self, reason: Reason, message: String) {
        if self.expiry_ahead().is_some() {
            let secret = self.observed.source.target_name();
            self.set(
                ConditionType::Ready,
                ConditionStatus::True,
                Reason::TokenIssued,
                format!("Secret {secret} holds a token that has not expired"),
            );
        } else {
            self.set(ConditionType::Ready, ConditionStatus::False, reason, message);
        }
    }

    fn set(&mut self, condition_type: ConditionType, status: ConditionStatus, reason: Reason, message: String) {
        let observation = Observation { condition_type, status, reason, message };
        condition::set(&mut self.status.conditions, observation, self.observed.source.metadata.generation, &Time(self.now));
    }

    fn retry_context(&self, failures: u32) -> RetryContext<'_> {
        RetryContext {
            failures,
            now: self.now,
            valid_until: self.observed.valid_until(),
            floor: self.observed.policy.min_refresh_interval,
            refresh: &self.observed.source.spec.refresh,
            seed: self.observed.seed(),
        }
    }

    /// When the token that is there expires, if that is still to come.
    fn expiry_ahead(&self) -> Option<Timestamp> {
        self.observed.valid_until().filter(|expiry| *expiry > self.now)
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// One Event where the token came, went, or its refusal changed its reason; none for a renewal like the one before.
fn transition(before: &[Condition], after: &[Condition]) -> Option<Note> {
    let state = |conditions, condition_type| {
        condition::find(conditions, condition_type).map(|condition: &Condition| (condition.status, condition.reason.clone()))
    };
    let (ready, refreshed) = (ConditionType::Ready, ConditionType::Refreshed);
    if (state(before, ready), state(before, refreshed)) == (state(after, ready), state(after, refreshed)) {
        return None;
    }
    let told = condition::find(after, refreshed).filter(|told| state(before, refreshed) != Some((told.status, told.reason.clone())));
    let told = told.or_else(|| condition::find(after, ready))?;
    Some(Note {
        reason: Reason::parse(&told.reason)?,
        message: told.message.clone(),
        is_warning: told.status != ConditionStatus::True && told.reason != Reason::Suspended.to_string(),
    })
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
