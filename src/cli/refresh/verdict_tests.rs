use super::*;
use crate::token_source::specimens::{good, good_but, now, refused, suspended};

const VALUE: &str = "2026-03-02T10:00:00.123456789Z";

#[test]
fn a_request_is_handled_when_it_or_a_later_one_was_acted_on() {
    for (handled, standing, expected) in [
        (None, Some(VALUE), false),
        (Some("before"), Some(VALUE), false),
        (Some(VALUE), Some(VALUE), true),
        (Some(VALUE), None, true),
        (Some("before"), Some("later"), false),
        (Some("later"), Some("later"), true),
        (Some("before"), None, false),
    ] {
        let source = good_but(|source| {
            source["status"]["lastHandledRefreshRequest"] = handled.into();
            if let Some(standing) = standing {
                source["metadata"]["annotations"] = serde_json::json!({ REFRESH_REQUESTED_AT: standing });
            }
        });
        assert_eq!(is_handled(&source, VALUE), expected, "{handled:?} {standing:?}");
    }
}

#[test]
fn what_was_asked_for_and_what_became_of_it_is_told() {
    let overview = |source| Overview::of(&source, now());
    let told = [
        requested(&good(), VALUE, 100),
        requested(&suspended(), VALUE, 100),
        obtained(&overview(good()), now(), 100),
        super::refused(&overview(refused()), now(), 100),
        overdue(&overview(good()), Duration::from_secs(60), 100),
        overdue(&overview(refused()), Duration::from_secs(300), 100),
    ];
    let expected = r#"
TokenSource billing in namespace shop: a token is requested (tokensource.dev/refresh-requested-at:
2026-03-02T10:00:00.123456789Z).

TokenSource paused in namespace shop: a token is requested (tokensource.dev/refresh-requested-at:
2026-03-02T10:00:00.123456789Z). It is suspended: nothing happens until spec.suspend is false.

A new token is in Secret billing; it expires in 57m. Next: renewal in 35m.

No new token: ClientAuthenticationFailed (WrongSecret). Next: attempt in 62m.
    login.example.com answered 401 invalid_client: the client was not accepted (WrongSecret): "Bad
    client credentials"
    Remedy: Put the client's current secret into the credentials Secret.

Nobody acted on it within 60s: is the operator running, and does it watch this namespace?

Nobody acted on it within 5m: is the operator running, and does it watch this namespace? If it does,
it may be waiting for the end of what it said last:
    login.example.com answered 401 invalid_client: the client was not accepted (WrongSecret): "Bad
    client credentials"
    Remedy: Put the client's current secret into the credentials Secret."#;
    assert_eq!(told.join("\n\n"), expected.trim_start());
}
