//! Kubernetes names out of destinations' names.

/// The longest name that a `TokenSource` gets here: a Kubernetes name has 253 characters, and the names of its
/// Secrets are longer by a word.
pub(super) const NAME_MAX: usize = 253 - "-credentials".len();

/// A name for Kubernetes out of a destination's name: lower-case letters, digits and inner hyphens (RFC 1123 labels
/// have no other characters), never empty.
pub(super) fn kubernetes_name(name: &str) -> String {
    let replaced = name.chars().take(NAME_MAX).map(|character| match character.to_ascii_lowercase() {
        character if character.is_ascii_alphanumeric() => character,
        _ => '-',
    });
    match replaced.collect::<String>().trim_matches('-') {
        "" => "destination".to_owned(),
        name => name.to_owned(),
    }
}

/// Whether Kubernetes takes it as the name of an object, with room for [`NAME_MAX`] (RFC 1123 subdomain).
pub(super) fn is_kubernetes_name(name: &str, max: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-');
    name.len() <= max && name.split('.').all(is_label)
}

/// Whether it can be a key of a Secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=253).contains(&key.len()) && key.bytes().all(allowed) && key != "." && !key.starts_with("..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_what_kubernetes_takes() {
        for (name, expected) in [
            ("sap_jam_odata", "sap-jam-odata"),
            ("Orders API (v2)", "orders-api--v2"),
            ("_x.y_", "x-y"),
            ("Übersicht", "bersicht"),
            ("___", "destination"),
            ("", "destination"),
        ] {
            assert_eq!(kubernetes_name(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_not_taken() {
        for name in ["", ".", "a.", "-a", "a-", "A", "a_b", &"a".repeat(242)] {
            assert!(!is_kubernetes_name(name, NAME_MAX), "{name}");
        }
        assert!(is_kubernetes_name("a-1.b", NAME_MAX));
        assert!(is_secret_key("keystore.p12") && !is_secret_key("a/b") && !is_secret_key(".."));
    }

    proptest! {
        #[test]
        fn every_name_made_here_is_one_that_kubernetes_takes(name in "\\PC{0,300}") {
            prop_assert!(is_kubernetes_name(&kubernetes_name(&name), NAME_MAX));
        }
    }
}
