use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn candidate() -> Candidate {
    Candidate { lease_name: "tokensource".into(), identity: "me".into(), terms: Terms::default() }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A Lease as somebody wrote it, at a second of the writer's clock.
fn lease(holder: &str, seconds: impl Into<Option<i32>>, written: i64) -> Lease {
    Lease {
        metadata: ObjectMeta { name: Some("tokensource".into()), resource_version: Some("7".into()), ..ObjectMeta::default() },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: seconds.into(),
            acquire_time: Some(MicroTime(time(0))),
            renew_time: Some(MicroTime(time(written))),
            lease_transitions: Some(4),
            ..LeaseSpec::default()
        }),
    }
}

fn spec(lease: Lease) -> LeaseSpec {
    lease.spec.unwrap()
}

#[test]
fn the_terms_leave_room_between_the_leaders_end_and_the_next() {
    for terms in [Terms::default(), Terms::of(Duration::ZERO), Terms::of(60 * SECOND)] {
        assert!(terms.renew_after() + 2 * terms.patience() <= terms.deadline(), "two tries before the deadline: {terms:?}");
        assert!(terms.deadline() + terms.pause() + terms.patience() < terms.lease, "{terms:?}");
        assert!(terms.pause() < terms.patience(), "{terms:?}");
    }
    let terms = Terms::default();
    assert_eq!([terms.lease, terms.deadline(), terms.renew_after(), terms.pause()], [15 * SECOND, 10 * SECOND, 5 * SECOND, SECOND]);
    assert_eq!(terms.seconds(), 15);
}

/// How many seconds after the first look a Lease is taken that stays as it is.
fn taken_after(lease: Option<&Lease>) -> u32 {
    let mut seen = Sighting::first(lease.cloned(), 100 * SECOND);
    (0..1_000)
        .find(|second| {
            let now = (100 + second) * SECOND;
            seen = seen.clone().then(lease.cloned(), now);
            candidate().claim(&seen, now, time(0)).is_some()
        })
        .unwrap()
}

#[test]
fn what_is_not_held_is_taken_at_once_and_what_is_held_when_it_stood_still() {
    let without_spec = Lease { spec: None, ..lease("x", 15, 0) };
    for (what, lease, seconds) in [
        ("there is none", None, 0),
        ("released", Some(lease("", None, 0)), 0),
        ("made by hand, empty", Some(without_spec), 0),
        ("held", Some(lease("other", 15, 0)), 15),
        ("held, by a clock of the past", Some(lease("other", 15, -100_000)), 15),
        ("held, by a clock of the future", Some(lease("other", 15, 100_000)), 15),
        ("held for longer than our own would be", Some(lease("other", 40, 0)), 40),
        ("held, its duration edited down", Some(lease("other", 1, 0)), 15),
        ("held, its duration edited away", Some(lease("other", None, 0)), 15),
        ("held, its duration impossible", Some(lease("other", -3, 0)), 15),
        ("its holder struck out by somebody", Some(lease("", 15, 0)), 15),
        ("naming us, which we did not write", Some(lease("me", 15, 0)), 15),
    ] {
        assert_eq!(taken_after(lease.as_ref()), seconds, "{what}");
    }
}

#[test]
fn a_holder_that_renews_is_left_alone_whatever_its_clock_says() {
    let mut seen = Sighting::first(Some(lease("other", 15, 0)), SECOND);
    for (now, written) in [(11, 5), (21, -7_200), (31, -7_195), (41, 90_000), (51, 3)] {
        seen = seen.then(Some(lease("other", 15, written)), now * SECOND);
        assert_eq!(candidate().claim(&seen, now * SECOND, time(0)), None, "at {now}");
    }
    assert!(candidate().claim(&seen, 65 * SECOND, time(0)).is_none());
    assert!(candidate().claim(&seen, 66 * SECOND, time(0)).is_some());
}

#[test]
fn a_label_is_no_sign_of_life() {
    let mut labelled = lease("other", 15, 0);
    labelled.metadata.resource_version = Some("8".into());
    let seen = Sighting::first(Some(lease("other", 15, 0)), SECOND).then(Some(labelled), 16 * SECOND);
    let claim = candidate().claim(&seen, 16 * SECOND, time(0)).unwrap();
    assert_eq!(claim.metadata.resource_version.as_deref(), Some("8"), "written over what is there now");
}

#[test]
fn a_lease_that_was_deleted_is_still_its_holders_for_a_while() {
    let seen = Sighting::first(Some(lease("other", 15, 0)), SECOND).then(None, 2 * SECOND).then(None, 16 * SECOND);
    assert_eq!(candidate().claim(&seen, 16 * SECOND, time(0)), None);
    assert!(candidate().claim(&seen, 17 * SECOND, time(0)).is_some());
}

