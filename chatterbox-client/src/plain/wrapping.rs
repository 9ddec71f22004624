//! Wrapping of what is printed, at words, piece by piece: the rows of a text stand under it, so that nobody's text begins a row as
//! if it were another line. Memory is bounded by a row.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The place in a row at which the next piece is written.
#[derive(Debug, Default)]
pub(super) struct Wrapping {
    columns: usize,
    /// How far the row is written.
    column: usize,
    /// Where the next rows of the line begin.
    indent: usize,
    /// Whether the row is such a one, and nothing is written in it yet.
    is_next: bool,
    /// Whether the rows stand under a text.
    under_text: bool,
    /// So many blanks are held back: they are written only before a word of the same row.
    blanks: usize,
    /// The word that is held back until its end is known, with the codes of its colours.
    word: String,
    width: usize,
}

impl Wrapping {
    /// The terminal has so many columns.
    pub(super) fn set_columns(&mut self, columns: u16) {
        self.columns = usize::from(columns).max(1);
    }

    /// Changes the colour of what follows.
    pub(super) fn style(&mut self, code: &str) {
        self.word.push_str(code);
    }

    /// The text of a message begins here: its rows stand under it, unless that leaves too little room.
    pub(super) fn text_begins(&mut self, out: &mut String) {
        if self.under_text {
            return;
        }
        self.flush(out);
        self.under_text = true;
        let here = self.column + self.blanks;
        self.indent = if here <= self.columns / 2 { here } else { 4.min(self.columns / 4) };
    }

    /// Writes a piece of the line, which is safe to show.
    pub(super) fn push(&mut self, piece: &str, out: &mut String) {
        for grapheme in piece.graphemes(true) {
            match grapheme {
                " " => {
                    self.flush(out);
                    self.blanks = (self.blanks + 1).min(self.columns);
                }
                "\n" | "\r\n" => {
                    self.flush(out);
                    self.next_line(out);
                }
                _ => {
                    let width = grapheme.width();
                    if self.width + width > self.columns.saturating_sub(self.indent) {
                        self.flush(out);
                    }
                    self.word.push_str(grapheme);
                    self.width += width;
                }
            }
        }
    }

    /// The line is complete.
    pub(super) fn end(&mut self, out: &mut String) {
        self.flush(out);
        self.next_line(out);
    }

    /// The line goes on later; the prompt is drawn below it until then.
    pub(super) fn pause(&mut self, out: &mut String) {
        self.flush(out);
        if self.column > 0 {
            self.next_row(out);
        }
    }

    /// Writes the word that was held back.
    fn flush(&mut self, out: &mut String) {
        if self.width == 0 {
            out.push_str(&std::mem::take(&mut self.word));
            return;
        }
        if self.column == 0 && !self.is_next {
            // The rows of a notice stand behind its mark.
            let mark = if self.word.ends_with("--") { 3 } else { 2 };
            self.indent = (self.blanks + mark).min(self.columns / 4);
        }
        let room = |from: usize| self.columns.saturating_sub(from);
        let at = if self.is_next { self.indent } else { self.column } + self.blanks;
        if self.width > room(at) && at > self.indent {
            if !self.is_next {
                self.next_row(out);
            }
            self.blanks = 0;
        }
        if std::mem::take(&mut self.is_next) {
            self.column = self.indent;
            blank(out, self.indent);
        }
        blank(out, self.blanks);
        self.column += self.blanks + self.width;
        (self.blanks, self.width) = (0, 0);
        out.push_str(&std::mem::take(&mut self.word));
    }

    fn next_row(&mut self, out: &mut String) {
        out.push_str("\r\n");
        (self.column, self.is_next) = (0, true);
    }

    fn next_line(&mut self, out: &mut String) {
        out.push_str("\r\n");
        (self.column, self.blanks) = (0, 0);
        (self.is_next, self.under_text) = (false, false);
    }
}

fn blank(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a message, its text in pieces of so many characters.
    fn rows(before: &str, text: &str, columns: u16, piece: usize) -> Vec<String> {
        let mut wrapping = Wrapping::default();
        wrapping.set_columns(columns);
        let mut out = String::new();
        wrapping.push(before, &mut out);
        wrapping.text_begins(&mut out);
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(piece) {
            wrapping.push(&piece.iter().collect::<String>(), &mut out);
        }
        wrapping.end(&mut out);
        let rows = out.strip_suffix("\r\n").unwrap().split("\r\n");
        rows.map(str::to_owned).collect()
    }

    #[test]
    fn a_text_is_broken_at_words_and_stands_under_its_beginning() {
        for piece in [1, 3, 100] {
            for (text, expected) in [
                ("one two", &["bob: one two"][..]),
                ("one two three", &["bob: one two", "     three"]),
                ("one  two   three", &["bob: one  two", "     three"]),
                ("abcdefghijklmnop", &["bob: abcdefghijk", "     lmnop"]),
                ("a abcdefghijklmnop b", &["bob: a", "     abcdefghijk", "     lmnop b"]),
                ("世世世世世世 x", &["bob: 世世世世世", "     世 x"]),
                ("", &["bob:"]),
                ("       far", &["bob:        far"]),
                ("              far", &["bob:", "     far"]),
            ] {
                assert_eq!(rows("bob: ", text, 16, piece), expected, "{text} by {piece}");
            }
        }
    }

    #[test]
    fn a_long_beginning_leaves_room_for_the_text() {
        let seen = rows("[14:03] somebody: ", "one two three", 24, 9);
        assert_eq!(seen, ["[14:03] somebody: one", "    two three"]);
    }

    #[test]
    fn no_row_is_wider_than_the_terminal_and_none_but_the_first_begins_at_its_edge() {
        for columns in [8, 9, 20, 60] {
            for text in ["x".repeat(200), "ab ".repeat(70), "世界 ".repeat(30), " ".repeat(300)] {
                for (place, row) in rows("b: ", &text, columns, 7).iter().enumerate() {
                    assert!(row.width() <= usize::from(columns), "{row:?}");
                    assert!(place == 0 || row.starts_with("  "), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn a_notice_is_broken_behind_its_mark_and_a_pause_goes_on_there() {
        let mut wrapping = Wrapping::default();
        wrapping.set_columns(12);
        let mut out = String::new();
        wrapping.push("-- one two three", &mut out);
        wrapping.pause(&mut out);
        wrapping.push(" four", &mut out);
        wrapping.end(&mut out);
        wrapping.push("* joined bobby", &mut out);
        wrapping.end(&mut out);
        assert_eq!(out, "-- one two\r\n   three\r\n    four\r\n* joined\r\n  bobby\r\n");
    }

    #[test]
    fn codes_of_colours_take_no_place() {
        let mut wrapping = Wrapping::default();
        wrapping.set_columns(10);
        let mut out = String::new();
        for word in ["aaaa", " bbbb", " cccc"] {
            wrapping.style("\x1b[31m");
            wrapping.push(word, &mut out);
            wrapping.style("\x1b[0m");
        }
        wrapping.end(&mut out);
        assert_eq!(out, "\x1b[31maaaa\x1b[0m\x1b[31m bbbb\x1b[0m\x1b[31m\r\n  cccc\x1b[0m\r\n");
    }
}
