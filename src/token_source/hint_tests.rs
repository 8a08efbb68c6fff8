//! Hints by table: what is odd about a request, and what that explains.

use proptest::prelude::*;

use super::*;
use crate::oauth::client::{BasicEncoding, BasicUser, Client, ClientAuthentication};
use crate::oauth::endpoint::{TokenEndpoint, UrlType};
use crate::oauth::grant::Grant;
use crate::oauth::request::{ExtraParts, TokenRequest};

const OTHER: &str = "https://auth.example.com/token";
const XSUAA: &str = "https://shop.authentication.eu10.hana.ondemand.com/oauth/token";
const XSUAA_CERT: &str = "https://shop.authentication.cert.eu10.hana.ondemand.com/oauth/token";
const KEYCLOAK: &str = "https://sso.example.com/realms/shop/protocol/openid-connect/token";
const IAS: &str = "https://mytenant.accounts.ondemand.com/oauth2/token";
const UAA: &str = "https://uaa.sys.example.com/oauth/token";
const ENTRA: &str = "https://login.microsoftonline.com/contoso.example.com/oauth2/v2.0/token";
const UUID: &str = "3f1c5a60-8f0e-4a6b-9c3e-111111111111";

const UNSPECIFIED: Rejection = Rejection::ClientAuthenticationFailed(ClientCause::Unspecified);

fn body(secret: &str) -> ClientAuthentication {
    ClientAuthentication::Body { secret: secret.to_owned().into() }
}

fn basic(secret: &str) -> ClientAuthentication {
    ClientAuthentication::Basic { secret: secret.to_owned().into(), encoding: BasicEncoding::FormURLEncoded }
}

fn raw(secret: &str) -> ClientAuthentication {
    ClientAuthentication::Basic { secret: secret.to_owned().into(), encoding: BasicEncoding::Raw }
}

fn request(url: &str, id: &str, authentication: ClientAuthentication) -> TokenRequest {
    TokenRequest {
        endpoint: TokenEndpoint::parse(url, UrlType::Dedicated, false).unwrap(),
        client: Client { id: id.to_owned(), authentication },
        basic_user: None,
        grant: Grant::ClientCredentials,
        scopes: Vec::new(),
        parameters: Vec::new(),
        extra: ExtraParts::default(),
    }
}

