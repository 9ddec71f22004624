//! A name for a file on this machine, made from what somebody else has called it (FI-7).

use std::fmt;

use chatterbox_proto::{ScreenText, limits};

/// What a file is called of whose name nothing is left.
const UNNAMED: &str = "file";

/// An extension of at most so many bytes stays when a name is cut.
const EXTENSION: usize = 16;

/// Stands for a character that can't stay.
const STAND_IN: char = '_';

/// Names that mean a device on some systems, whatever stands behind a dot.
const RESERVED: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "COM", "LPT"];

/// The name of a file in a folder, at most [`limits::FILE_NAME`] bytes: it leads nowhere else, hides nothing, acts on no screen, is no
/// device and no option of a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeName(String);

impl SafeName {
    /// Makes one of whatever somebody has written.
    pub fn of(wire: &str) -> Self {
        let last = wire.rsplit(['/', '\\']).find(|part| !part.trim_matches(is_edge).is_empty());
        let mut name = cleaned(last.unwrap_or_default().trim_start_matches(is_edge));
        if ScreenText::new(&name).as_str() != name {
            // Marks that pile up on one character, for example.
            name = name.chars().map(|c| if c.is_ascii() { c } else { STAND_IN }).collect();
        }
        if name.starts_with('-') {
            name.replace_range(..1, "_");
        }
        if is_reserved(&name) {
            name.insert(0, STAND_IN);
        }
        let name = Self::join(&name, "");
        if name.0.is_empty() { Self(UNNAMED.to_owned()) } else { name }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same with a number, for a folder in which there is one already: `notes (2).pdf`.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self::join(&self.0, &format!(" ({number})"))
    }

    /// A name with something before its extension, cut so that all of it has room.
    fn join(name: &str, between: &str) -> Self {
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && extension.len() <= EXTENSION => {
                (stem, format!(".{extension}"))
            }
            _ => (name, String::new()),
        };
        let room = limits::FILE_NAME.saturating_sub(between.len() + extension.len());
        let mut end = stem.len().min(room);
        while !stem.is_char_boundary(end) {
            end -= 1;
        }
        let cut = stem.get(..end).unwrap_or_default();
        let stem = if end < stem.len() { cut.trim_end_matches(is_edge) } else { cut };
        let whole = format!("{stem}{between}{extension}");
        Self(whole.trim_end_matches(is_edge).to_owned())
    }
}

impl fmt::Display for SafeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What no name begins or ends with.
fn is_edge(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

/// The beginning of a text, with a stand-in for each character that hides, acts, or means something in a path.
fn cleaned(text: &str) -> String {
    let mut before = '\0';
    let clean = text.chars().take(8 * limits::FILE_NAME).map(|c| {
        // A joiner is a part of what is before it, or hides.
        let is_part = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}') && !before.is_ascii();
        let means = matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*');
        before = if (is_part || is_seen(c)) && !means { c } else { STAND_IN };
        before
    });
    clean.collect()
}

/// Whether a screen shows a character as it is.
fn is_seen(c: char) -> bool {
    let text = c.to_string();
    ScreenText::new(&text).as_str() == text
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |of: &str| {
        let rest = stem.strip_prefix(of).map(str::chars);
        rest.is_some_and(|mut rest| {
            rest.next().is_some_and(|c| c.is_ascii_digit()) && rest.next().is_none()
        })
    };
    RESERVED.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::files::FileName;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_harmless_stays() {
        for name in [
            "notes.pdf",
            "a",
            "\u{dc}bung 3 (neu).txt",
            "x..y",
            "archive.tar.gz",
            "\u{4e16}\u{754c}.txt",
            "\u{1f469}\u{200d}\u{1f4bb}.png",
            "console.log",
            "nul-terminated.c",
        ] {
            assert_eq!(SafeName::of(name).as_str(), name);
        }
    }

    #[test]
    fn what_leads_elsewhere_hides_or_acts_is_gone() {
        for (wire, name) in [
            ("", "file"),
            (" . ", "file"),
            ("..", "file"),
            ("/", "file"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\evil.exe", "evil.exe"),
            ("a/..", "a"),
            (".profile", "profile"),
            ("...x", "x"),
            ("-rf", "_rf"),
            ("a\0b\n", "a_b_"),
            ("\u{1b}[2J.txt", "_[2J.txt"),
            ("cod\u{202e}fdp.exe", "cod_fdp.exe"),
            ("\u{202e}.profile", "_.profile"),
            ("a\u{200b}b\u{200d}c", "a_b_c"),
            ("a:b|c?.txt", "a_b_c_.txt"),
            ("nul", "_nul"),
            ("Con.txt", "_Con.txt"),
            ("com7", "_com7"),
            ("com77", "com77"),
            ("name. . ", "name"),
        ] {
            assert_eq!(SafeName::of(wire).as_str(), name, "{wire:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let long = "\u{e9}".repeat(300);
        let name = SafeName::of(&format!("{long}.pdf"));
        assert!(name.as_str().len() <= limits::FILE_NAME && name.as_str().ends_with("\u{e9}.pdf"));
        let second = name.numbered(2);
        assert!(second.as_str().len() <= limits::FILE_NAME, "{second}");
        assert!(second.as_str().ends_with("\u{e9} (2).pdf"));
        assert_eq!(SafeName::of("notes").numbered(3).as_str(), "notes (3)");
        assert_eq!(SafeName::of("a.tar.gz").numbered(2).as_str(), "a.tar (2).gz");
        let endless = SafeName::of(&format!("a.{long}"));
        assert!(endless.as_str().len() <= limits::FILE_NAME);
    }

    proptest! {
        #[test]
        fn whatever_is_written_becomes_a_name_that_anybody_takes(
            wire in prop_oneof![
                any::<String>(),
                "[./\\\\ \u{202e}\u{200d}\u{301}a-\u{e9}:]{0,300}",
                "(CON|nul|Com1|lpt9)[. ]{0,2}[a-z]{0,3}",
            ],
            number in 2..u32::MAX,
        ) {
            let name = SafeName::of(&wire);
            for name in [&name, &name.numbered(number)] {
                let text = name.as_str();
                prop_assert!(FileName::parse(text).is_ok(), "{:?} of {:?}", text, wire);
                prop_assert!(!text.starts_with(['-', ' ']) && !text.ends_with(['.', ' ']), "{:?}", text);
                prop_assert!(!is_reserved(text), "{:?}", text);
            }
            prop_assert_eq!(SafeName::of(name.as_str()), name, "it stays as it is");
        }
    }
}
