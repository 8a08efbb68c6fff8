//! Text patterns, most specific first. Text refines and never gates: servers are localised, and an unknown text changes nothing.

use super::words::Words;
use crate::oauth::grant::GrantType;
use crate::oauth::rejection::{ClientCause, Rejection};

mod account;
mod client;
mod localised;
mod request;
mod vocabulary;

/// On which grants a pattern is looked for: "token expired" is about another token on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Any,
    /// The password grant: there is a user whose credentials can be wrong.
    User,
    /// Every other grant.
    NoUser,
    ClientCredentials,
    /// All but `client_credentials`: there is a user somewhere.
    NotClientCredentials,
    Assertion,
    NotAssertion,
    Refresh,
    NotRefresh,
}

impl On {
    const fn includes(self, grant: GrantType) -> bool {
        let assertion = matches!(grant, GrantType::JwtBearer | GrantType::Saml2Bearer | GrantType::TokenExchange);
        match self {
            Self::Any => true,
            Self::User => matches!(grant, GrantType::Password),
            Self::NoUser => !matches!(grant, GrantType::Password),
            Self::ClientCredentials => matches!(grant, GrantType::ClientCredentials),
            Self::NotClientCredentials => !matches!(grant, GrantType::ClientCredentials),
            Self::Assertion => assertion,
            Self::NotAssertion => !assertion,
            Self::Refresh => matches!(grant, GrantType::RefreshToken),
            Self::NotRefresh => !matches!(grant, GrantType::RefreshToken),
        }
    }
}

/// What a sentence with a word of each group and none of the forbidden ones says.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    says: Rejection,
    on: On,
    /// Codes beside which it counts, between blanks; all when empty.
    with: &'static str,
    all: &'static [&'static [&'static str]],
    none: &'static [&'static str],
}