#[test]
fn a_claim_counts_transitions_and_is_written_over_what_was_seen() {
    let claim = candidate().claim(&Sighting::first(Some(lease("", None, 0)), SECOND), SECOND, time(9)).unwrap();
    assert_eq!(claim.metadata, lease("", None, 0).metadata);
    let written = LeaseSpec {
        holder_identity: Some("me".into()),
        lease_duration_seconds: Some(15),
        acquire_time: Some(MicroTime(time(9))),
        renew_time: Some(MicroTime(time(9))),
        lease_transitions: Some(5),
        ..LeaseSpec::default()
    };
    assert_eq!(spec(claim), written);
    let first = candidate().claim(&Sighting::first(None, SECOND), SECOND, time(9)).unwrap();
    assert_eq!((first.metadata.name.as_deref(), first.metadata.resource_version.as_deref()), (Some("tokensource"), None));
    assert_eq!(spec(first), LeaseSpec { lease_transitions: Some(0), ..written });
}

#[test]
fn the_leader_renews_what_is_its_own_mends_it_and_gives_way_to_others() {
    let renewed = |found| candidate().renewal(found, time(5), Duration::ZERO);
    let expected = spec(lease("me", 15, 5));
    assert_eq!(spec(renewed(Some(lease("me", 15, 0))).unwrap()), expected);
    assert_eq!(spec(renewed(Some(lease("me", 1, 0))).unwrap()), expected, "an edited duration");
    assert_eq!(renewed(None).unwrap().metadata.resource_version, None, "a deleted Lease is made again");
    assert_eq!(renewed(Some(lease("other", 15, 0))), Err(Lost::Taken { holder: "other".into() }));
    assert_eq!(renewed(Some(lease("", 15, 0))), Err(Lost::Taken { holder: String::new() }));
}

#[test]
fn only_ones_own_lease_is_released_and_then_anybody_may_take_it() {
    assert_eq!(candidate().release(lease("other", 15, 0), time(5)), None);
    assert_eq!(candidate().release(lease("", None, 0), time(5)), None);
    let released = candidate().release(lease("me", 15, 0), time(5)).unwrap();
    assert_eq!(released, lease("", None, 5));
    assert_eq!(taken_after(Some(&released)), 0);
}

#[test]
fn a_lease_tells_until_when_its_holder_may_have_sent_renewals_without_a_record() {
    let until = |lease: &Lease| Terms::default().unrecorded_until(lease);
    for (what, lease, expected) in [
        ("held", lease("other", 15, 20), Some(time(30))),
        ("held by somebody who takes longer", lease("other", 60, 20), Some(time(60))),
        ("its duration edited down", lease("other", 1, 20), Some(time(30))),
        ("its duration edited away", lease("other", None, 20), Some(time(30))),
        ("its holder struck out by somebody", lease("", 15, 20), Some(time(30))),
        ("given back", lease("", None, 20), Some(time(20))),
        ("without a word", Lease { spec: None, ..lease("x", 15, 0) }, None),
    ] {
        assert_eq!(until(&lease), expected, "{what}");
    }
    let before = |seen| candidate().sent_before(&Sighting::first(seen, SECOND), time(99));
    assert_eq!([before(Some(lease("other", 15, 20))), before(None)], [time(30), time(99)]);
}

#[test]
fn the_times_of_a_lease_do_not_go_back_with_a_clock_before_all_is_answered() {
    let micros = |second, micros| after(time(second), Duration::from_micros(micros));
    let written = |lease: Lease| spec(lease).renew_time.unwrap().0;
    let taken_from = |lease| candidate().claim(&Sighting::first(Some(lease), SECOND), 16 * SECOND, time(3)).unwrap();
    let renewed = |behind| written(candidate().renewal(Some(lease("me", 15, 600)), time(3), behind * SECOND).unwrap());
    assert_eq!([renewed(0), renewed(59)], [micros(600, 1); 2], "still a sign of life");
    assert_eq!(renewed(60), time(3), "what was sent by the other clock is answered");
    assert!(is_behind(&lease("me", 15, 600), time(3)) && !is_behind(&lease("me", 15, 600), time(600)));
    assert_eq!(written(candidate().release(lease("me", 15, 600), time(3)).unwrap()), micros(600, 1));
    assert_eq!(written(taken_from(lease("other", 15, 600))), micros(610, 1), "what the other may have sent is before it");
    assert_eq!(written(taken_from(lease("", None, 600))), micros(600, 1));
    let seconds = Terms::of(Duration::from_millis(15_001)).seconds();
    assert_eq!(seconds, 16, "what others read is no shorter than what the holder counts on");
}
