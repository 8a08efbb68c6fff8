//! What became of every property, a line each, and what is left to do by hand. Never shows a value.

use std::fmt::{self, Write as _};

/// The longest piece of a file that is shown, in characters.
const SHOWN_MAX: usize = 120;

/// What became of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the manifests: where.
    Carried(String),
    /// It is not in the manifests: why.
    LeftOut(String),
}

/// What became of every property.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    lines: Vec<(String, Outcome)>,
    notes: Vec<String>,
    todo: Vec<String>,
}

impl Report {
    pub(super) fn carried(&mut self, property: &str, into: impl Into<String>) {
        self.lines.push((property.to_owned(), Outcome::Carried(into.into())));
    }

    pub(super) fn left_out(&mut self, property: &str, why: impl Into<String>) {
        self.lines.push((property.to_owned(), Outcome::LeftOut(why.into())));
    }

    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }

    pub(super) fn todo(&mut self, what: impl Into<String>) {
        self.todo.push(what.into());
    }

    /// Puts the lines into the order of the file.
    pub(super) fn sort(&mut self, order: &[String]) {
        self.lines.sort_by_key(|(property, _)| order.iter().position(|name| name == property).unwrap_or(order.len()));
    }

    /// What became of a property.
    pub fn outcome(&self, property: &str) -> Option<&Outcome> {
        self.lines.iter().find(|(name, _)| name == property).map(|(_, outcome)| outcome)
    }

    /// What is left to do by hand.
    pub fn todos(&self) -> &[String] {
        &self.todo
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (property, outcome) in &self.lines {
            let property = printable(property);
            match outcome {
                Outcome::Carried(into) => writeln!(formatter, "{property} -> {into}")?,
                Outcome::LeftOut(why) => writeln!(formatter, "{property}: left out: {why}")?,
            }
        }
        self.notes.iter().try_for_each(|note| writeln!(formatter, "NOTE: {note}"))?;
        self.todo.iter().try_for_each(|todo| writeln!(formatter, "TO DO: {todo}"))
    }
}

/// A name out of a file, for a terminal: without control characters, and not too long.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_MAX) {
        if character.is_control() {
            _ = write!(shown, "{}", character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    shown
}
