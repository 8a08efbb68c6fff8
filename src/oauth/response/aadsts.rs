//! Microsoft Entra's numeric codes, which say more than its OAuth codes (AADSTS error code reference).

use crate::oauth::grant::GrantType;
use crate::oauth::rejection::{ClientCause as Cause, Rejection};

use Rejection::{
    AccessDenied, ClientAuthenticationFailed as Client, GrantTypeNotAllowed, IdentityProviderError, IdentityProviderNotSupported,
    InvalidRequest, InvalidScope, MultiFactorRequired, PasswordChangeRequired, RateLimited, RefreshTokenInvalid, TemporarilyUnavailable,
    TenantNotFound, UserAccountDisabled, UserAccountLocked, UserAuthenticationFailed, UserInteractionRequired,
};

/// What a group of codes means.
#[derive(Clone, Copy)]
enum Meaning {
    Is(Rejection),
    /// The assertion that was sent: the grant itself on an assertion grant, else the client's.
    Assertion,
    /// A session or artifact that is gone: the refresh token's on refresh, else the user must come again.
    Session,
}

use Meaning::{Assertion, Is, Session};

/// Groups of codes with one meaning.
const CODES: &[(Meaning, &[u64])] = &[
    (Is(Client(Cause::UnknownClient)), &[70_001, 700_016, 7_000_229]),
    (Is(Client(Cause::WrongSecret)), &[7_000_215]),
    (Is(Client(Cause::ExpiredSecret)), &[7_000_222]),
    (Is(Client(Cause::MissingCredentials)), &[7_000_216, 7_000_218]),
    (Is(Client(Cause::WrongAuthenticationMethod)), &[700_025]),
    (Is(Client(Cause::ClientDisabled)), &[7_000_112]),
    (Is(Client(Cause::BadCertificate)), &[50_017, 700_030]),
    // Workload identity federation among them: no federated credential matches issuer, subject or audience.
    (Is(Client(Cause::BadClientAssertion)), &[50_048, 70_021, 700_021, 700_024, 700_027, 700_211, 700_212, 700_213]),
    (Assertion, &[50_006, 50_008, 50_010, 50_013, 50_027, 500_131, 500_133, 5_000_811, 5_000_819]),
    (Is(UserAuthenticationFailed), &[50_020, 50_034, 50_056, 50_064, 50_126, 51_004, 50_197, 90_072, 500_208, 1_000_000]),
    (Is(UserAccountLocked), &[50_053]),
    (Is(UserAccountDisabled), &[50_014, 50_057, 500_571]),
    (Is(PasswordChangeRequired), &[50_055, 50_125, 50_135, 50_142, 50_144]),
    (Is(MultiFactorRequired), &[50_072, 50_074, 50_076, 50_078, 50_079, 50_088, 50_158, 50_177, 53_004, 53_010, 500_121]),
    (Is(UserInteractionRequired), &[16_000, 16_001, 50_015, 50_058, 50_097, 50_140, 50_199, 65_001, 65_002, 65_004, 90_094, 700_020]),
    (
        Is(AccessDenied),
        &[
            50_002, 50_005, 50_105, 50_127, 50_129, 50_131, 50_155, 53_000, 53_001, 53_002, 53_003, 53_009, 53_011, 80_012, 90_093,
            500_021, 501_051, 90_099, 135_011, 530_003, 530_032, 530_034, 530_035, 500_212,
        ],
    ),
    (Is(IdentityProviderNotSupported), &[50_107, 51_001]),
    (Is(IdentityProviderError), &[70_012, 80_005, 80_007, 80_010, 80_013]),
    (Is(TemporarilyUnavailable), &[50_033, 50_087, 80_001, 80_002, 80_003, 80_014, 90_006, 90_012, 90_024, 90_033, 90_036]),
    (Is(RateLimited), &[50_196, 90_055]),
    (Is(TenantNotFound), &[50_049, 50_059, 50_128, 50_169, 50_194, 90_002, 90_019, 90_038, 90_043, 900_021, 900_023]),
    (
        Is(InvalidScope),
        &[
            50_001, 65_005, 70_011, 90_008, 90_009, 500_011, 500_014, 650_051, 650_052, 650_053, 650_054, 650_056, 650_057, 700_022,
            700_023, 5_000_224, 1_002_012,
        ],
    ),
    (Is(GrantTypeNotAllowed), &[70_003, 7_000_113, 7_000_114, 9_001_023]),
    (Is(RefreshTokenInvalid), &[50_085, 50_173, 70_008, 70_043, 70_044, 700_082, 700_084, 700_081]),
    (Session, &[50_089, 50_132, 50_133, 50_143]),
    (
        Is(InvalidRequest),
        &[
            50_011, 50_050, 50_061, 70_004, 70_005, 70_007, 90_004, 90_005, 90_014, 90_015, 90_022, 90_023, 90_056, 90_100, 900_144,
            900_561, 900_971, 901_002, 9_001_010, 9_002_012, 9_002_313,
        ],
    ),
];

/// The verdict of the first known code: those of `error_codes`, then those that stand in the texts.
pub(super) fn of_codes<'a>(numbers: &[u64], texts: impl Iterator<Item = &'a str>, grant: GrantType) -> Option<Rejection> {
    let entra = |number: &u64| known(*number, grant);
    numbers.iter().find_map(entra).or_else(|| texts.flat_map(in_text).find_map(|number| known(number, grant)))
}

/// `AADSTS90002: …`.
fn in_text(text: &str) -> impl Iterator<Item = u64> {
    text.split("AADSTS").skip(1).take(8).filter_map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.get(..digits)?.parse().ok()
    })
}

fn known(number: u64, grant: GrantType) -> Option<Rejection> {
    let (meaning, _) = CODES.iter().find(|(_, numbers)| numbers.contains(&number))?;
    Some(match (meaning, grant) {
        (Is(rejection), _) => *rejection,
        (Assertion, GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange) => Rejection::AssertionRejected,
        (Assertion, GrantType::ClientCredentials | GrantType::Password | GrantType::RefreshToken) => Client(Cause::BadClientAssertion),
        (Session, GrantType::RefreshToken) => RefreshTokenInvalid,
        (Session, _) => UserInteractionRequired,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_code_has_two_meanings() {
        let mut seen = HashSet::new();
        for number in CODES.iter().flat_map(|(_, numbers)| *numbers) {
            assert!(seen.insert(number), "{number} stands twice");
        }
    }

    #[test]
    fn the_list_comes_before_the_text_and_an_unknown_code_says_nothing() {
        let of = |numbers: &[u64], text: &'static str, grant| of_codes(numbers, [text].into_iter(), grant);
        assert_eq!(of(&[50_126], "AADSTS7000215: x", GrantType::Password), Some(UserAuthenticationFailed));
        assert_eq!(of(&[], "AADSTS7000215: x", GrantType::ClientCredentials), Some(Client(Cause::WrongSecret)));
        assert_eq!(of(&[], "AADSTS: AADSTS", GrantType::Password), None);
        assert_eq!(of(&[1], "AADSTS99999999999999999999999: x", GrantType::Password), None);
    }

    #[test]
    fn a_refused_assertion_is_the_grants_or_the_clients() {
        assert_eq!(of_codes(&[50_013], [].into_iter(), GrantType::JwtBearer), Some(Rejection::AssertionRejected));
        assert_eq!(of_codes(&[50_013], [].into_iter(), GrantType::ClientCredentials), Some(Client(Cause::BadClientAssertion)));
    }
}
