//! Files in the form of `java.util.Properties`, as the BTP cockpit exports destinations.
//!
//! `key=value`, `key: value` or `key value`; `#` and `!` begin comments; a backslash at the end of a line continues
//! it; `\:`, `\t`, `\uXXXX` and the like are escapes (Java SE, `Properties.load`).

use super::error::ImportError;
use super::parse::WITHHELD;

/// A property as it stands in the file.
pub(super) type Property = (String, String);

/// The properties in the order of the file. A password that the export left out stands in a comment, and is a
/// property with the value [`WITHHELD`] here, unless someone has written it in.
pub(super) fn parse(text: &str) -> Result<Vec<Property>, ImportError> {
    let mut properties = Vec::new();
    let mut withheld = Vec::new();
    for (number, line) in logical_lines(text) {
        match line.strip_prefix(['#', '!']) {
            Some(comment) => withheld.extend(property(comment.trim_start(), number).ok().filter(|(_, value)| value == WITHHELD)),
            None => properties.push(property(&line, number)?),
        }
    }
    withheld.retain(|(name, _)| properties.iter().all(|(known, _)| known != name));
    withheld.append(&mut properties);
    Ok(withheld)
}

/// Lines without leading blanks and with their continuations, numbered from 1; blank ones left out.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut logical: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        let line = line.trim_start_matches(is_blank);
        let comment = !continues && line.starts_with(['#', '!']);
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        let unfinished = !comment && backslashes % 2 == 1;
        let content = if unfinished { line.get(..line.len() - 1).unwrap_or_default() } else { line };
        match logical.last_mut() {
            Some((_, before)) if continues => before.push_str(content),
            Some(_) | None if line.is_empty() => {}
            Some(_) | None => logical.push((index + 1, content.to_owned())),
        }
        continues = unfinished;
    }
    logical
}

fn property(line: &str, number: usize) -> Result<Property, ImportError> {
    let mut escaped = false;
    let end = line.find(|character: char| {
        let ends = !escaped && (is_blank(character) || matches!(character, '=' | ':'));
        escaped = !escaped && character == '\\';
        ends
    });
    let (key, rest) = line.split_at_checked(end.unwrap_or(line.len())).unwrap_or((line, ""));
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(is_blank);
    Ok((unescaped(key, number)?, unescaped(value, number)?))
}

fn unescaped(text: &str, line: usize) -> Result<String, ImportError> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut buffer = [0; 2];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let meant = match character {
            '\\' => match characters.next() {
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    let hexadecimal = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| hexadecimal);
                    units.push(unit.ok_or(ImportError::BadEscape { line })?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => continue,
            },
            other => other,
        };
        units.extend_from_slice(meant.encode_utf16(&mut buffer));
    }
    Ok(String::from_utf16_lossy(&units))
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn properties_read_as_java_reads_them() {
        for (text, key, value) in [
            ("a=b", "a", "b"),
            ("  a = b c ", "a", "b c "),
            ("a:b", "a", "b"),
            ("a b", "a", "b"),
            ("a", "a", ""),
            ("a==b", "a", "=b"),
            ("URL=https\\://auth.example.com/a\\=b", "URL", "https://auth.example.com/a=b"),
            ("a\\ b\\:c=d", "a b:c", "d"),
            ("a=b\\\n   c", "a", "bc"),
            ("a=b\\\r\n   c", "a", "bc"),
            ("a=b\\\n#c", "a", "b#c"),
            ("a=b\\\\\n", "a", "b\\"),
            ("a=\\u00e4\\uD83D\\uDE00", "a", "ä😀"),
            ("a=1\\t2\\n3", "a", "1\t2\n3"),
            ("# comment\n! another \\\n\n\ta=b", "a", "b"),
            ("a=b\\", "a", "b"),
        ] {
            assert_eq!(parse(text), Ok(vec![(key.to_owned(), value.to_owned())]), "{text}");
        }
    }

    #[test]
    fn a_password_that_the_export_left_out_is_seen_in_its_comment_unless_someone_filled_it_in() {
        let export = format!("#clientSecret={WITHHELD}\n#\n#Sat Nov 21 10:00:00 UTC 2026\nclientId=orders\n");
        let expected = vec![("clientSecret".to_owned(), WITHHELD.to_owned()), ("clientId".to_owned(), "orders".to_owned())];
        assert_eq!(parse(&export), Ok(expected));
        let filled = format!("#clientSecret={WITHHELD}\nclientSecret=mine\n");
        assert_eq!(parse(&filled), Ok(vec![("clientSecret".to_owned(), "mine".to_owned())]));
    }

    #[test]
    fn a_broken_escape_is_named_by_its_line() {
        for text in ["a=b\nc=\\u12", "a=b\nc=\\u+123x", "a=b\n\\uzzzz=x"] {
            assert_eq!(parse(text), Err(ImportError::BadEscape { line: 2 }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[\\\\#!=: \\t\\r\\nu]){0,80}") {
            _ = parse(&text);
        }
    }
}
