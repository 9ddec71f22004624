//! Wrapping: a line in rows of a terminal, at words where possible; no grapheme is ever cut.
//!
//! Widths are counted as the screen's library counts them, grapheme by grapheme: a row that were a cell wider there would lose
//! its end.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The rows of a line that is safe to show; together they are the line. Without the blanks at its end, which take no place, no row is
/// wider than `width` cells, unless it is a single grapheme that is. No row but the first begins with a blank.
pub fn wrap(line: &str, width: usize) -> Vec<&str> {
    let room = width.max(1);
    let mut rows = Vec::new();
    let mut rest = line;
    while let Some((row, behind)) = first_row(rest, room) {
        rows.push(row);
        rest = behind;
    }
    rows.push(rest);
    rows
}

/// The first row of a line, and what is behind it, unless all of it fits. What is measured and then left for the next row is less
/// than a row, so a line takes time in proportion to its length.
fn first_row(line: &str, room: usize) -> Option<(&str, &str)> {
    let mut used = 0;
    // The last place where the row may end.
    let mut end = None;
    // The beginning of a row is no such place: an indentation does not stand alone.
    let mut has_word = false;
    let mut before = Kind::Blank;
    for (at, grapheme) in line.grapheme_indices(true) {
        let kind = Kind::of(grapheme);
        let wide = cells(grapheme);
        if kind == Kind::Blank {
            if has_word || used + wide >= room {
                end = Some(at + grapheme.len());
            }
        } else {
            if at > 0 && before.may_end_before(kind) {
                end = Some(at);
            }
            if used + wide > room && at > 0 {
                return line.split_at_checked(end.unwrap_or(at));
            }
            has_word = true;
        }
        used += wide;
        before = kind;
    }
    None
}

/// How many cells of a terminal a text takes that is safe to show.
pub fn cells(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let marks = |text: &str| text.chars().filter(|c| matches!(c, '\u{ff9e}' | '\u{ff9f}')).count();
    // Terminals give halfwidth sound marks a cell of their own.
    text.graphemes(true).map(|grapheme| grapheme.width() + marks(grapheme)).sum()
}

/// What a grapheme is to the end of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    /// Of a script that is written without blanks, or an emoji.
    Wide,
    /// Wide, and belongs to what is behind it.
    Opening,
    /// Wide, and belongs to what is before it.
    Closing,
    Letter,
    Other,
}

impl Kind {
    fn of(grapheme: &str) -> Self {
        let Some(first) = grapheme.chars().next() else { return Self::Other };
        match first {
            // A no-break space is none.
            '\u{a0}' | '\u{202f}' | '\u{2007}' => Self::Other,
            _ if grapheme.chars().all(char::is_whitespace) => Self::Blank,
            '「' | '『' | '（' | '《' | '〈' | '【' | '〔' | '［' | '｛' => Self::Opening,
            '。' | '，' | '、' | '！' | '？' | '：' | '；' | '）' | '」' | '』' | '》' | '〉'
            | '】' | '〕' | '］' | '｝' | '・' | 'ー' | '々' | '…' => Self::Closing,
            _ if grapheme.width() > 1 => Self::Wide,
            _ if first.is_alphanumeric() => Self::Letter,
            _ => Self::Other,
        }
    }

