use super::*;
use crate::token_source::specimens::{good, now, pending, refused, renewal_failed, suspended, without_credentials};

fn overviews() -> Vec<Overview> {
    [good(), renewal_failed(), pending(), refused(), suspended(), without_credentials()].map(|source| Overview::of(&source, now())).to_vec()
}

#[test]
fn a_row_says_how_a_source_is_and_what_stands_below_it_says_why() {
    let expected = r#"
NAME        READY     VERDICT                                    EXPIRES   NEXT
billing     True      TokenIssued                                in 57m    renewal in 35m
inventory   True      TemporarilyUnavailable                     in 57m    attempt in 40s
    login.example.com answered 503: it can't answer now
    Remedy: Nothing is to be done: it is tried again.
new         Unknown   Pending                                    -         -
    No operator has looked at this source yet. If that stays: is the operator running, and does it
    watch this namespace?
orders      False     ClientAuthenticationFailed (WrongSecret)   -         attempt in 62m
    login.example.com answered 401 invalid_client: the client was not accepted (WrongSecret): "Bad
    client credentials"
    Remedy: Put the client's current secret into the credentials Secret.
paused      False     Suspended                                  -         when resumed
    spec.suspend is true: no token is requested
returns     False     CredentialsNotFound                        -         after a change
    there is no Secret client
    Remedy: Create it."#;
    assert_eq!(table(&overviews(), false, now(), 100), expected.trim_start());
}

#[test]
fn all_namespaces_have_a_column_for_them_and_texts_fit_a_narrow_terminal() {
    let expected = r#"
NAMESPACE   NAME     READY   VERDICT                                    EXPIRES   NEXT
shop        orders   False   ClientAuthenticationFailed (WrongSecret)   -         attempt in 62m
    login.example.com answered 401 invalid_client: the
    client was not accepted (WrongSecret): "Bad client
    credentials"
    Remedy: Put the client's current secret into the
    credentials Secret."#;
    assert_eq!(table(&overviews()[3..4], true, now(), 60), expected.trim_start());
}
