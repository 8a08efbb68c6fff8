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

#[test]
fn a_restart_remembers_refusals_and_what_was_sent_without_an_answer() {
    let (mut written, mut ledger) = (Vec::new(), Ledger::default());
    refused(&mut ledger, &client('a'), 0, WRONG_CLIENT);
    assert_eq!(ledger.admit(&client('a'), Unknown, at(10)), NEW);
    let mut next = restarted(&mut written, &ledger, 10);
    let withheld = Admission::Withheld { until: at(3600), rejection: WRONG_CLIENT, is_open: true };
    assert_eq!(next.admit(&client('a'), Unknown, at(20)), withheld);
    assert_eq!(restarted(&mut written, &next, 20).admit(&client('a'), Unknown, at(30)), withheld);
}

#[test]
fn two_of_the_same_moment_are_two_after_a_restart() {
    let mut ledger = Ledger::default();
    assert_eq!((ledger.admit(&user('1'), Unknown, at(9)), ledger.admit_probe(&client('c'), at(9))), (NEW, true));
    let withheld = |ledger: &Ledger| restarted(&mut Vec::new(), ledger, 9).withheld(&client('c'), at(9)).is_some();
    assert!(withheld(&ledger));
    for presented in [user('1'), client('c')] {
        ledger.settle(&presented, at(9), Answered::Refused(WRONG_CLIENT), at(9));
    }
    assert!(withheld(&ledger));
}

#[test]
fn what_another_process_has_answered_meanwhile_no_longer_counts() {
    let mut ledger = Ledger::default();
    let sent = |second| Record { credentials: digest('a'), time: at(second), said: Said::Sent };
    ledger.restore(&[sent(0), sent(1)]);
    assert!(matches!(ledger.admit(&client('a'), Unknown, at(2)), Admission::Withheld { is_open: true, .. }));
    ledger.restore(&[sent(1)]);
    accepted(&mut ledger, &client('a'), 2);
    ledger.restore(&[sent(1)]);
    assert_eq!(ledger.admit(&client('a'), Unknown, at(3)), NEW);
    for (requested_at, is_proved) in [(0, false), (1, true), (2, true)] {
        let mut ledger = Ledger::default();
        ledger.restore(&[sent(1), sent(2)]);
        ledger.proved(&client('a'), &Proof { credentials: digest('a'), requested_at: at(requested_at) });
        assert_eq!(ledger.withheld(&client('a'), at(4)).is_none(), is_proved, "by a token that was asked for at {requested_at}");
    }
}

#[test]
fn an_answer_that_nobody_waited_for_counts_until_a_token_comes() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.admit(&client('a'), Unknown, at(0)), NEW);
    ledger.settle(&client('a'), at(0), Answered::Lost, at(1));
    assert_eq!(ledger.records(at(1)).len(), 1);
    let mut refused_once = restarted(&mut Vec::new(), &ledger, 1);
    refused(&mut refused_once, &client('a'), 2, WRONG_CLIENT);
    assert!(refused_once.withheld(&client('a'), at(3)).is_some());
    accepted(&mut ledger, &client('a'), 2);
    assert!(ledger.records(at(2)).is_empty());
}

#[test]
fn a_renewal_that_was_due_before_this_process_began_may_have_been_refused_once() {
    let mut ledger = Ledger::default();
    assert!(ledger.suspect(&client('a'), at(0)) && ledger.suspect(&client('a'), at(0)));
    refused(&mut ledger, &client('a'), 1, WRONG_CLIENT);
    assert!(matches!(ledger.admit(&client('a'), Unknown, at(2)), Admission::Withheld { .. }));
    accepted(&mut ledger, &client('b'), 3);
    assert!(!ledger.suspect(&client('b'), at(0)));
    assert!(ledger.records(at(4)).iter().all(|record| record.credentials != digest('b')));
}

#[test]
fn a_token_answers_what_was_open_when_it_was_asked_for_by_whatever_clock() {
    let mut written: Vec<Record> = [100, 200].map(|second| Record { credentials: digest('a'), time: at(second), said: Said::Sent }).into();
    let mut ledger = Ledger::default();
    ledger.restore(written.get(..1).unwrap());
    accepted(&mut ledger, &client('a'), 5);
    ledger.restore(&written);
    assert_eq!(ledger.withheld(&client('a'), at(10)), None, "one of them is answered");
    let mut next = restarted(&mut written, &ledger, 10);
    assert_eq!(next.admit(&client('a'), Unknown, at(10)), NEW, "for the next process too");
    next.settle(&client('a'), at(10), Answered::Lost, at(11));
    assert!(next.withheld(&client('a'), at(11)).is_some(), "with the one that came later");
    assert!(restarted(&mut written, &next, 3900).records(at(3900)).is_empty(), "all is forgotten in the end");
}

