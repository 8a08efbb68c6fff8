//! What is said about the client.

use super::vocabulary::{CLIENT as CLIENT_WORDS, CLIENT_ID, CLIENT_SECRET, EXPIRED, GONE, MISSING, NOT_ALLOWED, OFF, WRONG};
use super::{On, Pattern, says};
use crate::oauth::rejection::{ClientCause as Cause, Rejection};

use Rejection::ClientAuthenticationFailed as Client;

/// Beside these codes a word of the client's evidence needs no "client" in its sentence.
const CLIENT_CODES: &str = "invalid_client unauthorized_client client_authentication_failed";

/// Names of authentication methods (RFC 7591 §2) and what people call them.
const METHODS: &str = "authentication method|auth method|authentication methods|endpoint auth|client secret basic|client secret post|\
    client secret jwt|private key jwt|tls client auth|self signed tls|basic authentication|basic auth |authentication scheme|\
    authentication type|authentication mechanism|http basic|client authentication using|request body authentication|form authentication";
const METHOD_FAULT: &str = "mismatch|not match|doesnt match|must use|must be|requires|expected|was requested|registered|should use|\
    invalid|wrong|only |multiple|more than one";
const CERTIFICATE: &str = "certificate|cert |certs |x509|x 509|mtls|mutual tls|subject dn|tls client|client ssl|thumbprint";
const ASSERTION: &str = "client assertion|clientassertion|client jwt|private key jwt|signed jwt|client authentication with signed|\
    assertion type|federated identity credential|federated credential|federated client";
const UNDECODABLE: &str = "properly encoded|correctly encoded|not encoded|url decode|urldecode|url encod|urlencod|percent|improperly encoded|form encod|base64|base 64|decode|decoding|\
    encoding|malformed authorization|illegal hex|malformed basic|malformed credential|malformed client|parse";
const ABOUT_A_USER: &str = "user |users |username|user name|password|resource owner";

/// The method of client authentication, before anything else is read into "not allowed".
pub(super) const METHOD: &[Pattern] = &[
    says(
        Client(Cause::WrongAuthenticationMethod),
        On::Any,
        &[&[METHODS], &[NOT_ALLOWED, METHOD_FAULT]],
        &["grant type|signature|expired|assertion is|certificate|subject dn"],
    ),
    says(
        Client(Cause::WrongAuthenticationMethod),
        On::Any,
        &[
            &["public client|client is public|public clients"],
            &["secret|authentication|assertion|credentials should|credentials must"],
            &["not|neither|without"],
        ],
        &["grant"],
    ),
    says(
        Client(Cause::WrongAuthenticationMethod),
        On::Any,
        &[
            &["multiple|more than one|several"],
            &["client authentication|client credential|authentication method|\
            authentication mechanism"],
        ],
        &["grant type"],
    ),
];

/// Why the client was refused, most specific first.
pub(super) const CLIENT: &[Pattern] = &[
    says(Client(Cause::BadClientAssertion), On::Any, &[&[ASSERTION]], &["missing or"]),
    Pattern {
        with: CLIENT_CODES,
        ..says(
            Client(Cause::BadClientAssertion),
            On::NotAssertion,
            &[&["jwt|assertion|jwks|jwk |json web key|signature|jti |kid |audience|aud |iss |public key"]],
            &["certificate|grant"],
        )
    },
    // Nothing else in such a request is a token (Keycloak: "Token is not active", "Token reuse detected").
    Pattern {
        with: CLIENT_CODES,
        ..says(
            Client(Cause::BadClientAssertion),
            On::ClientCredentials,
            &[&["token "], &[EXPIRED, "not active|not yet valid|reuse|replay|already used"]],
            &["access token|refresh token|id token|bearer|grant|secret|certificate"],
        )
    },
    says(
        Client(Cause::BadCertificate),
        On::NotAssertion,
        &[&[CERTIFICATE], &[WRONG, GONE, MISSING, EXPIRED, "not |no |untrusted|revoked|did not|different|couldnt|could not|unable"]],
        &["signing certificate|server certificate"],
    ),
    says(
        Client(Cause::SecretEncoding),
        On::Any,
        &[&[UNDECODABLE], &["credential|client|secret|authorization header|basic|header"]],
        &["content type|media type|jwt|assertion|saml|access token|id token|refresh token|subject token|must be application"],
    ),
    says(
        Client(Cause::ExpiredSecret),
        On::Any,
        &[&["secret|client credential|api key|application key|client key|app key"], &[EXPIRED]],
        &["not expired|token|invalid or expired|or has expired"],
    ),
    says(Client(Cause::ExpiredSecret), On::ClientCredentials, &[&["credential|credentials"], &["expired"]], &["token|invalid or"]),
    says(
        Client(Cause::Unspecified),
        On::Any,
        &[&["client id|clientid"], &["not match|mismatch|doesnt match|differ|inconsistent"]],
        &["secret|refresh token|certificate"],
    ),
    Pattern {
        with: "invalid_client",
        ..says(Client(Cause::UnknownClient), On::Any, &[&["invalid client or invalid client credentials"]], &[])
    },
    says(
        Client(Cause::ClientDisabled),
        On::Any,
        &[&[CLIENT_WORDS], &[OFF, "locked|revoked|expired|not published|pending approval"]],
        &["grant|retrieve|flow|scope|secret|user |users |token|code|credentials"],
    ),
    says(
        Client(Cause::UnknownClient),
        On::Any,
        &[&["unknown client|client unknown|client not found|client does not exist|no such client|client was not found"]],
        &["certificate|authentication method"],
    ),
    says(
        Client(Cause::UnknownClient),
        On::Any,
        &[
            &[CLIENT_WORDS, "no client with|no client found|client id"],
            &[GONE, "no client with|no client found|no client |deleted|no application with|not installed|missing service principal"],
        ],
        &["user |users |username|scope|grant|token|secret|credentials|redirect|certificate|authentication|access"],
    ),
    says(
        Client(Cause::UnknownClient),
        On::Any,
        &[&[CLIENT_ID], &["invalid|incorrect|wrong|not valid|isnt valid|bad |malformed|not a valid|failed to resolve", GONE]],
        &["secret|user |password|grant|scope|credentials|token"],
    ),
    Pattern {
        with: "invalid_client",
        ..says(Client(Cause::WrongSecret), On::NoUser, &[&["hashedpassword is not the hash|hashed password is not the hash"]], &[])
    },
    says(
        Client(Cause::WrongSecret),
        On::Any,
        &[&[CLIENT_SECRET], &[WRONG, GONE, "do not match|unauthorized|not authorized|did not|error validating|not validate"]],
        &["user |users |username|user credentials|grant |grant type|flow|security token|either the client|\
                invalid client or client credentials"],
    ),
    says(
        Client(Cause::WrongSecret),
        On::NoUser,
        &[&["credential|credentials"], &[WRONG, "unable to verify|could not verify|cannot verify|not verify"]],
        &["user |username|grant|subject|resource owner|either the client|invalid client or client credentials"],
    ),
    says(
        Client(Cause::Unspecified),
        On::Any,
        &[
            &["client |clients |consumer "],
            &["authentication failed|authentication failure|authentication error|auth failed|authentication has failed|\
                    not authenticated|not be authenticated|could not authenticate|couldnt authenticate|cannot authenticate|\
                    unable to authenticate|unauthenticated|failed to authenticate|login failed|invalid|not valid|\
                    authentication is invalid|incorrect|authorization failed|was rejected|error when authenticating|error authenticating"],
        ],
        &[ABOUT_A_USER, "grant|scope|token|redirect|request"],
    ),
];
