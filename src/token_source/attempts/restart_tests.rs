//! What a process knows of requests that others have sent.

use super::*;

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
