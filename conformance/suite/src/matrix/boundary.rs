//! Where the frames of a stream end, by the lengths that they announce.

use conformance_kit::wire::prefix::Prefix;

/// Follows one direction of a connection.
#[derive(Debug)]
pub(super) struct Boundary {
    prefix: Prefix,
    /// The part of a length that has come.
    head: Vec<u8>,
    /// How many bytes of the body are still to come.
    missing: usize,
}

impl Boundary {
    /// At the beginning of a stream.
    pub(super) const fn new(prefix: Prefix) -> Self {
        Self { prefix, head: Vec::new(), missing: 0 }
    }

    /// Whether a frame has begun and not ended.
    pub(super) const fn is_inside(&self) -> bool {
        self.missing > 0 || !self.head.is_empty()
    }

    /// Takes bytes up to the end of the frame that is under way, and says how many these were.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if self.missing == 0 {
            let lacking = 4_usize.saturating_sub(self.head.len());
            taken = lacking.min(bytes.len());
            self.head.extend(bytes.iter().take(taken));
            let Some(head) = self.head.first_chunk::<4>() else { return taken };
            self.missing = usize::try_from(self.prefix.decode(*head)).unwrap_or(usize::MAX);
            self.head.clear();
        }
        let body = self.missing.min(bytes.len() - taken);
        self.missing -= body;
        taken + body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_end_where_they_say_however_they_come() {
        let frames =
            [&br#"{"A": 1}"#[..], b"{}", b"", b"[1, 2]"].map(|body| Prefix::NETWORK.frame(body));
        let stream = frames.concat();
        for size in 1..=stream.len() {
            let mut boundary = Boundary::new(Prefix::NETWORK);
            let (mut ends, mut at) = (Vec::new(), 0);
            for mut piece in stream.chunks(size) {
                while !piece.is_empty() {
                    let taken = boundary.take(piece);
                    assert!(taken > 0);
                    at += taken;
                    piece = &piece[taken..];
                    if !boundary.is_inside() {
                        ends.push(at);
                    }
                }
            }
            assert_eq!(ends, [12, 18, 22, 32], "in pieces of {size}");
        }
    }
}
