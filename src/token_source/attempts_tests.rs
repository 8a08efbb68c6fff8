use super::*;
use proptest::prelude::*;
use proptest::sample::select;

use Standing::{Renewed, Unknown};

const WRONG: Rejection = Rejection::UserAuthenticationFailed;
const UNCLEAR: Rejection = Rejection::CredentialsRejected;
const WRONG_CLIENT: Rejection = Rejection::ClientAuthenticationFailed(crate::oauth::rejection::ClientCause::WrongSecret);
const NEW: Admission = Admission::Send { recorded: true };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn digest(name: char) -> Digest {
    Digest::parse(&name.to_string().repeat(32)).unwrap()
}

fn client(name: char) -> Presented {
    Presented { whole: digest(name), client: digest(name) }
}

fn user(name: char) -> Presented {
    Presented { whole: digest(name), client: digest('c') }
}

fn refused(ledger: &mut Ledger, presented: &Presented, second: i64, rejection: Rejection) {
    assert_eq!(ledger.admit(presented, Unknown, at(second)), NEW);
    ledger.settle(presented, at(second), Answered::Refused(rejection), at(second));
}

fn accepted(ledger: &mut Ledger, presented: &Presented, second: i64) {
    assert!(matches!(ledger.admit(presented, Unknown, at(second)), Admission::Send { .. }));
    ledger.settle(presented, at(second), Answered::Accepted, at(second));
}

/// The next process. `written` is what all processes before it wrote, each under a key of its own.
fn restarted(written: &mut Vec<Record>, ledger: &Ledger, second: i64) -> Ledger {
    written.extend(ledger.records(at(second)).iter().map(|record| record.to_string().parse().unwrap()));
    let mut next = Ledger::default();
    next.restore(written);
    next
}

#[test]
fn refused_credentials_are_sent_twice_and_then_withheld_until_the_hour_is_over() {
    let mut ledger = Ledger::default();
    refused(&mut ledger, &client('a'), 0, WRONG_CLIENT);
    refused(&mut ledger, &client('a'), 600, WRONG_CLIENT);
    let withheld = |until| Admission::Withheld { until: at(until), rejection: WRONG_CLIENT, is_open: false };
    assert_eq!(ledger.admit(&client('a'), Unknown, at(3599)), withheld(3600));
    refused(&mut ledger, &client('a'), 3600, WRONG_CLIENT);
    assert_eq!(ledger.admit(&client('a'), Unknown, at(3601)), withheld(4200));
    assert_eq!(ledger.admit(&client('b'), Unknown, at(3601)), NEW, "other credentials are sent at once");
}

#[test]
fn a_refused_client_is_refused_for_every_user_and_a_refused_user_for_that_user() {
    let mut ledger = Ledger::default();
    refused(&mut ledger, &user('1'), 0, WRONG);
    refused(&mut ledger, &user('1'), 1, WRONG);
    refused(&mut ledger, &user('2'), 2, WRONG_CLIENT);
    refused(&mut ledger, &user('3'), 3, WRONG_CLIENT);
    for presented in [user('4'), client('c')] {
        assert!(matches!(ledger.admit(&presented, Unknown, at(4)), Admission::Withheld { rejection: WRONG_CLIENT, .. }));
    }
    assert_eq!(ledger.admit(&client('d'), Unknown, at(4)), NEW);
}

#[test]
fn a_refusal_that_does_not_say_whom_it_means_counts_for_a_client_that_has_brought_no_token() {
    let mut ledger = Ledger::default();
    refused(&mut ledger, &user('1'), 0, UNCLEAR);
    refused(&mut ledger, &user('2'), 1, UNCLEAR);
    assert!(matches!(ledger.admit(&user('3'), Unknown, at(2)), Admission::Withheld { rejection: UNCLEAR, .. }));
    assert!(!ledger.admit_probe(&client('c'), at(2)), "the client may have been refused twice");
    let mut known = Ledger::default();
    accepted(&mut known, &user('1'), 0);
    refused(&mut known, &user('2'), 1, UNCLEAR);
    refused(&mut known, &user('3'), 2, UNCLEAR);
    assert_eq!(known.admit(&user('4'), Unknown, at(3)), NEW);
}

#[test]
fn one_at_a_time_so_that_one_crash_loses_one() {
    let mut ledger = Ledger::default();
    for second in [0, 2] {
        assert_eq!(ledger.admit(&client('a'), Unknown, at(second)), NEW);
        assert_eq!([Unknown, Renewed].map(|standing| ledger.admit(&client('a'), standing, at(second))), [Admission::Busy; 2]);
        ledger.settle(&client('a'), at(second), Answered::Accepted, at(second + 1));
    }
    assert_eq!(ledger.admit(&user('1'), Renewed, at(4)), Admission::Send { recorded: false });
    assert_eq!(ledger.admit(&user('2'), Renewed, at(4)), Admission::Busy, "with the same client");
    assert_eq!(restarted(&mut Vec::new(), &ledger, 5).admit(&user('2'), Unknown, at(5)), NEW);
}

#[test]
fn only_the_renewal_of_accepted_credentials_goes_unrecorded() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.admit(&client('a'), Renewed, at(0)), Admission::Send { recorded: false });
    assert_eq!(ledger.admit(&client('b'), Unknown, at(0)), NEW);
}

#[test]
fn a_client_is_probed_beside_the_request_that_was_refused() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.admit(&user('1'), Unknown, at(0)), NEW);
    assert!(ledger.admit_probe(&client('c'), at(1)));
    ledger.settle(&client('c'), at(1), Answered::Refused(WRONG_CLIENT), at(2));
    ledger.settle(&user('1'), at(0), Answered::Refused(WRONG_CLIENT), at(2));
    assert!(!ledger.admit_probe(&client('c'), at(3)), "the client was sent twice");
    assert!(matches!(ledger.admit(&client('c'), Unknown, at(3)), Admission::Withheld { .. }));
}

/// What happens to credentials, in a run of the property below.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    Answer(Answered),
    Crash,
}

proptest! {
    #[test]
    fn whatever_happens_no_window_holds_more_than_two_refusals(
        steps in proptest::collection::vec(
            (0_i64..900, select(vec![Step::Ask, Step::Ask, Step::Answer(Answered::Refused(WRONG_CLIENT)),
                Step::Answer(Answered::Unjudged), Step::Crash])), 1..200),
        names in proptest::collection::vec(select(vec!['1', '2', '3']), 200),
    ) {
        let (mut ledger, mut now, mut under_way, mut sent, mut written) = (Ledger::default(), 0, Vec::new(), Vec::new(), Vec::new());
        for ((pause, step), name) in steps.into_iter().zip(names) {
            now += pause;
            match step {
                Step::Ask => if ledger.admit(&user(name), Unknown, at(now)) == NEW {
                    under_way.push((user(name), now));
                },
                Step::Answer(answered) => if let Some((presented, at_second)) = under_way.pop() {
                    ledger.settle(&presented, at(at_second), answered, at(now));
                    sent.extend((answered != Answered::Unjudged).then_some(at_second));
                },
                // The server refused what was under way, and nobody has heard of it.
                Step::Crash => {
                    sent.extend(under_way.drain(..).map(|(_, second)| second));
                    ledger = restarted(&mut written, &ledger, now);
                }
            }
        }
        sent.sort_unstable();
        for window in sent.windows(REFUSALS_MAX + 1) {
            prop_assert!(window[REFUSALS_MAX] - window[0] >= 3600, "{sent:?}");
        }
    }
}

#[path = "attempts/restart_tests.rs"]
mod restarts;
