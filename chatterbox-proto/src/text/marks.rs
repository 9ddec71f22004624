//! Marks: characters that are drawn with the one before them, of which a text may pile up as many as it likes.

/// More marks than this on one character are not shown: the cell in which they stand would be as long as the text, and every
/// screen would write all of it whenever the cell is drawn. No script needs as many, nor does the longest emoji.
const MOST: usize = 16;

/// Counts the marks on the last character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    before: char,
    /// Whether a virama joins what comes; other marks may stand between.
    joins: bool,
    count: usize,
}

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is shown.
    Whole,
    /// It is the first mark that is too many.
    Cut,
    /// It is left out.
    Not,
}

impl Marks {
    /// Takes the next character.
    pub(super) fn next(&mut self, c: char) -> Shown {
        let before = std::mem::replace(&mut self.before, c);
        let attached = is_attached(before, c) || self.joins && c >= '\u{300}';
        self.joins = is_linker(c) || self.joins && is_mark(c);
        self.count = if attached { self.count.saturating_add(1) } else { 0 };
        match self.count {
            0..=MOST => Shown::Whole,
            count if count == MOST + 1 => Shown::Cut,
            _ => Shown::Not,
        }
    }
}

/// Whether a character is part of what the one before it began (about as in Unicode Standard Annex 29).
fn is_attached(before: char, c: char) -> bool {
    // All that is below needs no search.
    if c < '\u{300}' {
        return false;
    }
    is_mark(c)
        || is_vowel_or_final(c)
        || before == '\u{200d}'
        || is_leading(before) && is_leading(c)
        || is_prefix(before) && is_prefix(c)
}

/// General category M, the joiners, the modifiers of emoji, and letters that stand behind another one as marks do.
fn is_mark(c: char) -> bool {
    let c = u32::from(c);
    if matches!(c, 0xe33 | 0xeb3 | 0x200c | 0x200d | 0xff9e | 0xff9f | 0x1f3fb..=0x1f3ff) {
        return true;
    }
    let place = MARKS.partition_point(|(_, last)| *last < c);
    MARKS.get(place).is_some_and(|(first, _)| *first <= c)
}

/// Conjoining Jamo that begin a syllable; a syllable may begin with several.
fn is_leading(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{a960}'..='\u{a97c}')
}

/// Conjoining Jamo behind those.
fn is_vowel_or_final(c: char) -> bool {
    matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}')
}

/// Viramas that join the consonant before them to the one behind.
fn is_linker(c: char) -> bool {
    matches!(
        c,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{c4d}'
            | '\u{d4d}'
            | '\u{1039}'
            | '\u{17d2}'
            | '\u{1a60}'
            | '\u{1b44}'
            | '\u{1bab}'
            | '\u{a9c0}'
            | '\u{aaf6}'
            | '\u{10a3f}'
            | '\u{11133}'
            | '\u{113d0}'
            | '\u{1193e}'
            | '\u{11a47}'
            | '\u{11a99}'
            | '\u{11f42}'
    )
}

/// Characters that are drawn with the one behind them (Grapheme_Cluster_Break=Prepend).
fn is_prefix(c: char) -> bool {
    matches!(
        c,
        '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{d4e}' | '\u{110bd}'
            | '\u{110cd}' | '\u{111c2}'..='\u{111c3}' | '\u{113d1}' | '\u{1193f}' | '\u{11941}' | '\u{11a3a}'
            | '\u{11a84}'..='\u{11a89}' | '\u{11d46}' | '\u{11f02}'
    )
}