#[test]
fn what_is_odd_about_a_client_is_seen() {
    use Hint::{
        CertHostWithoutCertificate, EncodedInHeader, EncodedTwice, HostWithoutCert, PaddedClientId, PaddedSecret, QuotedSecret,
        RawInHeader, SecretIdAsSecret, Swapped,
    };
    for (sentence, url, id, authentication, expected) in [
        ("a plain secret", OTHER, "orders", basic("s3cret"), &[][..]),
        ("a plus in the body", OTHER, "orders", body("s3+cret"), &[]),
        ("a plus in the header", OTHER, "orders", basic("s3+cret"), &[EncodedInHeader]),
        ("a percent sign", OTHER, "orders", basic("s3%cret"), &[EncodedInHeader]),
        ("an ampersand", OTHER, "orders", basic("s3&cret"), &[EncodedInHeader]),
        ("an equals sign", XSUAA, "sb-shop!t1", basic("s3cret="), &[EncodedInHeader]),
        ("a colon", OTHER, "orders", basic("s3:cret"), &[EncodedInHeader]),
        ("a blank inside", OTHER, "orders", basic("s3 cret"), &[EncodedInHeader]),
        ("a letter beyond ASCII", OTHER, "orders", basic("s3crét"), &[EncodedInHeader]),
        ("other signs", OTHER, "orders", basic("s3cret!~-._*"), &[]),
        ("a server that is known to decode", KEYCLOAK, "orders", basic("s3+cret"), &[]),
        ("another that is", IAS, UUID, basic("s3+cret"), &[]),
        ("not encoded", KEYCLOAK, "orders", raw("s3+cret"), &[RawInHeader]),
        ("not encoded, as the UAA wants it", UAA, "orders", raw("s3+cret"), &[]),
        ("encoded for the UAA", UAA, "orders", basic("s3+cret"), &[EncodedInHeader]),
        ("a line end behind", OTHER, "orders", body("s3cret\n"), &[PaddedSecret]),
        ("a carriage return behind", OTHER, "orders", basic("s3cret\r\n"), &[PaddedSecret]),
        ("a blank before", OTHER, "orders", basic(" s3cret"), &[PaddedSecret]),
        ("a byte order mark", OTHER, "orders", body("\u{feff}s3cret"), &[PaddedSecret]),
        ("a line end behind the id", OTHER, "orders\n", body("s3cret"), &[PaddedClientId]),
        ("an id with a line end and a certificate", OTHER, "orders\n", ClientAuthentication::MutualTls, &[PaddedClientId]),
        ("quotation marks", OTHER, "orders", body("\"s3cret\""), &[QuotedSecret]),
        ("one quotation mark", OTHER, "orders", body("\"s3cret"), &[]),
        ("Base64 of text", OTHER, "orders", body("YS1zM2NyZXQtb2YtdGV4dAo="), &[EncodedTwice]),
        ("Base64 of bytes", OTHER, "orders", body("l5SX9mBXQkqdJ2wQ8p0vfw=="), &[]),
        ("hexadecimal digits", OTHER, "orders", body("0123456789abcdef0123456789abcdef"), &[]),
        ("id and secret swapped", XSUAA, "s3cret", body("sb-shop!t4711"), &[Swapped]),
        ("the same elsewhere", OTHER, "s3cret", body("sb-shop!t4711"), &[]),
        ("swapped at Identity Authentication", IAS, "s3cret", body(UUID), &[Swapped]),
        ("Entra's Secret ID", ENTRA, UUID, body(UUID), &[SecretIdAsSecret]),
        ("Entra's secret", ENTRA, UUID, body("abc8Q~XyZ_0-s3cret"), &[]),
        ("a certificate at the host for secrets", XSUAA, "sb-shop!t1", ClientAuthentication::MutualTls, &[HostWithoutCert]),
        ("a certificate at the host for them", XSUAA_CERT, "sb-shop!t1", ClientAuthentication::MutualTls, &[]),
        ("a secret at the host for certificates", XSUAA_CERT, "sb-shop!t1", body("s3cret"), &[CertHostWithoutCertificate]),
        ("a certificate elsewhere", OTHER, "orders", ClientAuthentication::MutualTls, &[]),
    ] {
        assert_eq!(hints(&request(url, id, authentication), false), expected, "{sentence}");
    }
}

#[test]
fn a_client_that_was_accepted_before_has_the_right_secret() {
    assert_eq!(hints(&request(OTHER, "orders", body("s3cret\n")), true), [Hint::AcceptedBefore]);
    assert_eq!(hints(&request(OTHER, "orders", basic("s3+cret")), true), [Hint::AcceptedBefore, Hint::EncodedInHeader]);
}

#[test]
fn a_basic_user_of_the_token_service_is_what_stands_in_the_header() {
    let with = |password: &str, encoding| TokenRequest {
        basic_user: Some(BasicUser { name: "service".into(), password: password.to_owned().into(), encoding }),
        ..request(OTHER, "orders", body("s3+cret"))
    };
    assert_eq!(hints(&with("p+ss", BasicEncoding::Raw), false), [Hint::RawInHeader]);
    assert_eq!(hints(&with("p+ss", BasicEncoding::FormURLEncoded), false), []);
    assert_eq!(hints(&with("pass", BasicEncoding::Raw), false), []);
}

#[test]
fn a_line_end_behind_user_or_password_is_seen() {
    let user = |name: &str, password: &str| TokenRequest {
        grant: Grant::Password { username: name.into(), password: password.to_owned().into(), one_time_code: None },
        ..request(OTHER, "orders", body("s3cret"))
    };
    assert_eq!(hints(&user("alice", "pass word"), false), []);
    assert_eq!(hints(&user("alice\n", "password"), false), [Hint::PaddedUser]);
    assert_eq!(hints(&user("alice", "password\n"), false), [Hint::PaddedUser]);
}

