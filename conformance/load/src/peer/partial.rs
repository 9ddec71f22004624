//! Cuts a stream into pieces that are whole, and keeps the beginning of the next one.

/// What a buffer has above this and does not use is given back: there are thousands of them.
const KEPT: usize = 1_024;

/// The beginning of a piece whose end has not come.
#[derive(Debug, Default)]
pub struct Partial {
    bytes: Vec<u8>,
}

impl Partial {
    /// Takes bytes. `take` is shown all that has not been used, takes the whole pieces at its
    /// beginning, and gives back how many bytes these were.
    ///
    /// Gives back how many bytes are kept. It grows with what comes and by nothing else, so the
    /// caller bounds it by giving up when the rest is longer than any piece.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8]) -> usize) -> usize {
        if self.bytes.is_empty() {
            let used = take(bytes);
            self.bytes.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            self.bytes.extend_from_slice(bytes);
            let used = take(&self.bytes).min(self.bytes.len());
            self.bytes.drain(..used);
        }
        if self.bytes.capacity() > KEPT {
            self.bytes.shrink_to(KEPT);
        }
        self.bytes.len()
    }

    /// Forgets what is kept.
    pub fn forget(&mut self) {
        self.bytes = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes pieces that end with a zero.
    fn cut(bytes: &[u8], pieces: &mut Vec<Vec<u8>>) -> usize {
        let mut used = 0;
        while let Some(end) = bytes[used..].iter().position(|byte| *byte == 0) {
            pieces.push(bytes[used..used + end].to_vec());
            used += end + 1;
        }
        used
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_pieces(
            stream in prop::collection::vec(0..4_u8, 0..300), step in 1..40_usize,
        ) {
            let mut expected = Vec::new();
            let whole = cut(&stream, &mut expected);
            let (mut partial, mut pieces, mut kept) = (Partial::default(), Vec::new(), 0);
            for chunk in stream.chunks(step) {
                kept = partial.feed(chunk, |bytes| cut(bytes, &mut pieces));
            }
            prop_assert_eq!(pieces, expected);
            prop_assert_eq!(kept, stream.len() - whole);
        }
    }
}
