//! What each reason means, and what to do about it. The one table: conditions, Events and docs read it.

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

/// What to do: one to three sentences for the people who run the cluster.
pub fn remedy(reason: Reason, cause: Option<ClientCause>) -> &'static str {
    match reason {
        Reason::TokenIssued => "",
        Reason::Pending => "See that the operator is running and watches this namespace.",
        Reason::Suspended => "Set spec.suspend to false to request tokens again.",
        Reason::ClientAuthenticationFailed => client_remedy(cause.unwrap_or(ClientCause::Unspecified)),
        Reason::UserAuthenticationFailed => {
            "Log on with this user and password at the identity provider in a browser; if that fails, change the password or use another user. A Universal ID user needs the separate password of the SAP ID service account."
        }
        Reason::CredentialsRejected => {
            "Check client id and secret first, for instance by a client_credentials request with the same client, then user name and password at the identity provider."
        }
        Reason::UserAccountLocked => {
            "Wait for the lock to end (often 60 minutes) or have an administrator unlock the user, then correct the password in the credentials Secret."
        }
        Reason::UserAccountDisabled => {
            "Have an administrator activate the user (verified mail address, password logon allowed), or use another user."
        }
        Reason::PasswordChangeRequired => "Log on with this user in a browser, set a new password and put it into the credentials Secret.",
        Reason::InitialPasswordExpired => {
            "Have an administrator issue a new initial password, log on once in a browser to set a lasting one, and put that into the credentials Secret."
        }
        Reason::MultiFactorRequired => "Exempt this technical user from the second factor, or use a grant without a user.",
        Reason::UserInteractionRequired => {
            "Have an administrator grant consent for this client, or complete the user's account in a browser."
        }
        Reason::IdentityProviderNotSupported => {
            "Only OpenID Connect providers support the password grant, SAML does not. Use the origin key of one that does, sap.default or sap.custom on XSUAA, in login_hint."
        }
        Reason::IdentityProviderError => {
            "The server could not reach or use the identity provider behind it. It is tried again; if it stays, read the authorization server's log."
        }
        Reason::GrantTypeNotAllowed => "Allow the grant type in the client's registration, or set spec.grant.type to one that is allowed.",
        Reason::InvalidScope => "Ask only for scopes, audience and resource that the client is registered for.",
        Reason::InvalidRequest => {
            "Compare the request with the server's documentation: extra parameters, client authentication method, and the token URL itself."
        }
        Reason::AssertionRejected => {
            "Check the assertion's issuer, audience, signature and life, and the trust that the server has in its issuer."
        }
        Reason::RefreshTokenInvalid => "Provide a new refresh token, or use a grant that needs none.",
        Reason::AccessDenied => {
            "Ask the server's administrator which policy denies it: conditional access, allowed addresses, or the client's assignment."
        }
        Reason::TenantNotFound => {
            "Check the tenant or realm in spec.tokenURL and spec.tenant: its subdomain, its spelling, and that it still exists."
        }
        Reason::RateLimited => {
            "Nothing to do: requests pause as long as the server asks. If it stays, fewer TokenSources or longer token lives help."
        }
        Reason::TemporarilyUnavailable => "Nothing to do: it is tried again well before the token expires.",
        Reason::ServerError => "It is tried again. If it stays, read the authorization server's log.",
        Reason::ProxyAuthenticationRequired => {
            "The proxy between the operator and the server wants credentials: have the host exempted there."
        }
        Reason::NotAnOAuthResponse => {
            "Check spec.tokenURL: it is answered by a web page, a redirect or a gateway, not by a token endpoint. Redirects are never followed with credentials."
        }
        Reason::InvalidTokenResponse => {
            "Check that spec.tokenURL is a token endpoint and that it issues Bearer tokens with a sane lifetime."
        }
        Reason::TLSVerificationFailed => {
            "Put the certificates of the authority that signed the server's certificate into spec.tls.caBundle, or have the server's certificate renewed or reissued for this host."
        }
        Reason::ConnectionFailed => {
            "Check the host in spec.tokenURL, DNS, network policies and firewalls between the operator and the server."
        }
        Reason::CredentialsNotFound => "Create the object in the TokenSource's own namespace, or correct its name.",
        Reason::CredentialsIncomplete => "Add the key to the object, or name the right key in spec.credentials.keys.",
        Reason::AssertionSourceNotReady => "See the conditions of the object that provides the assertion.",
        Reason::HostNotAllowed => "Have the operator's administrator allow the address (--allow-cidr), or use another token URL.",
        Reason::SecretConflict => "Set spec.secret.name to a name that is free, or delete the Secret if nobody needs it.",
        Reason::InvalidSpec => "Correct the field and apply the TokenSource again.",
    }
}

fn client_remedy(cause: ClientCause) -> &'static str {
    match cause {
        ClientCause::UnknownClient => {
            "Check the client id and that the token URL belongs to the tenant where the client is registered; a subscriber's application must be onboarded there."
        }
        ClientCause::WrongSecret => {
            "Put the client's current secret into the credentials Secret; check that the service binding or key it came from still exists and that its credential type is allowed."
        }
        ClientCause::ExpiredSecret => "Create a new client secret at the authorization server and put it into the credentials Secret.",
        ClientCause::SecretEncoding => {
            "The secret holds characters that the server decodes differently: use clientAuthentication.method Body, or change clientAuthentication.basicEncoding."
        }
        ClientCause::WrongAuthenticationMethod => {
            "Use the client authentication method that the client is registered for: set spec.clientAuthentication.method."
        }
        ClientCause::BadCertificate => {
            "Check that the client certificate is the registered one, has not expired, and that x509 is among the allowed credential types."
        }
        ClientCause::BadClientAssertion => "Check the client assertion's issuer, audience, key and life against the client's registration.",
        ClientCause::MissingCredentials => {
            "The server saw no client credentials: check the keys of the credentials Secret and spec.clientAuthentication.method."
        }
        ClientCause::ClientDisabled => "Have the client enabled at the authorization server.",
        ClientCause::Unspecified => "Check client id and secret, the client's registration, and spec.clientAuthentication.method.",
    }
}