#[test]
fn a_hint_is_told_only_with_what_it_can_explain() {
    let client = |cause| Rejection::ClientAuthenticationFailed(cause);
    for (hint, rejection, expected) in [
        (Hint::PaddedSecret, UNSPECIFIED, true),
        (Hint::PaddedSecret, client(ClientCause::WrongSecret), true),
        (Hint::PaddedSecret, Rejection::CredentialsRejected, true),
        (Hint::PaddedSecret, client(ClientCause::ExpiredSecret), false),
        (Hint::PaddedSecret, Rejection::UserAuthenticationFailed, false),
        (Hint::EncodedInHeader, client(ClientCause::SecretEncoding), true),
        (Hint::EncodedInHeader, Rejection::InvalidScope, false),
        (Hint::RawInHeader, Rejection::InvalidRequest, true),
        (Hint::HostWithoutCert, client(ClientCause::BadCertificate), true),
        (Hint::HostWithoutCert, Rejection::RateLimited, false),
        (Hint::CertHostWithoutCertificate, Rejection::ConnectionFailed, true),
        (Hint::PaddedUser, Rejection::UserAuthenticationFailed, true),
        (Hint::PaddedUser, UNSPECIFIED, false),
        (Hint::AcceptedBefore, client(ClientCause::WrongSecret), true),
        (Hint::AcceptedBefore, client(ClientCause::ExpiredSecret), false),
        (Hint::AcceptedBefore, Rejection::ServerError, false),
    ] {
        assert_eq!(hint.explains(rejection), expected, "{hint:?} {rejection} {:?}", rejection.cause());
    }
    let neither_client_nor_user = |rejection: &&Rejection| !rejection.counts_as_rejected_credential();
    for rejection in Rejection::ALL.iter().filter(neither_client_nor_user) {
        let explaining = Hint::ALL.iter().filter(|hint| hint.explains(*rejection)).count();
        let expected = usize::from(matches!(rejection, Rejection::InvalidRequest | Rejection::ConnectionFailed));
        assert_eq!(explaining, expected, "{rejection}");
    }
}

#[test]
fn a_hint_is_marked_and_at_most_two_are_told() {
    for hint in Hint::ALL {
        let text = hint.text();
        assert!(text.starts_with("Hint: ") && text.ends_with(['.', '?']) && !text.contains("  "), "{text}");
    }
    assert!(
        Hint::ALL.iter().enumerate().all(|(index, hint)| *hint as usize == index) && Hint::ALL.len() == Hint::AcceptedBefore as usize + 1
    );
    assert_eq!(told(Hint::ALL, UNSPECIFIED).count(), TOLD_MAX);
}

fn is_in_a_hint(secret: &str) -> bool {
    Hint::ALL.iter().any(|hint| hint.text().contains(secret))
}

proptest! {
    /// Secrets that are a part of our own sentences by chance are left out: they would be found there with any other secret too.
    #[test]
    fn no_hint_has_a_part_of_the_secret_in_it(
        secret in "[ \\n\"+%&=:!-~é]{0,4}[A-Za-z0-9+%&=:~ ]{6,40}[ \\n\"=]{0,3}",
        accepted: bool,
        method in 0..3_usize,
    ) {
        prop_assume!(!is_in_a_hint(secret.trim()));
        let forms: [fn(&str) -> ClientAuthentication; 3] = [body, basic, raw];
        let authentication = forms[method](&secret);
        for url in [OTHER, XSUAA, XSUAA_CERT, KEYCLOAK, IAS, UAA, ENTRA] {
            let hints = hints(&request(url, "orders", authentication.clone()), accepted);
            for rejection in Rejection::ALL {
                for text in told(&hints, *rejection) {
                    prop_assert!(!text.contains(secret.trim()));
                }
            }
        }
    }

    /// Two secrets of the same form give the same sentences: there is nothing of the one or the other in them.
    #[test]
    fn secrets_of_one_form_give_the_same_hints(
        one in "[a-z]{8}-[a-z]{6}",
        other in "[a-z]{8}-[a-z]{6}",
        padding in "[ \\n]{0,2}",
        sign in "[+%&=:]?",
    ) {
        for authentication in [body, basic, raw] {
            let secret = |part: &str| authentication(&format!("{part}{sign}{part}{padding}"));
            let hints_of = |part: &str| hints(&request(OTHER, "orders", secret(part)), false);
            prop_assert_eq!(hints_of(&one), hints_of(&other));
        }
    }
}
