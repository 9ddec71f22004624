//! Breaks our own text into lines. It is ASCII, so a character is a column.

/// The widest line of a paragraph.
const WIDTH: usize = 92;

/// A paragraph in lines, each behind `indent`; the first one behind `first`.
pub(super) fn wrap(text: &str, first: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.len() + 1 + word.len() > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            indent.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        let text = "word ".repeat(40);
        let lines = wrap(text.trim(), "- ", "  ");
        assert!(lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert!(lines.starts_with("- word word") && lines.contains("\n  word"), "{lines}");
        assert_eq!(lines.matches("word").count(), 40);
    }

    #[test]
    fn a_word_that_does_not_fit_stays_whole() {
        let long = "x".repeat(200);
        assert_eq!(wrap(&format!("a {long} b"), "", "").lines().nth(1), Some(long.as_str()));
    }
}
