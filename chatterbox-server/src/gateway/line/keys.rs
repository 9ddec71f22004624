//! Keys: what bytes of a terminal mean, whatever the pieces in which they come.
//!
//! A line ends with CR NUL, CR LF or LF. An escape sequence is a key that is known, or passed over as a whole. Bytes that are no
//! UTF-8 become U+FFFD, and control characters that mean nothing here are left out: nothing that acts on a terminal gets into a text.

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A character.
    Char(char),
    /// The end of a line.
    Enter,
    /// Rub out the character before the cursor.
    Backspace,
    /// Rub out the character behind the cursor.
    Delete,
    /// Rub out the word before the cursor.
    WordBackspace,
    /// Rub out what is before the cursor.
    KillToStart,
    /// Rub out what is behind the cursor.
    KillToEnd,
    /// Go back a character.
    Left,
    /// Go on a character.
    Right,
    /// Go to the beginning.
    Home,
    /// Go to the end.
    End,
    /// The line that was typed before.
    Earlier,
    /// The line that was typed after that.
    Later,
    /// Complete the word.
    Tab,
    /// Take everything back.
    Cancel,
    /// The end of the input, if nothing is typed.
    Leave,
    /// Draw the line again.
    Redraw,
}

/// The place in an escape sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Escape {
    #[default]
    No,
    /// Behind ESC.
    Begun,
    /// In a sequence that ends with its first letter; its number so far.
    Sequence(u16),
    /// Behind ESC O.
    Single,
}

/// Makes keys of bytes.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    escape: Escape,
    /// Whether the last byte was a CR: an LF or NUL behind it belongs to it.
    after_return: bool,
    /// The bytes of a character that is not complete.
    partial: [u8; 4],
    length: usize,
}

impl Keys {
    /// Takes the next byte, and gives the keys that it completes to `key`: at most four.
    pub(crate) fn push(&mut self, byte: u8, mut key: impl FnMut(Key)) {
        let after_return = std::mem::take(&mut self.after_return);
        if after_return && matches!(byte, b'\n' | 0) {
            return;
        }
        match self.escape {
            Escape::No => {}
            _ => return self.escaped(byte, key),
        }
        if self.length > 0 || byte >= 0x80 {
            return self.part(byte, key);
        }
        match byte {
            b'\r' => {
                self.after_return = true;
                key(Key::Enter);
            }
            0x1b => self.escape = Escape::Begun,
            byte => {
                if let Some(known) = control(byte) {
                    key(known);
                } else if !byte.is_ascii_control() {
                    key(Key::Char(char::from(byte)));
                }
            }
        }
    }

    /// The next byte of an escape sequence.
    fn escaped(&mut self, byte: u8, mut key: impl FnMut(Key)) {
        // A line end or another sequence ends one that is broken.
        if matches!(byte, b'\r' | b'\n' | 0x1b | 3) {
            self.escape = Escape::No;
            return self.push(byte, key);
        }
        self.escape = match (self.escape, byte) {
            (Escape::Begun, b'[') => Escape::Sequence(0),
            (Escape::Begun, b'O') => Escape::Single,
            (Escape::Sequence(number), b'0'..=b'9') => {
                Escape::Sequence(number.saturating_mul(10).saturating_add(u16::from(byte - b'0')))
            }
            (Escape::Sequence(_), 0x20..=0x3f) => Escape::Sequence(0),
            (Escape::Sequence(number), byte) => {
                if let Some(known) = sequence(number, byte) {
                    key(known);
                }
                Escape::No
            }
            (Escape::Single, byte) => {
                if let Some(known) = sequence(0, byte) {
                    key(known);
                }
                Escape::No
            }
            _ => Escape::No,
        };
    }

