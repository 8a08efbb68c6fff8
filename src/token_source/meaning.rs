//! What each reason means, and by what it is told. Conditions, Events and docs/failures.md read these tables.

use crate::api::condition::Reason;
use crate::oauth::rejection::ClientCause;

/// What the reason says, as a clause.
pub fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::TokenIssued => "a token was issued",
        Reason::Pending => "no token was requested yet",
        Reason::Suspended => "token requests are suspended",
        Reason::ClientAuthenticationFailed => "the client was not accepted",
        Reason::UserAuthenticationFailed => "the client was accepted, the user name or password was not",
        Reason::CredentialsRejected => "the client or the user was not accepted, and the answer does not say which",
        Reason::UserAccountLocked => "the user's account is locked",
        Reason::UserAccountDisabled => "the user's account is not active",
        Reason::PasswordChangeRequired => "the user must change the password first",
        Reason::InitialPasswordExpired => "the user's initial password has expired",
        Reason::MultiFactorRequired => "the user needs a second factor",
        Reason::UserInteractionRequired => "the user must consent or act in a browser first",
        Reason::IdentityProviderNotSupported => "no identity provider that supports this grant fits the user",
        Reason::IdentityProviderError => "the identity provider behind the server failed",
        Reason::GrantTypeNotAllowed => "the server or the client's registration does not allow this grant type",
        Reason::InvalidScope => "a scope, audience or resource was not accepted",
        Reason::InvalidRequest => "the server did not accept the request's form",
        Reason::AssertionRejected => "the assertion was not accepted",
        Reason::RefreshTokenInvalid => "the refresh token was not accepted",
        Reason::AccessDenied => "a policy of the server denies the token",
        Reason::TenantNotFound => "the server knows no such tenant",
        Reason::RateLimited => "too many token requests",
        Reason::TemporarilyUnavailable => "the server is temporarily unavailable",
        Reason::ServerError => "the server failed",
        Reason::ProxyAuthenticationRequired => "a proxy on the way demands authentication",
        Reason::NotAnOAuthResponse => "this is no answer of a token endpoint",
        Reason::InvalidTokenResponse => "the answer holds no usable token",
        Reason::TLSVerificationFailed => "the server's certificate was not trusted",
        Reason::ConnectionFailed => "no connection",
        Reason::CredentialsNotFound => "the credentials were not found",
        Reason::CredentialsIncomplete => "the credentials are incomplete",
        Reason::AssertionSourceNotReady => "the assertion's source has none yet",
        Reason::HostNotAllowed => "the operator does not allow this host",
        Reason::SecretConflict => "the target Secret belongs to someone else",
        Reason::InvalidSpec => "the spec can't be used",
    }
}

/// What the cause says, as a clause.
pub fn cause_meaning(cause: ClientCause) -> &'static str {
    match cause {
        ClientCause::UnknownClient => "no client of this id is registered there",
        ClientCause::WrongSecret => "the secret is not the client's",
        ClientCause::ExpiredSecret => "the secret has run out",
        ClientCause::SecretEncoding => "the server could not decode the credentials",
        ClientCause::WrongAuthenticationMethod => "the client is registered for another authentication method",
        ClientCause::BadCertificate => "the client certificate is missing, expired, not trusted or another one",
        ClientCause::BadClientAssertion => "the client assertion was not accepted",
        ClientCause::MissingCredentials => "the server saw no client credentials, or not all of them",
        ClientCause::ClientDisabled => "the client is known, but switched off or locked",
        ClientCause::Unspecified => "the answer does not say",
    }
}

