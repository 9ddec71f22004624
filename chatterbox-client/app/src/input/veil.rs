//! The veil over secrets while they are typed.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::wrap::cells;

/// The parts of a text that are not shown while it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mask {
    /// Arguments of commands: the first word of the text, in small letters, and the place of its first secret word
    /// ([`crate::App::secret_arguments`]).
    pub arguments: Vec<(String, usize)>,
}

impl Mask {
    /// The text with each secret character replaced by as many stars as it has cells.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.begins(text) {
            Some((before, secret)) => Cow::Owned(before.to_owned() + &hidden(secret)),
            None => Cow::Borrowed(text),
        }
    }

    /// The same, and the place of the cursor in it; both places are in bytes.
    pub fn apply_with_cursor<'t>(&self, text: &'t str, cursor: usize) -> (Cow<'t, str>, usize) {
        let masked = self.apply(text);
        let Cow::Owned(_) = &masked else { return (masked, cursor) };
        let secret = self.secret_from(text).unwrap_or(text.len());
        let place = match text.get(secret..cursor) {
            Some(before) => secret + hidden(before).len(),
            None => cursor,
        };
        (masked, place)
    }

    /// The place from which the text is a secret, in bytes, if anything of it is.
    pub fn secret_from(&self, text: &str) -> Option<usize> {
        self.begins(text).map(|(before, _)| before.len())
    }

    /// Splits the text before the first secret argument, if it is a command that has one.
    fn begins<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let first = text.split_whitespace().next()?.to_lowercase();
        let (_, place) = self.arguments.iter().find(|(word, _)| *word == first)?;
        let mut words = 0;
        let mut inside = false;
        for (at, character) in text.char_indices() {
            let blank = character.is_whitespace();
            if !blank && !inside {
                if words == *place {
                    return text.split_at_checked(at);
                }
                words += 1;
            }
            inside = !blank;
        }
        None
    }
}

/// The text in as many rows and cells as it has, so that what is drawn and where the cursor stands agree with the text itself. Line
/// ends and tabs, which a pasted text may have, stay.
fn hidden(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for grapheme in text.graphemes(true) {
        match grapheme {
            "\n" | "\t" => seen.push_str(grapheme),
            _ => seen.push_str(&"*".repeat(cells(grapheme))),
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> Mask {
        let arguments = vec![("/register".to_owned(), 1), ("/set-password".to_owned(), 2)];
        Mask { arguments }
    }

    #[test]
    fn secrets_of_commands_are_hidden_while_they_are_typed() {
        for (line, seen) in [
            ("/register", "/register"),
            ("/register ", "/register "),
            ("/register h\u{e9}世x y", "/register *******"),
            ("/register 👩\u{200d}💻e\u{301}", "/register ***"),
            ("/REGISTER  hush", "/REGISTER  ****"),
            ("/registers hush", "/registers hush"),
            ("/set-password bob", "/set-password bob"),
            ("/set-password bob hush", "/set-password bob ****"),
            ("hello /register x", "hello /register x"),
            ("/register hu sh\n", "/register *****\n"),
            ("/register\nhush", "/register\n****"),
            ("", ""),
        ] {
            assert_eq!(arguments().apply(line), seen, "{line}");
        }
    }

    #[test]
    fn the_cursor_stays_where_it_is_on_the_screen() {
        let line = "/register h世x";
        for (cursor, place) in [(3, 3), (10, 10), (11, 11), (14, 13), (15, 14)] {
            assert_eq!(arguments().apply_with_cursor(line, cursor).1, place, "{cursor}");
        }
        assert_eq!(arguments().apply_with_cursor("héllo", 3).1, 3);
    }
}