    /// The next byte of a character of several bytes.
    fn part(&mut self, byte: u8, mut key: impl FnMut(Key)) {
        if let Some(place) = self.partial.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
        let got = self.partial.get(..self.length).unwrap_or_default();
        match std::str::from_utf8(got) {
            Ok(text) => {
                // Those of C1 act on some terminals.
                text.chars().filter(|c| !c.is_control()).for_each(|c| key(Key::Char(c)));
                self.length = 0;
            }
            // More of it is to come.
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                key(Key::Char(char::REPLACEMENT_CHARACTER));
                let last = if self.length > 1 { Some(byte) } else { None };
                self.length = 0;
                // What breaks a character may begin the next one.
                if let Some(byte) = last {
                    self.push(byte, key);
                }
            }
        }
    }
}

fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Cancel,
        0x04 => Key::Leave,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x08 | 0x7f => Key::Backspace,
        0x0b => Key::KillToEnd,
        0x0c | 0x12 => Key::Redraw,
        0x0e => Key::Later,
        0x10 => Key::Earlier,
        0x15 => Key::KillToStart,
        0x17 => Key::WordBackspace,
        _ => return None,
    })
}

/// The key of an escape sequence, by its number and its last letter.
fn sequence(number: u16, last: u8) -> Option<Key> {
    Some(match (number, last) {
        (_, b'A') => Key::Earlier,
        (_, b'B') => Key::Later,
        (_, b'C') => Key::Right,
        (_, b'D') => Key::Left,
        (_, b'H') | (1 | 7, b'~') => Key::Home,
        (_, b'F') | (4 | 8, b'~') => Key::End,
        (3, b'~') => Key::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let (mut keys, mut got) = (Keys::default(), Vec::new());
        for byte in bytes {
            keys.push(*byte, |key| got.push(key));
        }
        got
    }

    fn text(bytes: &[u8]) -> String {
        let shown = |key| match key {
            Key::Char(c) => c,
            Key::Enter => '\n',
            _ => '?',
        };
        keys(bytes).into_iter().map(shown).collect()
    }

    #[test]
    fn b8_each_way_to_end_a_line_is_one_end() {
        assert_eq!(text(b"one\r\ntwo\r\0three\nfour\rfive\n\n"), "one\ntwo\nthree\nfour\nfive\n\n");
        assert_eq!(text(b"\r\r\n\n"), "\n\n\n");
    }

    #[test]
    fn what_is_no_utf_8_is_seen_as_such() {
        for (bytes, shown) in [
            (&b"caf\xc3\xa9"[..], "café"),
            (b"\xe4\xb8\x96\xf0\x9f\x91\xa9", "世👩"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"\xc3x", "\u{fffd}x"),
            (b"\xe4\xb8\xc3\xa9", "\u{fffd}é"),
            (b"\xe4\xb8\r\n", "\u{fffd}\n"),
            // A surrogate, and a character that is written too long.
            (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
            // CSI as one character.
            (b"\xc2\x9b2J", "2J"),
        ] {
            assert_eq!(text(bytes), shown, "{bytes:?}");
        }
    }

    #[test]
    fn sequences_are_keys_or_nothing() {
        assert_eq!(
            keys(b"\x1b[A\x1bOB\x1b[3~\x1b[1;5C"),
            [Key::Earlier, Key::Later, Key::Delete, Key::Right]
        );
        assert_eq!(text(b"a\x1b[2Jb\x1b]0;x\x07c\x1b[200~d"), "ab0;xcd");
        assert_eq!(text(b"\x1b[12\r\nx"), "\nx");
        assert_eq!(
            keys(b"\x03\x04\x15\x17\x7f\x08"),
            [
                Key::Cancel,
                Key::Leave,
                Key::KillToStart,
                Key::WordBackspace,
                Key::Backspace,
                Key::Backspace
            ]
        );
        assert_eq!(keys(b"\x07\x1c\0"), []);
    }

    proptest! {
        #[test]
        fn no_control_character_is_ever_typed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for key in keys(&bytes) {
                if let Key::Char(c) = key {
                    prop_assert!(!c.is_control());
                }
            }
        }

        #[test]
        fn text_comes_as_it_is(typed in "[^\\p{Cc}]{0,40}") {
            prop_assert_eq!(text(typed.as_bytes()), typed);
        }
    }
}
