//! Masks the secrets of a line while it is typed.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// The parts of a line that are masked.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    /// The whole line: a password was asked for.
    pub(crate) whole: bool,
    /// Arguments of commands: the first word of the line, and the place of its first secret word.
    pub(crate) arguments: Vec<(String, usize)>,
}

impl Mask {
    /// The line with each secret character replaced by as many cells as it is wide: by blanks in a whole line, since even
    /// the length of a password is a secret, and by stars in arguments.
    pub(crate) fn apply<'l>(&self, line: &'l str) -> Cow<'l, str> {
        if self.whole {
            return if line.is_empty() {
                Cow::Borrowed(line)
            } else {
                Cow::Owned(hidden(line, ' '))
            };
        }
        match self.begins(line) {
            Some((before, secret)) if !secret.is_empty() => {
                Cow::Owned(before.to_owned() + &hidden(secret, '*'))
            }
            _ => Cow::Borrowed(line),
        }
    }

    /// Splits the line before the first secret argument, if it is a command that has one.
    fn begins<'l>(&self, line: &'l str) -> Option<(&'l str, &'l str)> {
        let first = line.split_whitespace().next()?.to_lowercase();
        let (_, place) = self.arguments.iter().find(|(word, _)| *word == first)?;
        let mut words = 0;
        let mut inside = false;
        for (at, character) in line.char_indices() {
            let blank = character.is_whitespace();
            if !blank && !inside {
                if words == *place {
                    return line.split_at_checked(at);
                }
                words += 1;
            }
            inside = !blank;
        }
        None
    }
}

/// The text in as many rows and cells as it has. The editor counts the rows of the real line: with fewer of them on the
/// screen, each redraw would clear a row of the chat above. So line ends and tabs, which a pasted text may have, stay.
fn hidden(text: &str, with: char) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => std::iter::repeat_n(c, 1),
        c => std::iter::repeat_n(with, c.width().unwrap_or(0)),
    };
    text.chars().flat_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_commands_are_hidden_while_they_are_typed() {
        let arguments = vec![("/register".to_owned(), 1), ("/set-password".to_owned(), 2)];
        let mask = Mask { whole: false, arguments };
        for (line, seen) in [
            ("/register", "/register"),
            ("/register ", "/register "),
            ("/register h\u{e9}世x y", "/register *******"),
            ("/REGISTER  hush", "/REGISTER  ****"),
            ("/registers hush", "/registers hush"),
            ("/set-password bob", "/set-password bob"),
            ("/set-password bob hush", "/set-password bob ****"),
            ("hello /register x", "hello /register x"),
            ("", ""),
        ] {
            assert_eq!(mask.apply(line), seen, "{line}");
        }
    }

    #[test]
    fn an_answer_is_hidden_as_a_whole() {
        let mask = Mask { whole: true, arguments: Vec::new() };
        assert_eq!(mask.apply("hush"), "    ");
        assert_eq!(mask.apply(""), "");
    }

    #[test]
    fn what_is_hidden_has_the_rows_of_what_was_pasted() {
        let whole = Mask { whole: true, arguments: Vec::new() };
        assert_eq!(whole.apply("hush\n\t\u{e9}\n"), "    \n\t \n");
        let mask = Mask { whole: false, arguments: vec![("/register".to_owned(), 1)] };
        assert_eq!(mask.apply("/register hu sh\n"), "/register *****\n");
    }
}