/// The characters of general category M in Unicode 14, and what is not assigned between them.
#[rustfmt::skip]
const MARKS: &[(u32, u32)] = &[
    (0x300, 0x36f), (0x483, 0x489), (0x591, 0x5bd), (0x5bf, 0x5bf), (0x5c1, 0x5c2), (0x5c4, 0x5c5),
    (0x5c7, 0x5c7), (0x610, 0x61a), (0x64b, 0x65f), (0x670, 0x670), (0x6d6, 0x6dc), (0x6df, 0x6e4),
    (0x6e7, 0x6e8), (0x6ea, 0x6ed), (0x711, 0x711), (0x730, 0x74a), (0x7a6, 0x7b0), (0x7eb, 0x7f3),
    (0x7fd, 0x7fd), (0x816, 0x819), (0x81b, 0x823), (0x825, 0x827), (0x829, 0x82d), (0x859, 0x85b),
    (0x898, 0x89f), (0x8ca, 0x8e1), (0x8e3, 0x903), (0x93a, 0x93c), (0x93e, 0x94f), (0x951, 0x957),
    (0x962, 0x963), (0x981, 0x983), (0x9bc, 0x9bc), (0x9be, 0x9cd), (0x9d7, 0x9d7), (0x9e2, 0x9e3),
    (0x9fe, 0xa03), (0xa3c, 0xa51), (0xa70, 0xa71), (0xa75, 0xa75), (0xa81, 0xa83), (0xabc, 0xabc),
    (0xabe, 0xacd), (0xae2, 0xae3), (0xafa, 0xb03), (0xb3c, 0xb3c), (0xb3e, 0xb57), (0xb62, 0xb63),
    (0xb82, 0xb82), (0xbbe, 0xbcd), (0xbd7, 0xbd7), (0xc00, 0xc04), (0xc3c, 0xc3c), (0xc3e, 0xc56),
    (0xc62, 0xc63), (0xc81, 0xc83), (0xcbc, 0xcbc), (0xcbe, 0xcd6), (0xce2, 0xce3), (0xd00, 0xd03),
    (0xd3b, 0xd3c), (0xd3e, 0xd4d), (0xd57, 0xd57), (0xd62, 0xd63), (0xd81, 0xd83), (0xdca, 0xddf),
    (0xdf2, 0xdf3), (0xe31, 0xe31), (0xe34, 0xe3a), (0xe47, 0xe4e), (0xeb1, 0xeb1), (0xeb4, 0xebc),
    (0xec8, 0xecd), (0xf18, 0xf19), (0xf35, 0xf35), (0xf37, 0xf37), (0xf39, 0xf39), (0xf3e, 0xf3f),
    (0xf71, 0xf84), (0xf86, 0xf87), (0xf8d, 0xfbc), (0xfc6, 0xfc6), (0x102b, 0x103e),
    (0x1056, 0x1059), (0x105e, 0x1060), (0x1062, 0x1064), (0x1067, 0x106d), (0x1071, 0x1074),
    (0x1082, 0x108d), (0x108f, 0x108f), (0x109a, 0x109d), (0x135d, 0x135f), (0x1712, 0x1715),
    (0x1732, 0x1734), (0x1752, 0x1753), (0x1772, 0x1773), (0x17b4, 0x17d3), (0x17dd, 0x17dd),
    (0x180b, 0x180d), (0x180f, 0x180f), (0x1885, 0x1886), (0x18a9, 0x18a9), (0x1920, 0x193b),
    (0x1a17, 0x1a1b), (0x1a55, 0x1a7f), (0x1ab0, 0x1b04), (0x1b34, 0x1b44), (0x1b6b, 0x1b73),
    (0x1b80, 0x1b82), (0x1ba1, 0x1bad), (0x1be6, 0x1bf3), (0x1c24, 0x1c37), (0x1cd0, 0x1cd2),
    (0x1cd4, 0x1ce8), (0x1ced, 0x1ced), (0x1cf4, 0x1cf4), (0x1cf7, 0x1cf9), (0x1dc0, 0x1dff),
    (0x20d0, 0x20f0), (0x2cef, 0x2cf1), (0x2d7f, 0x2d7f), (0x2de0, 0x2dff), (0x302a, 0x302f),
    (0x3099, 0x309a), (0xa66f, 0xa672), (0xa674, 0xa67d), (0xa69e, 0xa69f), (0xa6f0, 0xa6f1),
    (0xa802, 0xa802), (0xa806, 0xa806), (0xa80b, 0xa80b), (0xa823, 0xa827), (0xa82c, 0xa82c),
    (0xa880, 0xa881), (0xa8b4, 0xa8c5), (0xa8e0, 0xa8f1), (0xa8ff, 0xa8ff), (0xa926, 0xa92d),
    (0xa947, 0xa953), (0xa980, 0xa983), (0xa9b3, 0xa9c0), (0xa9e5, 0xa9e5), (0xaa29, 0xaa36),
    (0xaa43, 0xaa43), (0xaa4c, 0xaa4d), (0xaa7b, 0xaa7d), (0xaab0, 0xaab0), (0xaab2, 0xaab4),
    (0xaab7, 0xaab8), (0xaabe, 0xaabf), (0xaac1, 0xaac1), (0xaaeb, 0xaaef), (0xaaf5, 0xaaf6),
    (0xabe3, 0xabea), (0xabec, 0xabed), (0xfb1e, 0xfb1e), (0xfe00, 0xfe0f), (0xfe20, 0xfe2f),
    (0x101fd, 0x101fd), (0x102e0, 0x102e0), (0x10376, 0x1037a), (0x10a01, 0x10a0f),
    (0x10a38, 0x10a3f), (0x10ae5, 0x10ae6), (0x10d24, 0x10d27), (0x10eab, 0x10eac),
    (0x10f46, 0x10f50), (0x10f82, 0x10f85), (0x11000, 0x11002), (0x11038, 0x11046),
    (0x11070, 0x11070), (0x11073, 0x11074), (0x1107f, 0x11082), (0x110b0, 0x110ba),
    (0x110c2, 0x110c2), (0x11100, 0x11102), (0x11127, 0x11134), (0x11145, 0x11146),
    (0x11173, 0x11173), (0x11180, 0x11182), (0x111b3, 0x111c0), (0x111c9, 0x111cc),
    (0x111ce, 0x111cf), (0x1122c, 0x11237), (0x1123e, 0x1123e), (0x112df, 0x112ea),
    (0x11300, 0x11303), (0x1133b, 0x1133c), (0x1133e, 0x1134d), (0x11357, 0x11357),
    (0x11362, 0x11374), (0x11435, 0x11446), (0x1145e, 0x1145e), (0x114b0, 0x114c3),
    (0x115af, 0x115c0), (0x115dc, 0x115dd), (0x11630, 0x11640), (0x116ab, 0x116b7),
    (0x1171d, 0x1172b), (0x1182c, 0x1183a), (0x11930, 0x1193e), (0x11940, 0x11940),
    (0x11942, 0x11943), (0x119d1, 0x119e0), (0x119e4, 0x119e4), (0x11a01, 0x11a0a),
    (0x11a33, 0x11a39), (0x11a3b, 0x11a3e), (0x11a47, 0x11a47), (0x11a51, 0x11a5b),
    (0x11a8a, 0x11a99), (0x11c2f, 0x11c3f), (0x11c92, 0x11cb6), (0x11d31, 0x11d45),
    (0x11d47, 0x11d47), (0x11d8a, 0x11d97), (0x11ef3, 0x11ef6), (0x16af0, 0x16af4),
    (0x16b30, 0x16b36), (0x16f4f, 0x16f4f), (0x16f51, 0x16f92), (0x16fe4, 0x16ff1),
    (0x1bc9d, 0x1bc9e), (0x1cf00, 0x1cf46), (0x1d165, 0x1d169), (0x1d16d, 0x1d172),
    (0x1d17b, 0x1d182), (0x1d185, 0x1d18b), (0x1d1aa, 0x1d1ad), (0x1d242, 0x1d244),
    (0x1da00, 0x1da36), (0x1da3b, 0x1da6c), (0x1da75, 0x1da75), (0x1da84, 0x1da84),
    (0x1da9b, 0x1daaf), (0x1e000, 0x1e02a), (0x1e130, 0x1e136), (0x1e2ae, 0x1e2ae),
    (0x1e2ec, 0x1e2ef), (0x1e8d0, 0x1e8d6), (0x1e944, 0x1e94a),
];