/// By what the reason is mostly told, in Markdown. Codes are those of servers in common use.
pub fn evidence(reason: Reason) -> &'static str {
    match reason {
        Reason::TokenIssued => "Status 200 or 201 with an access token of type Bearer and a life that can be.",
        Reason::Pending => "The status is still as the API server filled it in: no operator has looked at the object.",
        Reason::Suspended => "`spec.suspend` is true, and the Secret holds no valid token.",
        Reason::ClientAuthenticationFailed => {
            "`invalid_client` where no user is involved; `unauthorized_client` with status 401; numbers such as AADSTS7000215; a TLS \
             alert about the client certificate; or the probe failed too."
        }
        Reason::UserAuthenticationFailed => {
            "`invalid_grant` on the password grant; texts about user name or password; AADSTS50126; `access_denied` with 401 on the \
             password grant; or the client was accepted when it asked alone."
        }
        Reason::CredentialsRejected => {
            "`401 invalid_client` or \"Bad credentials\" on the password grant, and the probe was off or said nothing."
        }
        Reason::UserAccountLocked => "`PASSWORD_LOCKED`, `account_locked`, AADSTS50053, or a text about too many failed attempts.",
        Reason::UserAccountDisabled => {
            "`USER_INACTIVE`, `PASSWORD_DISABLED`, `MAIL_NOT_VERIFIED`, AADSTS50057, or a text about a disabled account."
        }
        Reason::PasswordChangeRequired => {
            "`PASSWORD_CHANGE_REQUIRED` or `PASSWORD_RESET_REQUIRED`, in the text or in the header `X-Message-Code`; `password_expired`, \
             `password_leaked`, AADSTS50055."
        }
        Reason::InitialPasswordExpired => "`INITIAL_PASSWORD_EXPIRED`, in the text or in the header `X-Message-Code`.",
        Reason::MultiFactorRequired => "`mfa_required`, `INVALID_OTP_CODE`, AADSTS50076, or a text about a one-time code.",
        Reason::UserInteractionRequired => {
            "`consent_required`, `interaction_required`, AADSTS65001, \"Account is not fully set up\", terms of use."
        }
        Reason::IdentityProviderNotSupported => {
            "A text that the provider which `login_hint` names is unknown, not active, or can't check passwords."
        }
        Reason::IdentityProviderError => "A text that the server could not reach or use LDAP, a directory, or another provider.",
        Reason::GrantTypeNotAllowed => {
            "`unsupported_grant_type`; `unauthorized_client` with status 400; \"Unauthorized grant type\"; `401 invalid_client` with a \
             `Bearer` challenge, which comes after the client was accepted."
        }
        Reason::InvalidScope => "`invalid_scope`, `invalid_target`, AADSTS70011.",
        Reason::InvalidRequest => "`invalid_request` with its text; status 405, 406 or 415; any other 4xx that says nothing.",
        Reason::AssertionRejected => {
            "`invalid_grant` on a JWT or SAML bearer grant or a token exchange; a text about issuer, audience, signature or life."
        }
        Reason::RefreshTokenInvalid => "`invalid_grant` on a refresh. Where another grant is configured, that is used at once instead.",
        Reason::AccessDenied => "`access_denied`, a bare 403, AADSTS53003, a text about addresses or policies.",
        Reason::TenantNotFound => {
            "\"Realm does not exist\", AADSTS90002, `404 {}`, the platform's router that knows no such host (`X-Cf-RouterError`)."
        }
        Reason::RateLimited => "Status 429, `slow_down`, or a pause that the endpoint asked for earlier.",
        Reason::TemporarilyUnavailable => "Status 408, 502, 503, 504 or 520 to 530; `temporarily_unavailable`.",
        Reason::ServerError => "Status 500, `server_error`.",
        Reason::ProxyAuthenticationRequired => "Status 407.",
        Reason::NotAnOAuthResponse => {
            "A redirect, a page, plain text, a 404 without OAuth in it, or a challenge that only a gateway makes."
        }
        Reason::InvalidTokenResponse => {
            "A 2xx without a token, with a broken or oversized body, a type other than Bearer, or an `expires_in` that can't be."
        }
        Reason::TLSVerificationFailed => "Its certificate has expired, is for another host, or no trusted authority signed it.",
        Reason::ConnectionFailed => "DNS, a refused or broken connection, a time-out, a TLS handshake that ends early.",
        Reason::CredentialsNotFound => "A Secret that is named for credentials or an assertion, or the CA bundle, is not there.",
        Reason::CredentialsIncomplete => "A key is missing, empty, no text, or not what it should be; the message names it.",
        Reason::AssertionSourceNotReady => {
            "Another TokenSource has no valid token, or the API server gives no token of the ServiceAccount."
        }
        Reason::HostNotAllowed => {
            "The host is not among those of `--allow-host` or of the Secret's annotation `tokensource.dev/allowed-hosts`, or it resolves to an address that the egress policy denies; nothing was sent."
        }
        Reason::SecretConflict => {
            "Someone else made or owns the Secret, there is none to merge into, or the API server refuses to write it."
        }
        Reason::InvalidSpec => "The message names the field, and of a template the key and the line.",
    }
}

/// By what the cause is mostly told, in Markdown.
pub fn cause_evidence(cause: ClientCause) -> &'static str {
    match cause {
        ClientCause::UnknownClient => "\"client does not exist\", `invalid_client_id`, AADSTS700016",
        ClientCause::WrongSecret => {
            "\"Bad credentials\" or \"Invalid client secret\" where no user is involved, `invalid_client_secret`, AADSTS7000215"
        }
        ClientCause::ExpiredSecret => "a text that the secret has expired, AADSTS7000222",
        ClientCause::SecretEncoding => "a text about decoding, Base64 or percent signs",
        ClientCause::WrongAuthenticationMethod => {
            "a text that names methods such as `client_secret_basic`, or a public client that sent a secret"
        }
        ClientCause::BadCertificate => {
            "a TLS alert, a proxy's page about a client certificate (495, 496); before any request: one that has expired or is not its key's"
        }
        ClientCause::BadClientAssertion => "a text about the assertion, its `kid`, `jti`, `aud` or signature; AADSTS700213",
        ClientCause::MissingCredentials => "a text that credentials are missing, AADSTS7000218",
        ClientCause::ClientDisabled => "a text that the client is disabled, locked or revoked, AADSTS7000112",
        ClientCause::Unspecified => "`invalid_client` or a 401 without more",
    }
}
