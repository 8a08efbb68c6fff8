//! For a text whose credentials nobody knows, as in a recorded answer: what may be one is taken out, rather too much than too little.

/// Words that a value follows which nobody should see.
const NAMES: [&str; 16] = [
    "secret",
    "password",
    "passwort",
    "kennwort",
    "passphrase",
    "passwd",
    "pwd",
    "pass",
    "assertion",
    "token",
    "credential",
    "credentials",
    "pin",
    "otp",
    "passcode",
    "key",
];

/// Words with digits that are no credentials: protocols, formats, algorithms.
const KNOWN: [&str; 14] =
    ["oauth", "saml", "rfc", "x509", "sha", "http", "https", "rs256", "es256", "ps256", "hs256", "base64", "utf", "pkcs"];

/// The text without what may be a credential; none where nothing is left of it.
pub fn without_suspects(text: &str) -> Option<String> {
    let text = without_quotes(text);
    let mut kept: Vec<&str> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        match word.split_once(['=', ':']).filter(|(name, _)| is_name(name)) {
            Some((name, "")) => {
                kept.push(name);
                words.next();
            }
            Some((name, _)) => kept.push(name),
            None if is_suspect(word) => {}
            None => kept.push(word),
        }
    }
    let kept = kept.join(" ");
    kept.chars().any(char::is_alphabetic).then_some(kept)
}

/// What stands in quotation marks goes, but for names of the protocol's own (`'client_id'`).
fn without_quotes(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'', '`', '“', '‘', '«', '„']) {
        let (before, quoted) = rest.split_at(start);
        let mark = quoted.chars().next().map_or(0, char::len_utf8);
        let inside = quoted.get(mark..).unwrap_or_default();
        // "isn't" is one word.
        let opens = !before.ends_with(char::is_alphanumeric);
        kept.push_str(before);
        if let Some(end) = inside.find(['"', '\'', '`', '”', '’', '»', '“']).filter(|_| opens) {
            let (content, after) = inside.split_at(end);
            kept.push_str(if is_protocol_name(content) { content } else { "…" });
            rest = after.get(after.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
        } else {
            kept.push_str(quoted.get(..mark).unwrap_or_default());
            rest = inside;
        }
    }
    kept.push_str(rest);
    kept
}

fn is_protocol_name(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_name(name: &str) -> bool {
    let name = name.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    NAMES.contains(&last)
}

/// Letters beside digits, or marks inside a word that sentences have no use for.
fn is_suspect(word: &str) -> bool {
    let core = word.trim_matches(|c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '[' | ']' | '"' | '\''));
    let lower = core.to_lowercase();
    if core.contains("://") || KNOWN.iter().any(|known| lower.starts_with(known)) || is_numbered_code(core) {
        return false;
    }
    let letters = core.chars().any(char::is_alphabetic);
    let digits = core.chars().any(|c| c.is_ascii_digit());
    (letters && digits) || core.contains(['+', '%', '$', '&', '*', '!', '^', '~', '#', '@'])
}

/// `AADSTS7000215`, `E0000004`, `MSIS9622`: capitals, then digits.
fn is_numbered_code(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '-' || c == '_');
    digits.len() < word.len() && digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_credential_goes() {
        for (text, expected) in [
            ("user x with hunter2-hunter2 is unknown", Some("user x with is unknown")),
            ("Invalid client_secret: correct-horse", Some("Invalid client_secret")),
            ("client_secret=correct-horse&x is wrong", Some("client_secret is wrong")),
            ("The password 'correct horse' is wrong", Some("The password … is wrong")),
            ("p+w%d", None),
            ("hunter2", None),
        ] {
            assert_eq!(without_suspects(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "AADSTS7000215: Invalid client secret provided.",
            "Grant type isn't supported by OAuth2 clients, see https://login.example.com/docs2",
            "User authentication failed: PASSWORD_CHANGE_REQUIRED",
            "Invalid client or Invalid client credentials",
            "Der Benutzername oder das Passwort ist ungültig",
        ] {
            assert_eq!(without_suspects(text).as_deref(), Some(text));
        }
        assert_eq!(without_suspects("Parameter 'client_id' is missing").as_deref(), Some("Parameter client_id is missing"));
    }
}
