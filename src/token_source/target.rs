//! Judges the target Secret by what is kept of its metadata: is it ours, is it as we left it, how fresh is its token.

use jiff::Timestamp;

use super::attempts::Proof;
use super::digest::RequestDigest;
use super::secret_facts::SecretFacts;
use crate::api::TokenSource;
use crate::api::secret::CreationPolicy;

/// The target Secret as its metadata tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// There is none.
    Absent,
    /// Someone else owns or made it.
    Foreign {
        /// Whose it is, as a clause for a message.
        whose: String,
    },
    /// It is ours.
    Ours(Box<Held>),
}

/// What our Secret holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The Secret's resource version: what this was read from.
    pub version: Option<String>,
    /// There is a token in it.
    pub has_token: bool,
    /// All that we wrote is still ours: nobody changed or took away a key or an annotation.
    pub intact: bool,
    /// When the token expires.
    pub expires_at: Option<Timestamp>,
    /// When it is due to be renewed.
    pub renew_at: Option<Timestamp>,
    /// When it was asked for, in milliseconds.
    pub requested_at: Option<Timestamp>,
    /// What it was asked with.
    pub digest: Option<RequestDigest>,
    /// Which version of the credentials Secret it was asked with.
    pub credentials_version: Option<String>,
    /// When it was written.
    pub written_at: Option<Timestamp>,
}

impl Held {
    /// What its token proves.
    pub fn proof(&self) -> Option<Proof> {
        Some(Proof { credentials: self.digest.as_ref()?.credentials.clone(), requested_at: self.requested_at? })
    }
}

impl Target {
    /// Judges the Secret with the target's name.
    pub fn read(secret: Option<&SecretFacts>, source: &TokenSource) -> Self {
        let Some(secret) = secret else { return Self::Absent };
        let whose = match source.spec.secret.creation_policy {
            CreationPolicy::Owner => foreign(secret, source),
            CreationPolicy::Merge => foreign_to_merge(secret, source),
        };
        whose.map_or_else(|| Self::Ours(Box::new(secret.held())), |whose| Self::Foreign { whose })
    }

    /// Judges a Secret that the source has beside its target: owned by it, whatever the target's policy.
    pub fn read_beside(secret: Option<&SecretFacts>, source: &TokenSource) -> Self {
        let Some(secret) = secret else { return Self::Absent };
        foreign(secret, source).map_or_else(|| Self::Ours(Box::new(secret.held())), |whose| Self::Foreign { whose })
    }

    /// What is held, if it is ours.
    pub fn held(&self) -> Option<&Held> {
        match self {
            Self::Ours(held) => Some(held),
            Self::Absent | Self::Foreign { .. } => None,
        }
    }
}

/// Whose the Secret is, if it is not ours. Ours is what we are the controller of, and what nobody controls and we
/// made for a source of this name (`deletionPolicy: Retain` leaves such Secrets behind).
fn foreign(secret: &SecretFacts, source: &TokenSource) -> Option<String> {
    if let Some(owner) = &secret.controller {
        let ours = source.metadata.uid.as_deref() == Some(&owner.uid);
        return (!ours).then(|| format!("belongs to {} {}", owner.kind, owner.name));
    }
    match secret.made_for.as_deref().filter(|_| secret.is_managed) {
        Some(name) if source.metadata.name.as_deref() == Some(name) => None,
        Some(name) => Some(format!("belongs to TokenSource {name}")),
        None => Some("was not made by tokensource".to_owned()),
    }
}

/// Whose keys the operator keeps in a Secret that is merged into, if not this source's.
fn foreign_to_merge(secret: &SecretFacts, source: &TokenSource) -> Option<String> {
    let other = secret.made_for.as_deref().filter(|name| source.metadata.name.as_deref() != Some(name));
    other.map(|name| format!("already holds the token of TokenSource {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn source() -> TokenSource {
        let source = json!({
            "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": "orders", "uid": "uid-1"},
            "spec": {"tokenURL": "https://auth.example.com/token"},
        });
        serde_json::from_value(source).unwrap()
    }

    fn read(meta: &Value) -> Target {
        Target::read(Some(&SecretFacts::of(&serde_json::from_value(meta.clone()).unwrap())), &source())
    }

    fn owner(kind: &str, name: &str, uid: &str, controller: bool) -> Value {
        json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": controller}])
    }

    #[test]
    fn ours_is_what_we_control_or_made_for_this_name() {
        let managed = json!({"app.kubernetes.io/managed-by": "tokensource"});
        for (sentence, meta, expected) in [
            ("our owner reference", json!({"ownerReferences": owner("TokenSource", "orders", "uid-1", true)}), None),
            (
                "another source's",
                json!({"ownerReferences": owner("TokenSource", "other", "uid-2", true)}),
                Some("belongs to TokenSource other"),
            ),
            (
                "an older source of the name",
                json!({"ownerReferences": owner("TokenSource", "orders", "uid-0", true)}),
                Some("belongs to TokenSource orders"),
            ),
            ("someone else's", json!({"ownerReferences": owner("Certificate", "tls", "uid-3", true)}), Some("belongs to Certificate tls")),
            ("a retained one", json!({"labels": managed, "annotations": {"tokensource.dev/source": "orders"}}), None),
            (
                "another's retained one",
                json!({"labels": managed, "annotations": {"tokensource.dev/source": "other"}}),
                Some("belongs to TokenSource other"),
            ),
            ("a mere annotation", json!({"annotations": {"tokensource.dev/source": "orders"}}), Some("was not made by tokensource")),
            ("a mere label", json!({"labels": managed}), Some("was not made by tokensource")),
            ("a Secret of a person", json!({}), Some("was not made by tokensource")),
            (
                "an owner that does not control",
                json!({"ownerReferences": owner("TokenSource", "orders", "uid-1", false)}),
                Some("was not made by tokensource"),
            ),
        ] {
            let whose = match read(&meta) {
                Target::Foreign { whose } => Some(whose),
                Target::Ours(_) => None,
                Target::Absent => panic!("{sentence}"),
            };
            assert_eq!(whose.as_deref(), expected, "{sentence}");
        }
    }

    #[test]
    fn without_a_secret_there_is_no_target() {
        assert_eq!(Target::read(None, &source()), Target::Absent);
    }
}
