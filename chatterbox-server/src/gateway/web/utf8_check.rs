//! Whether a text that comes in pieces is UTF-8.

/// Checks a text that comes in pieces. Of a character that is cut, its first bytes wait for the next piece.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    begun: [u8; 4],
    length: usize,
}

impl Utf8Check {
    /// Whether the text may go on so.
    pub(super) fn is_valid(&mut self, mut piece: &[u8]) -> bool {
        while self.length > 0 {
            let Some((&next, rest)) = piece.split_first() else { return true };
            let Some(place) = self.begun.get_mut(self.length) else { return false };
            *place = next;
            self.length += 1;
            piece = rest;
            match std::str::from_utf8(self.begun.get(..self.length).unwrap_or_default()) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        let Err(error) = std::str::from_utf8(piece) else { return true };
        if error.error_len().is_some() {
            return false;
        }
        let rest = piece.get(error.valid_up_to()..).unwrap_or_default();
        let Some(begun) = self.begun.get_mut(..rest.len()) else { return false };
        begun.copy_from_slice(rest);
        self.length = rest.len();
        true
    }

    /// Whether the text may end here; the next one begins.
    pub(super) fn ends(&mut self) -> bool {
        std::mem::take(&mut self.length) == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8], pieces: usize) -> bool {
        let mut check = Utf8Check::default();
        bytes.chunks(pieces).all(|piece| check.is_valid(piece)) && check.ends()
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            text in ".{0,20}",
            broken in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
            pieces in 1..6usize,
        ) {
            let mut bytes = text.into_bytes();
            if let Some((place, byte)) = broken && !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            prop_assert_eq!(whole(&bytes, pieces), std::str::from_utf8(&bytes).is_ok());
        }
    }

    #[test]
    fn a_text_that_ends_in_a_character_is_none() {
        let smile = "😀".as_bytes();
        for cut in 1..4 {
            assert!(!whole(&smile[..cut], 1), "{cut}");
        }
        assert!(whole(smile, 1));
        // A surrogate, and one that is too long for its character.
        assert!(!whole(&[0xed, 0xa0, 0x80], 1));
        assert!(!whole(&[0xc0, 0x80], 1));
    }
}
