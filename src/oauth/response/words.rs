//! Texts reduced to lower-case words, so that `invalid_client_id`, `InvalidClientId` and "Invalid client id" read the same.

/// More of one text is never looked at: what matters stands at the beginning, and matching stays cheap.
const MAX_CHARS: usize = 4096;

/// What RFC 6749 §5.2 and the common libraries say in every case of one code: words of all causes at once, so evidence of none.
/// Each is cut from its first to its second phrase.
const BOILERPLATE: &[(&str, &str)] = &[
    ("the provided authorization grant", "issued to another client"),
    ("the provided access grant is invalid", "expired or revoked"),
    ("the request is missing a required parameter", "otherwise malformed"),
    ("unknown client no client", "unsupported authentication method"),
    ("resource owner or authorization server denied", "the request"),
    ("the resource owner denied", "the request"),
    ("the authorization server encountered an unexpected condition", "fulfilling the request"),
];

/// Words of one or more texts, sentence by sentence: evidence in one sentence is not mixed with that of the next.
#[derive(Debug, Default, Clone)]
pub(super) struct Words {
    sentences: Vec<String>,
}

impl Words {
    /// Adds a text.
    pub(super) fn add(&mut self, text: &str) {
        let mut words = reduce(text);
        for (from, to) in BOILERPLATE {
            cut(&mut words, from, to);
        }
        self.sentences.extend(words.split('|').filter(|sentence| !sentence.trim().is_empty()).map(str::to_owned));
    }

    /// Whether any sentence holds any of the words, see [`holds`].
    pub(super) fn say(&self, words: &str) -> bool {
        self.sentences.iter().any(|sentence| holds(sentence, words))
    }

    /// Whether one sentence holds a word of each group and none of the forbidden ones.
    pub(super) fn say_all(&self, all: &[&[&str]], none: &[&str]) -> bool {
        let any = |sentence: &str, lists: &[&str]| lists.iter().any(|words| holds(sentence, words));
        self.sentences.iter().any(|sentence| all.iter().all(|lists| any(sentence, lists)) && !any(sentence, none))
    }

    /// Whether there is nothing to read.
    pub(super) fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }
}

/// Whether a sentence holds any of the words between the bars of `words`. Each must begin where a word begins; with a blank behind
/// it, it must end there too: `user ` is the word, `lock` also finds "locked".
fn holds(sentence: &str, words: &str) -> bool {
    words.split('|').filter(|word| !word.is_empty()).any(|word| {
        sentence.match_indices(word).any(|(at, _)| is_unspaced(word) || sentence.get(..at).is_some_and(|before| before.ends_with(' ')))
    })
}

/// Chinese, Japanese and Korean: there words begin without a blank before them.
fn is_unspaced(word: &str) -> bool {
    word.chars().next().is_some_and(|first| first > '\u{2e7f}')
}

/// Lower-case words between single blanks, sentences between bars, each with a blank at both ends.
fn reduce(text: &str) -> String {
    let mut words = String::from(" ");
    let mut previous = ' ';
    let mut chars = text.chars().take(MAX_CHARS).peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() {
            if previous.is_ascii_lowercase() && c.is_ascii_uppercase() && !words.ends_with(' ') {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
        } else if matches!(c, '\'' | '’' | '`' | '´')
            && previous.is_alphanumeric()
            && chars.peek().is_some_and(|next| next.is_alphanumeric())
        {
            continue; // "isn't" is one word
        } else if ends_sentence(c, chars.peek().copied()) {
            words.push_str(" | ");
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
        previous = c;
    }
    words.push(' ');
    words
}

fn ends_sentence(c: char, next: Option<char>) -> bool {
    matches!(c, '\n' | '。') || (matches!(c, '.' | ';' | '!' | '?') && next.is_none_or(char::is_whitespace))
}

fn cut(words: &mut String, from: &str, to: &str) {
    let Some(start) = words.find(from) else { return };
    let Some(length) = words.get(start..).and_then(|rest| rest.find(to)) else { return };
    words.replace_range(start..start + length + to.len(), " ");
}

/// A code as `snake_case`, whatever it was: `oauth.v2.InvalidClientIdentifier` is `invalid_client_identifier`.
pub(super) fn snake_case(code: &str) -> String {
    let last = code.rsplit(['.', ':', '/']).find(|part| !part.is_empty()).unwrap_or_default();
    reduce(last).split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        let mut words = Words::default();
        words.add(text);
        words
    }

    #[test]
    fn spelling_does_not_matter() {
        for text in ["invalid_client_id", "InvalidClientId", "Invalid client-id!", "the invalid 'client_id'"] {
            assert!(words(text).say("invalid client id "), "{text}");
        }
        assert!(words("The scope isn't valid").say("isnt valid "));
        assert_eq!(snake_case("oauth.v2.InvalidClientIdentifier"), "invalid_client_identifier");
        assert_eq!(snake_case("BAD_CLIENT-ID"), "bad_client_id");
        assert_eq!(snake_case(""), "");
    }

    #[test]
    fn evidence_does_not_cross_the_end_of_a_sentence() {
        let text = words("The client is known. The token was not found.");
        assert!(!text.say_all(&[&["client "], &["not found "]], &[]));
        assert!(text.say_all(&[&["token "], &["not found "]], &[]));
    }

    #[test]
    fn boilerplate_is_evidence_of_nothing() {
        let text = words(
            "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method).",
        );
        assert!(text.say("client authentication failed "));
        assert!(!text.say("unknown client "));
    }
}