#[test]
fn a_token_of_another_assertion_proves_the_client_that_was_sent_at_that_very_time() {
    for (requested_at, is_proved) in [(1, false), (2, true), (3, false)] {
        let sent = |second| Record { credentials: digest('c'), time: at(second), said: Said::Sent };
        let mut ledger = Ledger::default();
        ledger.restore(&[sent(0), sent(2)]);
        assert_eq!(ledger.proved(&user('2'), &Proof { credentials: digest('1'), requested_at: at(requested_at) }), is_proved);
        assert_eq!(ledger.withheld(&user('2'), at(4)).is_none(), is_proved, "by a token that was asked for at {requested_at}");
    }
}

#[test]
fn what_goes_unrecorded_is_not_recorded_with_others() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.admit(&client('a'), Renewed, at(0)), Admission::Send { recorded: false });
    assert_eq!(ledger.admit(&client('b'), Unknown, at(0)), NEW);
    assert_eq!(ledger.records(at(0)), [Record { credentials: digest('b'), time: at(0), said: Said::Sent }]);
    ledger.settle(&client('a'), at(0), Answered::Lost, at(1));
    assert_eq!(ledger.records(at(1)).len(), 2, "its answer is lost, and this process is there to tell");
}

/// A process begins, finds a renewal due, sends it and finds nobody there.
fn restarted_in_an_outage(written: &mut Vec<Record>, ledger: &Ledger, began: i64) -> Ledger {
    let mut next = restarted(written, ledger, began);
    assert!(next.suspect(&client('a'), at(began)));
    assert_eq!(next.admit(&client('a'), Unknown, at(began)), NEW, "at {began}");
    next.settle(&client('a'), at(began), Answered::Unjudged, at(began + 1));
    next
}

#[test]
fn however_often_it_is_restarted_while_an_endpoint_is_away_a_due_renewal_counts_once() {
    let (mut written, mut ledger) = (Vec::new(), Ledger::default());
    for began in [100, 200, 300, 400] {
        ledger = restarted_in_an_outage(&mut written, &ledger, began);
    }
    refused(&mut ledger, &client('a'), 500, WRONG_CLIENT);
    assert!(ledger.withheld(&client('a'), at(500)).is_some(), "with the first of them");
}

#[test]
fn a_renewal_that_a_crash_left_unrecorded_counts_once() {
    let (mut written, mut ledger) = (Vec::new(), Ledger::default());
    accepted(&mut ledger, &client('a'), 0);
    assert_eq!(ledger.admit(&client('a'), Renewed, at(10)), Admission::Send { recorded: false });
    let mut next = restarted(&mut written, &ledger, 12);
    assert!(next.suspect(&client('a'), at(12)));
    assert_eq!(next.admit(&client('a'), Unknown, at(12)), NEW);
    assert!(restarted(&mut written, &next, 13).withheld(&client('a'), at(13)).is_some(), "the second that is lost");
}

#[test]
fn whoever_knows_of_anything_that_counts_records_every_request() {
    let mut written = Vec::new();
    let mut ledger = restarted_in_an_outage(&mut written, &Ledger::default(), 100);
    assert_eq!(ledger.admit(&client('a'), Renewed, at(150)), NEW, "of another source, which fell due later");
    ledger.settle(&client('a'), at(150), Answered::Unjudged, at(151));
    let mut next = restarted(&mut written, &ledger, 200);
    assert_eq!(next.admit(&client('a'), Renewed, at(250)), NEW);
    let mut crashed = restarted(&mut written, &next, 260);
    assert!(crashed.suspect(&client('a'), at(260)));
    assert!(matches!(crashed.admit(&client('a'), Unknown, at(260)), Admission::Withheld { .. }), "both may have been refused");
    accepted(&mut ledger, &client('a'), 300);
    assert_eq!(ledger.admit(&client('a'), Renewed, at(350)), Admission::Send { recorded: false }, "until a token comes");
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

#[test]
fn what_nobody_read_the_answer_of_counts_a_minute_longer_since_it_may_have_been_refused_so_late() {
    let (mut ledger, mut written) = (Ledger::default(), Vec::new());
    for second in [0, 1] {
        assert_eq!(ledger.admit(&client('a'), Unknown, at(second)), NEW);
        ledger.settle(&client('a'), at(second), Answered::Lost, at(second));
    }
    for ledger in [restarted(&mut written, &ledger, 3659), ledger] {
        assert!(ledger.withheld(&client('a'), at(3659)).is_some());
        assert!(ledger.withheld(&client('a'), at(3660)).is_none());
    }
}
