//! What may stand in a template, checked word by word before minijinja reads it.
//!
//! ```text
//! template   = *( text | "{{" expression "}}" | "{%" block "%}" )
//! block      = "if" expression | "elif" expression | "else" | "endif"
//! expression = what is made of variables, "text", ~ | ( ) == != if else and or not
//! ```
//!
//! This reads the words and marks as minijinja's lexer does and leaves their order to its parser. Each tag is short
//! and there are few blocks, so that nothing nests deeper than the parser's stack.

use super::{FILTERS, VARIABLES};

/// The words and marks of one tag, at most. minijinja's parser nests for some of them.
const TAG_MAX: usize = 32;
/// The `{% … %}` of one template, at most.
const BLOCKS_MAX: usize = 64;
/// Words of the language in an expression.
const OPERATORS: [&str; 5] = ["if", "else", "and", "or", "not"];
/// Words of the language that a block begins with.
const BLOCKS: [&str; 4] = ["if", "elif", "else", "endif"];
/// The longest piece of a template that a problem quotes, in characters.
const QUOTE_MAX: usize = 40;

/// Why a template is refused.
pub(super) struct Refusal {
    pub line: usize,
    pub problem: String,
}

/// Refuses what is not part of the language.
pub(super) fn check(source: &str) -> Result<(), Refusal> {
    let mut gate = Gate { rest: source, line: 1 };
    let mut blocks = 0;
    while let Some(tag) = gate.open() {
        match tag {
            Tag::Expression => gate.tag("}}", false)?,
            Tag::Block if blocks == BLOCKS_MAX => return Err(gate.refuse(&format!("there are more than {BLOCKS_MAX} {{% … %}}"))),
            Tag::Block => {
                blocks += 1;
                gate.tag("%}", true)?;
            }
            Tag::Comment => return Err(gate.refuse("{# begins a comment, and templates have none: leave it out")),
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Tag {
    Expression,
    Block,
    Comment,
}

/// A word or mark of a tag.
#[derive(Clone, Copy)]
enum Token<'a> {
    Word(&'a str),
    Text,
    Pipe,
    Open,
    Close,
    Operator,
    End,
}

/// What the last word or mark was, as far as it decides on the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Block,
    Pipe,
    Value,
    Other,
}

struct Gate<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Gate<'a> {
    /// Goes behind the next opening mark, as minijinja finds it: the first `{{`, `{%` or `{#`, with its `-` or `+`.
    fn open(&mut self) -> Option<Tag> {
        loop {
            let brace = self.rest.find('{')?;
            self.skip(brace + 1);
            let tag = match self.rest.bytes().next() {
                Some(b'{') => Tag::Expression,
                Some(b'%') => Tag::Block,
                Some(b'#') => Tag::Comment,
                _ => continue,
            };
            self.skip(1);
            if self.rest.starts_with(['-', '+']) {
                self.skip(1);
            }
            return Some(tag);
        }
    }

    /// Reads one tag up to its closing mark.
    fn tag(&mut self, close: &str, block: bool) -> Result<(), Refusal> {
        let mut before = if block { Before::Block } else { Before::Other };
        let mut depth = 0_usize;
        for _ in 0..TAG_MAX {
            before = match self.token(close)? {
                Token::End if depth > 0 => return Err(self.refuse("a ( is not closed")),
                Token::End => return Ok(()),
                Token::Word(word) => self.word(word, before)?,
                _ if before == Before::Block => return Err(self.refuse(&expected_block(""))),
                Token::Text => Before::Value,
                Token::Pipe => Before::Pipe,
                Token::Operator => Before::Other,
                Token::Open if before == Before::Value => return Err(self.refuse("nothing can be called: leave the (…) out")),
                Token::Open => {
                    depth += 1;
                    Before::Other
                }
                Token::Close => {
                    depth = depth.checked_sub(1).ok_or_else(|| self.refuse("a ) closes nothing"))?;
                    Before::Value
                }
            };
        }
        Err(self.refuse(&format!("more than {TAG_MAX} words and marks in one tag: make several of it")))
    }

    fn word(&self, word: &str, before: Before) -> Result<Before, Refusal> {
        match before {
            Before::Block if BLOCKS.contains(&word) => Ok(Before::Other),
            Before::Block => Err(self.refuse(&expected_block(word))),
            Before::Pipe if FILTERS.contains(&word) => Ok(Before::Value),
            Before::Pipe => Err(self.refuse(&format!("unknown filter \"{}\"; the filters are {}", quoted(word), listed(&FILTERS)))),
            Before::Value | Before::Other if OPERATORS.contains(&word) => Ok(Before::Other),
            Before::Value | Before::Other if VARIABLES.contains(&word) => Ok(Before::Value),
            Before::Value | Before::Other => {
                Err(self.refuse(&format!("unknown variable \"{}\"; the variables are {}", quoted(word), listed(&VARIABLES))))
            }
        }
    }

    /// The next word or mark.
    fn token(&mut self, close: &str) -> Result<Token<'a>, Refusal> {
        let blank = self.rest.len() - self.rest.trim_ascii_start().len();
        self.skip(blank);
        let closing = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
        if closing.starts_with(close) {
            self.skip(self.rest.len() - closing.len() + close.len());
            return Ok(Token::End);
        }
        let (token, length) = match self.rest.as_bytes() {
            [] => return Err(self.refuse(&format!("a tag is not closed: {close} is missing"))),
            [b'|', ..] => (Token::Pipe, 1),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b'~', ..] => (Token::Operator, 1),
            [b'=' | b'!', b'=', ..] => (Token::Operator, 2),
            [quote @ (b'"' | b'\''), ..] => (Token::Text, self.text(*quote)?),
            [first, ..] if first.is_ascii_alphabetic() || *first == b'_' => {
                let end = self.rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
                let word = end.and_then(|end| self.rest.get(..end)).unwrap_or(self.rest);
                (Token::Word(word), word.len())
            }
            _ => {
                let mark: String = self.rest.chars().take(1).collect();
                return Err(self.refuse(&format!("\"{mark}\" has no meaning here: expressions have variables, \"texts\", ~, | and ( )")));
            }
        };
        self.skip(length);
        Ok(token)
    }

    /// The length of the quoted text that begins here; a backslash takes the next byte with it.
    fn text(&self, quote: u8) -> Result<usize, Refusal> {
        let mut escaped = false;
        for (index, byte) in self.rest.bytes().enumerate().skip(1) {
            match (escaped, byte) {
                (true, _) => escaped = false,
                (false, b'\\') => escaped = true,
                (false, byte) if byte == quote => return Ok(index + 1),
                (false, _) => {}
            }
        }
        Err(self.refuse("a text is not closed: its quotation mark is missing"))
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.line += skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
    }

    fn refuse(&self, problem: &str) -> Refusal {
        Refusal { line: self.line, problem: problem.to_owned() }
    }
}

fn expected_block(word: &str) -> String {
    let found = if word.is_empty() { String::new() } else { format!("\"{}\" is not part of the language: ", quoted(word)) };
    format!("{found}{{% … %}} begins with one of {}", listed(&BLOCKS))
}

fn quoted(word: &str) -> String {
    word.chars().take(QUOTE_MAX).collect()
}

/// `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [init @ .., last] if !init.is_empty() => format!("{} and {last}", init.join(", ")),
        _ => names.concat(),
    }
}