    /// Whether a row may end between this and the next one, without a blank.
    fn may_end_before(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Wide | Self::Closing, Self::Wide | Self::Opening | Self::Letter)
                | (Self::Letter, Self::Wide | Self::Opening)
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_at_words() {
        let family = "👩\u{200d}👩\u{200d}👧";
        for (line, width, rows) in [
            ("", 5, &[""][..]),
            ("hello", 5, &["hello"]),
            ("hello ", 5, &["hello "]),
            ("see you at five", 8, &["see you ", "at five"]),
            // A word that fits exactly, and the blank behind it that hangs over.
            ("seven is odd", 5, &["seven ", "is ", "odd"]),
            ("one    two", 4, &["one    ", "two"]),
            // A wide character behind a word that takes the whole row (it was a cell too wide).
            (" abc世", 4, &[" abc", "世"]),
            ("a abc世", 4, &["a ", "abc", "世"]),
            // A word that is longer than the row.
            ("at https://example.org/x", 10, &["at ", "https://ex", "ample.org/", "x"]),
            // An indentation does not stand alone.
            ("    indented", 8, &["    inde", "nted"]),
            ("        x", 3, &["        ", "x"]),
            // Scripts without blanks; a full stop does not begin a row.
            ("你好世界你好", 5, &["你好", "世界", "你好"]),
            ("你好世。界", 6, &["你好", "世。界"]),
            ("abc世界", 5, &["abc世", "界"]),
            ("say 你好世界", 8, &["say 你好", "世界"]),
            ("你好", 1, &["你", "好"]),
            // Graphemes of several characters.
            (family, 1, &[family]),
            ("👩\u{200d}💻👍🏽👍🏽", 4, &["👩\u{200d}💻👍🏽", "👍🏽"]),
            ("❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}", 4, &["❤\u{fe0f}❤\u{fe0f}", "❤\u{fe0f}"]),
            ("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"]),
            // A no-break space keeps words together.
            ("at 10\u{a0}km", 6, &["at ", "10\u{a0}km"]),
        ] {
            assert_eq!(wrap(line, width), rows, "{line:?} in {width}");
        }
        assert_eq!(wrap("abc", 0), ["a", "b", "c"]);
    }

    #[test]
    fn a_long_line_takes_time_in_proportion() {
        // With a search back from each break, a line of one word would take the square of its length: hours.
        assert_eq!(wrap(&"x".repeat(1 << 20), 1).len(), 1 << 20);
        assert_eq!(wrap(&"世".repeat(1 << 18), 80).len(), (1 << 18) / 40 + 1);
    }

    fn texts() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            " ",
            "  ",
            "a",
            "word",
            "世",
            "界。",
            "「",
            "👩\u{200d}💻",
            "👍🏽",
            "❤\u{fe0f}",
            "e\u{301}",
            "\u{301}",
            "🇩🇪",
            "ｶﾞ",
            "한",
            "-",
            "\u{a0}",
            "لا",
            "क्षि",
        ]);
        prop_oneof![
            prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat()),
            any::<String>().prop_map(|text| chatterbox_proto::ScreenText::new(&text).to_string()),
        ]
    }

    proptest! {
        #[test]
        fn rows_are_the_line_and_fit(line in texts(), width in 1..30_usize) {
            let rows = wrap(&line, width);
            prop_assert_eq!(rows.concat(), line.as_str());
            let boundaries: Vec<_> = line.grapheme_indices(true).map(|(at, _)| at).chain([line.len()]).collect();
            let mut at = 0;
            for (number, row) in rows.iter().enumerate() {
                let seen = row.trim_end();
                prop_assert!(cells(seen) <= width || seen.graphemes(true).count() == 1, "{:?}", rows);
                prop_assert!(number == 0 || Kind::of(row.graphemes(true).next().unwrap()) != Kind::Blank, "{:?}", rows);
                at += row.len();
                prop_assert!(boundaries.contains(&at));
            }
        }

        #[test]
        fn no_word_is_broken_that_fits(words in prop::collection::vec("[a-z]{1,8}", 1..20), width in 8..20_usize) {
            let line = words.join(" ");
            for row in wrap(&line, width) {
                prop_assert!(row.split_whitespace().all(|word| words.iter().any(|whole| whole == word)));
            }
            // And no row could have taken the next word.
            let rows = wrap(&line, width);
            for pair in rows.windows(2) {
                let next = pair[1].split(' ').next().unwrap();
                prop_assert!(pair[0].len() + next.len() > width);
            }
        }
    }
}