const fn says(says: Rejection, on: On, all: &'static [&'static [&'static str]], none: &'static [&'static str]) -> Pattern {
    Pattern { says, on, with: "", all, none }
}

/// All patterns in their order.
const ORDER: [&[Pattern]; 12] = [
    localised::LOCALISED,
    request::LIMITS,
    account::STATE,
    account::PROVIDER,
    request::GATEWAY,
    client::METHOD,
    request::MISSING,
    request::GRANT_AND_SCOPE,
    request::SENT_TOKEN,
    client::CLIENT,
    account::USER,
    request::REST,
];

/// The first pattern's verdict that the texts support and the code does not contradict.
pub(super) fn of_words(words: &Words, code: Option<&str>, grant: GrantType) -> Option<Rejection> {
    if words.is_empty() {
        return None;
    }
    let beside = |with: &str| with.is_empty() || with.split_ascii_whitespace().any(|known| Some(known) == code);
    ORDER
        .iter()
        .flat_map(|patterns| patterns.iter())
        .filter(|pattern| pattern.on.includes(grant) && beside(pattern.with) && !contradicted(pattern.says, code, grant))
        .find(|pattern| words.say_all(pattern.all, pattern.none))
        .map(|pattern| pattern.says)
}

/// Whether the code rules a verdict out: `invalid_grant` comes after client authentication (RFC 6749 §5.2), `invalid_client` is not
/// about what was exchanged.
fn contradicted(verdict: Rejection, code: Option<&str>, grant: GrantType) -> bool {
    let client = matches!(verdict, Rejection::ClientAuthenticationFailed(_));
    match code {
        Some("invalid_grant") => {
            (client && grant != GrantType::ClientCredentials && verdict != said_outright(grant))
                || matches!(verdict, Rejection::InvalidRequest)
                || (verdict == Rejection::TemporarilyUnavailable)
        }
        Some("invalid_client" | "unauthorized_client" | "invalid_request") if verdict == Rejection::NotAnOAuthResponse => true,
        Some("invalid_client") => matches!(verdict, Rejection::AssertionRejected | Rejection::RefreshTokenInvalid),
        _ => false,
    }
}

/// On a password grant some servers report a wrong secret as `invalid_grant`; then the text names the secret.
const fn said_outright(grant: GrantType) -> Rejection {
    match grant {
        GrantType::Password => Rejection::ClientAuthenticationFailed(ClientCause::WrongSecret),
        GrantType::ClientCredentials
        | GrantType::JwtBearer
        | GrantType::Saml2Bearer
        | GrantType::TokenExchange
        | GrantType::RefreshToken => Rejection::InvalidTokenResponse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use GrantType::{ClientCredentials, JwtBearer, Password, RefreshToken};
    use Rejection::{ClientAuthenticationFailed as Client, UserAccountLocked, UserAuthenticationFailed};

    fn read(text: &str, code: Option<&str>, grant: GrantType) -> Option<Rejection> {
        let mut words = Words::default();
        words.add(text);
        of_words(&words, code, grant)
    }

    #[test]
    fn the_side_that_is_named_is_the_side_that_is_blamed() {
        for (text, expected) in [
            ("Unknown client", Some(Client(ClientCause::UnknownClient))),
            ("application does not exist", Some(Client(ClientCause::UnknownClient))),
            ("Unknown user", Some(UserAuthenticationFailed)),
            ("The password is incorrect", Some(UserAuthenticationFailed)),
            ("client_secret is incorrect", Some(Client(ClientCause::WrongSecret))),
            ("The client's secret expired", Some(Client(ClientCause::ExpiredSecret))),
            ("The user's password expired", Some(Rejection::PasswordChangeRequired)),
            ("Client is suspended", Some(Client(ClientCause::ClientDisabled))),
            ("Account is suspended", Some(Rejection::UserAccountDisabled)),
            ("Account locked", Some(UserAccountLocked)),
            ("Wrong client secret or user password", Some(Rejection::CredentialsRejected)),
            ("Bad credentials", None),
            ("Unauthorized", None),
        ] {
            assert_eq!(read(text, None, Password), expected, "{text}");
        }
    }

    #[test]
    fn without_a_user_credentials_are_the_clients() {
        for grant in [ClientCredentials, JwtBearer, RefreshToken] {
            assert_eq!(read("Bad credentials", None, grant), Some(Client(ClientCause::WrongSecret)), "{grant:?}");
        }
    }

    #[test]
    fn a_code_rules_out_what_it_comes_after() {
        let text = "Token was not issued to this client, client id does not match";
        assert_eq!(read(text, Some("invalid_grant"), RefreshToken), Some(Rejection::RefreshTokenInvalid));
        assert_eq!(read("The assertion's signature is invalid", Some("invalid_grant"), JwtBearer), Some(Rejection::AssertionRejected));
        let assertion = read("The assertion's signature is invalid", Some("invalid_client"), ClientCredentials);
        assert_eq!(assertion, Some(Client(ClientCause::BadClientAssertion)));
    }

    #[test]
    fn where_no_token_was_sent_the_token_is_the_clients_assertion() {
        for text in ["Token is not active", "Token reuse detected"] {
            assert_eq!(read(text, Some("invalid_client"), ClientCredentials), Some(Client(ClientCause::BadClientAssertion)), "{text}");
            assert_eq!(read(text, Some("invalid_grant"), RefreshToken), Some(Rejection::RefreshTokenInvalid), "{text}");
        }
    }

    #[test]
    fn the_token_that_was_asked_for_is_not_the_one_that_was_sent() {
        for (text, expected) in
            [("subject_token unsupported", Some(Rejection::AssertionRejected)), ("requested_token_type unsupported", None)]
        {
            assert_eq!(read(text, Some("invalid_request"), GrantType::TokenExchange), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_says_nothing() {
        for text in [
            "Die Anmeldung ist fehlgeschlagen",
            "認証に失敗しました",
            "Échec de l'authentification",
            "A autenticação falhou",
            "😀",
            "|||",
            "",
        ] {
            assert_eq!(read(text, None, Password), None, "{text}");
        }
    }
}
