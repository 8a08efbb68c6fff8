//! Assertions as an issuer would sign them, right or wrong on purpose: JWTs (RFC 7523) and SAML 2.0 (RFC 7522).

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use serde_json::{Map, json};
use testenv::accounts::{ASSERTION_ISSUER, SAML_AUDIENCE, SAML_ISSUER};
use tokensource::oauth::assertion::{Algorithm, Claims, SigningKey, sign};

use crate::stage::Stage;

/// One of the world's private keys, as PEM.
pub fn private_key(stage: &Stage, name: &str) -> String {
    file(stage, name, "key")
}

/// One of the world's certificates, as PEM.
pub fn certificate(stage: &Stage, name: &str) -> String {
    file(stage, name, "crt")
}

fn file(stage: &Stage, name: &str, extension: &str) -> String {
    fs::read_to_string(stage.world.pki().join(format!("{name}.{extension}"))).unwrap()
}

/// Another one each time: servers refuse a `jti` that they have seen.
fn fresh_id(stage: &Stage) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", stage.namespace, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What a JWT says.
#[derive(Clone, Copy)]
pub struct Jwt<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub audience: &'a str,
    /// How long ago it was issued.
    pub age: Duration,
    pub lifetime: Duration,
}

impl<'a> Jwt<'a> {
    /// About a user, by the issuer that both servers trust. The audience is missing.
    pub fn of_the_issuer(subject: &'a str) -> Self {
        let lifetime = Duration::from_secs(120);
        Self { issuer: ASSERTION_ISSUER, subject, audience: "", age: Duration::ZERO, lifetime }
    }

    /// By a client about itself.
    pub fn of_the_client(id: &'a str, audience: &'a str) -> Self {
        Self { issuer: id, audience, ..Self::of_the_issuer(id) }
    }

    /// As it was ten minutes ago, and is no longer.
    pub fn expired(self) -> Self {
        Self { age: Duration::from_secs(600), ..self }
    }

    /// Signed by RS256 with one of the world's keys.
    pub fn signed(self, stage: &Stage, key: &str) -> String {
        let claims = Claims {
            issuer: self.issuer,
            subject: self.subject,
            audience: self.audience,
            issued_at: self.issued_at(),
            lifetime: self.lifetime,
            jwt_id: &fresh_id(stage),
            extra: &Map::new(),
        };
        let key = SigningKey::from_pem(&private_key(stage, key).into()).unwrap();
        sign(&key, Algorithm::RS256, None, &claims).unwrap().expose_secret().to_owned()
    }

    /// Signed by HS256 with a client secret, which the operator itself does not do.
    pub fn with_secret(self, stage: &Stage, secret: &str) -> String {
        let issued_at = self.issued_at().as_second();
        let expires_at = issued_at + i64::try_from(self.lifetime.as_secs()).unwrap();
        let claims = json!({"iss": self.issuer, "sub": self.subject, "aud": self.audience, "iat": issued_at, "exp": expires_at,
            "jti": fresh_id(stage)});
        let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
        let input = format!("{}.{}", encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(&claims.to_string()));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), input.as_bytes());
        format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn issued_at(&self) -> Timestamp {
        tokensource::clock::now() - SignedDuration::try_from(self.age).unwrap()
    }
}

const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// What a SAML assertion says.
#[derive(Clone, Copy)]
pub struct Saml<'a> {
    pub issuer: &'a str,
    pub user: &'a str,
    pub audience: &'a str,
    /// The token endpoint that it is for.
    pub recipient: &'a str,
    /// How long ago it was issued; it lives for five minutes.
    pub age: Duration,
}

impl<'a> Saml<'a> {
    /// About a user, as the UAA takes it.
    pub fn about(user: &'a str, recipient: &'a str) -> Self {
        Self { issuer: SAML_ISSUER, user, audience: SAML_AUDIENCE, recipient, age: Duration::ZERO }
    }

    /// As it was an hour ago, and is no longer.
    pub fn expired(self) -> Self {
        Self { age: Duration::from_secs(3600), ..self }
    }

    /// Signed as XML Signature wants it: enveloped, RSA and SHA-256, exclusive canonicalisation.
    pub fn signed(self, stage: &Stage, key: &str) -> String {
        const PLACE: &str = "<!-- signature -->";
        let id = format!("_{}", fresh_id(stage));
        let unsigned = self.text(&id, PLACE);
        let digest = BASE64_STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, unsigned.replace(PLACE, "").as_bytes()));
        let namespace = format!(r#" xmlns:ds="{DSIG}""#);
        let signature = BASE64_STANDARD.encode(rsa_sha256(&private_key(stage, key), &signed_info(&id, &digest, &namespace)));
        let certificate: String = certificate(stage, key).lines().filter(|line| !line.starts_with("-----")).collect();
        let info = signed_info(&id, &digest, "");
        let block = format!(
            "<ds:Signature{namespace}>{info}<ds:SignatureValue>{signature}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
        );
        BASE64_URL_SAFE_NO_PAD.encode(unsigned.replace(PLACE, &block))
    }

    /// The assertion in its canonical form, with a place for the signature.
    fn text(&self, id: &str, place: &str) -> String {
        let Self { issuer, user, audience, recipient, age } = *self;
        let now = Timestamp::from_second(tokensource::clock::now().as_second()).unwrap() - SignedDuration::try_from(age).unwrap();
        let (begin, end) = (now - SignedDuration::from_secs(30), now + SignedDuration::from_mins(5));
        format!(
            r#"<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" IssueInstant="{now}" Version="2.0"><saml2:Issuer>{issuer}</saml2:Issuer>{place}<saml2:Subject><saml2:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{user}</saml2:NameID><saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml2:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{recipient}"></saml2:SubjectConfirmationData></saml2:SubjectConfirmation></saml2:Subject><saml2:Conditions NotBefore="{begin}" NotOnOrAfter="{end}"><saml2:AudienceRestriction><saml2:Audience>{audience}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions><saml2:AuthnStatement AuthnInstant="{now}" SessionIndex="{id}"><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement></saml2:Assertion>"#
        )
    }
}

fn signed_info(id: &str, digest: &str, namespace: &str) -> String {
    format!(
        r##"<ds:SignedInfo{namespace}><ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="{DSIG}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##
    )
}

fn rsa_sha256(key: &str, message: &str) -> Vec<u8> {
    let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap().sign(message.as_bytes()).unwrap()
}
