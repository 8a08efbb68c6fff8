use super::*;
use crate::token_source::specimens::{good, good_but, now, pending, refused};

#[test]
fn a_good_source_has_its_token_and_its_times() {
    let expected = r"
Name          billing
Namespace     shop
Ready         True
Verdict       TokenIssued
Message       Secret billing holds a fresh token
Endpoint      login.example.com
Grant         ClientCredentials
Client        accepted by the server, as a token or the probe has shown
Secret        billing
Token         Bearer
Scopes        invoices.read invoices.write
Obtained      3m ago (2026-03-02T09:57:00Z)
Expires       in 57m (2026-03-02T10:57:00Z)
Next          renewal in 35m (2026-03-02T10:35:00Z)

CONDITION   STATUS   REASON        SINCE
Ready       True     TokenIssued   3m ago (2026-03-02T09:57:00Z)
Refreshed   True     TokenIssued   3m ago (2026-03-02T09:57:00Z)";
    assert_eq!(details(&Overview::of(&good(), now()), now(), 100), expected.trim_start());
}

#[test]
fn a_refused_source_has_all_that_is_known_of_the_refusal() {
    let expected = r#"
Name          orders
Namespace     shop
Ready         False
Verdict       ClientAuthenticationFailed (WrongSecret)
Endpoint      login.example.com
Grant         ClientCredentials
Secret        orders
Next          attempt in 62m (2026-03-02T11:02:00Z)
Failures      1 in a row

CONDITION   STATUS   REASON                       SINCE
Ready       False    ClientAuthenticationFailed   3m ago (2026-03-02T09:57:00Z)
Refreshed   False    ClientAuthenticationFailed   3m ago (2026-03-02T09:57:00Z)
Stalled     True     ClientAuthenticationFailed   3m ago (2026-03-02T09:57:00Z)

LAST FAILURE
Time          3m ago (2026-03-02T09:57:00Z)
Reason        ClientAuthenticationFailed
Cause         WrongSecret
HTTP status   401
Error         invalid_client
Message       login.example.com answered 401 invalid_client: the client was not
              accepted (WrongSecret): "Bad client credentials"
Remedy        Put the client's current secret into the credentials Secret."#;
    assert_eq!(details(&Overview::of(&refused(), now()), now(), 80), expected.trim_start());
}

#[test]
fn a_source_that_nobody_has_looked_at_says_so() {
    let expected = r"
Name          new
Namespace     shop
Ready         Unknown
Verdict       Pending
Doubt         No operator has looked at this source yet. If that stays: is the operator running, and
              does it watch this namespace?
Endpoint      not in the spec: see the credentials Secret
Grant         ClientCredentials
Next          -

CONDITION   STATUS    REASON    SINCE
Ready       Unknown   Pending   -
Refreshed   Unknown   Pending   -";
    assert_eq!(details(&Overview::of(&pending(), now()), now(), 100), expected.trim_start());
}

#[test]
fn a_status_that_is_not_the_whole_truth_says_so_below_the_verdict() {
    let source = good_but(|source| source["status"]["expirationTime"] = "2026-03-02T09:58:00Z".into());
    let expected = r"
Ready         False
Verdict       TokenIssued
Message       Secret billing holds a fresh token
Doubt         The token has expired, and the status does not say so: is the operator running, and
              does it watch this namespace?";
    let text = details(&Overview::of(&source, now()), now(), 100);
    assert_eq!(text.lines().skip(2).take(5).collect::<Vec<_>>().join("\n"), expected.trim_start());
}
