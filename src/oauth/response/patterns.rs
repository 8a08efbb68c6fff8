//! Text patterns, most specific first. Text refines and never gates: servers are localised, and an unknown text changes nothing.

use super::words::Words;
use crate::oauth::grant::GrantType;
use crate::oauth::rejection::{ClientCause, Rejection};

mod account;
mod client;
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
const ORDER: [&[Pattern]; 11] = [
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
