//! Text from the network, and the only way from there to a screen or a log.
//!
//! [`WireText`] is what a peer wrote. It can't be displayed. [`ScreenText`] can: it is one line in which every character
//! that would act on a terminal, reorder its neighbours or hide is spelled out instead (MD-2).

mod marks;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use marks::{Marks, Shown};

/// Text as a peer wrote it: anything at all, so it has no `Display`.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireText<'a>(Cow<'a, str>);

impl<'a> WireText<'a> {
    /// Wraps text that came from the network.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// The raw text, for comparing and storing; never for a screen.
    pub fn as_wire(&self) -> &str {
        &self.0
    }

    /// Makes it safe to show, on one line.
    pub fn screen(&self) -> ScreenText {
        ScreenText::new(&self.0)
    }

    /// The first lines of it, at most so many, and how many others there are. Empty lines at the end count for nothing.
    pub fn lines(&self, most: usize) -> (Vec<WireText<'_>>, usize) {
        let text = self.0.trim_end_matches(['\n', '\r']);
        let mut rest = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let lines = rest.by_ref().take(most).map(WireText::new).collect();
        (lines, rest.count())
    }

    /// Copies borrowed text.
    pub fn into_owned(self) -> WireText<'static> {
        WireText(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for WireText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `{:?}` of str escapes control characters, but not the bidirectional ones.
        write!(f, "WireText({:?})", self.screen().as_str())
    }
}

/// One line that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScreenText(Box<str>);

impl ScreenText {
    /// Spells out whatever would act on a terminal or hide.
    pub fn new(wire: &str) -> Self {
        let mut line = String::with_capacity(wire.len());
        push_visible(&mut line, wire.chars());
        Self(line.into())
    }

    /// The same, with at most `limit` of the text's characters, and `…` where some were left out.
    pub fn shortened(wire: &str, limit: usize) -> Self {
        let mut line = String::new();
        let mut rest = wire.chars();
        push_visible(&mut line, rest.by_ref().take(limit));
        if rest.next().is_some() {
            line.push('…');
        }
        Self(line.into())
    }

    /// The line, without a line break.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScreenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Text that is made safe to show piece by piece: as a whole it could take six times its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenPieces {
    text: WireText<'static>,
    /// The place of the next piece.
    at: usize,
    /// The character before it.
    before: char,
    marks: Marks,
}

impl ScreenPieces {
    /// Appends the next piece: about `bytes` bytes of the text, and at least one character.
    pub fn push_next(&mut self, line: &mut String, bytes: usize) {
        let rest = self.text.as_wire().get(self.at..).unwrap_or_default();
        let piece = first_bytes(rest, bytes);
        push_visible_after(line, piece.chars(), self.before, &mut self.marks);
        self.before = piece.chars().next_back().unwrap_or(self.before);
        self.at += piece.len();
    }

    /// The beginning of what is left, of at most so many bytes, without taking it.
    pub fn peek(&self, bytes: usize) -> ScreenText {
        let rest = self.text.as_wire().get(self.at..).unwrap_or_default();
        ScreenText::new(first_bytes(rest, bytes))
    }

    /// How many bytes of the text are left.
    pub fn left(&self) -> usize {
        self.text.as_wire().len().saturating_sub(self.at)
    }
}

impl From<WireText<'static>> for ScreenPieces {
    fn from(text: WireText<'static>) -> Self {
        Self { text, at: 0, before: '\0', marks: Marks::default() }
    }
}

/// The beginning of a text: at least one character, then as many as fit into so many bytes.
pub fn first_bytes(text: &str, bytes: usize) -> &str {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end.max(first)).unwrap_or(text)
}

fn push_visible(line: &mut String, text: impl Iterator<Item = char>) {
    push_visible_after(line, text, '\0', &mut Marks::default());
}