#[cfg(test)]
mod tests {
    use super::super::ScreenText;

    #[test]
    fn of_marks_without_end_a_few_are_shown() {
        for pile in [
            "\u{301}",
            "\u{93e}",
            "\u{e31}",
            "\u{1161}",
            "\u{1f3fb}",
            "\u{94d}\u{915}",
            "\u{94d}\u{93c}\u{915}",
            "\u{200d}\u{1f468}",
            "\u{20e3}",
        ] {
            let text = format!("\u{e9}{}b", pile.repeat(100_000));
            let shown = ScreenText::new(&text);
            let count = shown.as_str().chars().count();
            assert!(count <= 1 + super::MOST + 2, "{count} of {pile:?}");
            assert!(shown.as_str().ends_with("…b"), "{pile:?}");
        }
        for run in ["\u{1100}", "\u{600}"] {
            assert!(ScreenText::new(&run.repeat(100_000)).as_str().chars().count() < 20, "{run:?}");
        }
    }

    #[test]
    fn no_script_is_changed() {
        let kiss = "👩🏽\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨🏿";
        let jamo = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}".repeat(20);
        let texts = [
            "ก็กี่ที่น้ำผึ้งปู่ย่าตายาย",
            "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
            "क्षत्रिय र्त्स्न्य श्रीमान् हिन्दी",
            "ক্ষমতা",
            "தமிழ்க்கு",
            "മലയാളം",
            "ශ්\u{200d}රී ලංකා",
            "བསྒྲུབས",
            "မြန်မာ",
            "ខ្ញុំ",
            "مُحَمَّدٌ می\u{200c}خواهم",
            "Việt ế ậ",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            kiss,
            "🇩🇪🇫🇷🏳\u{fe0f}\u{200d}🌈1\u{fe0f}\u{20e3}",
            &jamo,
            "é̄̂̃̈",
        ];
        for text in texts {
            let text = text.replace("1\u{fe0f}", "");
            assert_eq!(ScreenText::new(&text.repeat(50)).as_str(), text.repeat(50));
        }
    }
}
