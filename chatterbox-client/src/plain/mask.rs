//! Hides what is secret of a line that is being typed.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// What is not to be seen.
#[derive(Debug, Default)]
pub(super) struct Mask {
    /// The line as a whole, as when a password was asked for.
    pub(super) whole: bool,
    /// What stands behind certain first words, from a place on: the arguments of commands.
    pub(super) words: Vec<(String, usize)>,
}

impl Mask {
    /// The line as it may be seen, with each hidden character as wide as it was: blanks where everything is hidden, since
    /// even the length of a password is nobody's business, and stars where a part is.
    pub(super) fn apply<'l>(&self, line: &'l str) -> Cow<'l, str> {
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

    /// Where the secret of a command begins, if the line is such a command.
    fn begins<'l>(&self, line: &'l str) -> Option<(&'l str, &'l str)> {
        let first = line.split_whitespace().next()?.to_lowercase();
        let (_, place) = self.words.iter().find(|(word, _)| *word == first)?;
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

fn hidden(text: &str, with: char) -> String {
    text.chars().flat_map(|c| std::iter::repeat_n(with, c.width().unwrap_or(0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_commands_are_hidden_while_they_are_typed() {
        let words = vec![("/register".to_owned(), 1), ("/set-password".to_owned(), 2)];
        let mask = Mask { whole: false, words };
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
        let mask = Mask { whole: true, words: Vec::new() };
        assert_eq!(mask.apply("hush"), "    ");
        assert_eq!(mask.apply(""), "");
    }
}