fn push_visible_after(
    line: &mut String,
    text: impl Iterator<Item = char>,
    mut before: char,
    marks: &mut Marks,
) {
    for c in text {
        let shown = marks.next(c);
        if shown == Shown::Cut {
            line.push('…');
        }
        if shown != Shown::Whole {
            before = c;
            continue;
        }
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("    "),
            _ if is_joiner(c) && !before.is_ascii() => line.push(c),
            _ if acts_or_hides(c) => {
                // Writing to a String can't fail.
                let _ = write!(line, "\\u{{{:x}}}", u32::from(c));
            }
            _ => line.push(c),
        }
        before = c;
    }
}

/// Joiners and the emoji variation selector hide, but many scripts and most emoji are made with them; after a
/// non-ASCII character they are harmless.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}')
}

/// Whether a character controls a terminal, reorders text, or can't be seen.
pub fn acts_or_hides(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || is_invisible(c)
}

/// The formatting characters of the bidirectional algorithm (Unicode property Bidi_Control).
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters without a shape of their own: Default_Ignorable_Code_Point, line and paragraph separators, the blank
/// braille pattern, interlinear annotation, private use and non-characters.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2028}'..='\u{2029}'
        | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        ScreenText::new(text).to_string()
    }

    #[test]
    fn b1_escapes_in_messages_do_not_act_on_the_screen() {
        assert_eq!(shown("\u{1b}[2Jhi\u{7}"), "\\u{1b}[2Jhi\\u{7}");
        assert_eq!(shown("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(shown("a\u{200b}b"), "a\\u{200b}b");
        assert_eq!(shown("one\ntwo\r"), "one\\ntwo\\r");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["hello", "Grüße, 世界", "עברית", "क्ष", "👩\u{200d}💻 ❤\u{fe0f}", "a\\u{1b}b"]
        {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("a\u{200d}b"), "a\\u{200d}b", "a joiner after ASCII only hides");
    }

    #[test]
    fn wire_text_shows_nothing_raw_when_debugged() {
        assert_eq!(
            format!("{:?}", WireText::new("\u{1b}\u{202e}")),
            "WireText(\"\\\\u{1b}\\\\u{202e}\")"
        );
    }

    #[test]
    fn shortening_counts_characters_and_says_so() {
        assert_eq!(ScreenText::shortened("äöü", 3).as_str(), "äöü");
        assert_eq!(ScreenText::shortened("äöüß", 3).as_str(), "äöü…");
    }

    #[test]
    fn a_text_of_several_lines_is_cut_at_line_feeds_only() {
        let table: [(&str, &[&str], usize); 8] = [
            ("", &[""], 0),
            ("one", &["one"], 0),
            ("one\ntwo", &["one", "two"], 0),
            ("one\r\n\r\ntwo\r\n", &["one", "", "two"], 0),
            ("one\n\n\n", &["one"], 0),
            ("\n\n", &[""], 0),
            ("a\rb\u{2028}c\u{85}d", &["a\\rb\\u{2028}c\\u{85}d"], 0),
            ("1\n2\n3\n4\n5", &["1", "2", "3"], 2),
        ];
        for (text, lines, more) in table {
            let wire = WireText::new(text);
            let (shown, others) = wire.lines(3);
            let shown: Vec<_> = shown.iter().map(|line| line.screen().to_string()).collect();
            assert_eq!((shown, others), (lines.iter().map(ToString::to_string).collect(), more));
        }
    }

    proptest! {
        #[test]
        fn pieces_together_are_the_whole(text in any::<String>(), bytes in 0..9_usize) {
            let mut pieces = ScreenPieces::from(WireText::new(text.clone()));
            let mut line = String::new();
            while pieces.left() > 0 {
                let before = pieces.left();
                pieces.push_next(&mut line, bytes);
                prop_assert!(pieces.left() < before);
            }
            prop_assert_eq!(line, shown(&text));
        }

        #[test]
        fn nothing_that_acts_ever_reaches_the_screen(text in any::<String>()) {
            let line = shown(&text);
            let mut before = '\0';
            for c in line.chars() {
                prop_assert!(!c.is_control() && !is_bidi_control(c));
                prop_assert!(!is_invisible(c) || (is_joiner(c) && !before.is_ascii()));
                before = c;
            }
        }
    }
}
