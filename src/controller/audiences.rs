//! The audiences that ServiceAccount tokens may be asked for: a token for the wrong one would let a token endpoint act
//! elsewhere in the ServiceAccount's name.

use crate::api::condition::Reason;
use crate::token_source::failure::Failure;

/// What is allowed beside a token endpoint's own origin, and what never is.
#[derive(Debug, Clone, Default)]
pub struct Audiences {
    /// `--trusted-assertion-audience`.
    pub trusted: Vec<String>,
    /// The API server's own names.
    pub api_server: Vec<String>,
}

/// Names that API servers use for themselves in every cluster.
const API_SERVER: [&str; 6] = [
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
    "https://kubernetes.default",
    "https://kubernetes",
    "kubernetes",
    "api",
];

impl Audiences {
    /// The audience to ask for: the named one if it is trusted, else the token endpoint's origin.
    pub fn judge(&self, named: Option<&str>, origin: &str) -> Result<String, Failure> {
        let audience = named.unwrap_or(origin);
        let bare = audience.trim_end_matches('/');
        if API_SERVER.contains(&bare) || self.api_server.iter().any(|name| name.trim_end_matches('/') == bare) {
            return Err(Failure::local(Reason::InvalidSpec, "serviceAccountRef.audience must not be the API server's"));
        }
        if audience != origin && !self.trusted.iter().any(|trusted| trusted == audience) {
            let message = "serviceAccountRef.audience is not among those that the operator trusts (--trusted-assertion-audience)";
            return Err(Failure::local(Reason::InvalidSpec, message));
        }
        Ok(audience.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://login.example.com";

    #[test]
    fn only_the_origin_and_trusted_audiences_are_given_and_never_the_api_servers() {
        let audiences = Audiences {
            trusted: vec!["api://exchange".into(), "https://kubernetes.default.svc".into(), "https://10.0.0.1:6443".into()],
            api_server: vec!["https://10.0.0.1:6443".into()],
        };
        for (named, allowed) in [
            (None, true),
            (Some(ORIGIN), true),
            (Some("api://exchange"), true),
            (Some("api://other"), false),
            (Some("https://kubernetes.default.svc"), false),
            (Some("https://kubernetes.default.svc/"), false),
            (Some("https://10.0.0.1:6443"), false),
        ] {
            assert_eq!(audiences.judge(named, ORIGIN).is_ok(), allowed, "{named:?}");
        }
        assert!(audiences.judge(None, "https://10.0.0.1:6443").is_err());
    }
}
