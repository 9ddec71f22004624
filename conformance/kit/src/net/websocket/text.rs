//! Whether bytes that come in pieces are UTF-8.

/// The longest character.
const LONGEST: usize = 4;

/// Checks a text piece by piece.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The beginning of a character that is not complete.
    unfinished: Vec<u8>,
}

impl Text {
    /// Takes the next bytes; false when the text is none with them.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> bool {
        while !self.unfinished.is_empty() {
            let Some((next, rest)) = bytes.split_first() else { return true };
            self.unfinished.push(*next);
            bytes = rest;
            match std::str::from_utf8(&self.unfinished) {
                Ok(_) => self.unfinished.clear(),
                Err(error) if error.error_len().is_none() && self.unfinished.len() < LONGEST => {}
                Err(_) => return false,
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                self.unfinished.extend(bytes.iter().skip(error.valid_up_to()));
                true
            }
            Err(_) => false,
        }
    }

    /// Ends the text; false when a character is cut in two.
    pub(super) fn end(&mut self) -> bool {
        let whole = self.unfinished.is_empty();
        self.unfinished.clear();
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_text(bytes: &[u8], size: usize) -> bool {
        let mut text = Text::default();
        bytes.chunks(size).all(|piece| text.take(piece)) && text.end()
    }

    #[test]
    fn pieces_are_judged_as_the_whole() {
        let samples: [&[u8]; 9] = [
            b"",
            "aé漢😀z".as_bytes(),
            b"\xFF",
            b"a\xC3",
            b"\xC3a",
            b"\xF0\x9F\x98",
            b"\xED\xA0\x80",
            b"\xF4\x90\x80\x80",
            b"\xC0\x80",
        ];
        for bytes in samples {
            for size in 1..=bytes.len().max(1) {
                let whole = std::str::from_utf8(bytes).is_ok();
                assert_eq!(is_text(bytes, size), whole, "{bytes:?} in pieces of {size}");
            }
        }
    }
}
