//! Text in lines, as wide as the terminal.

/// Breaks a text at blanks into lines of at most `width` characters, each after an indent of its own. A longer word stays whole, so
/// that it can be copied. Control characters become blanks: what is told comes from elsewhere.
pub(super) fn paragraph(text: &str, first_indent: &str, indent: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = first_indent.to_owned();
    let mut is_empty = true;
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()).filter(|word| !word.is_empty()) {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

/// Rows of cells in columns, each as wide as its widest cell, three blanks between them, none at a line's end.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            match widths.get_mut(index) {
                Some(width) => *width = (*width).max(cell.chars().count()),
                None => widths.push(cell.chars().count()),
            }
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("   ").trim_end().replace(char::is_control, " ")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_blanks_and_nowhere_else() {
        assert_eq!(paragraph("one two three", "- ", "  ", 9), "- one two\n  three");
        assert_eq!(paragraph("see https://example.com/a/long/way now", "", "", 10), "see\nhttps://example.com/a/long/way\nnow");
        assert_eq!(paragraph("", "  ", "  ", 10), "  ");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(paragraph("a\u{1b}[2Jb\r\nc", "", "", 80), "a [2Jb c");
        assert_eq!(columns(&[vec!["a\u{7}b".into()]]), ["a b"]);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["NAME", "READY"], ["é", "True"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows), ["NAME   READY", "é      True"]);
    }
}
