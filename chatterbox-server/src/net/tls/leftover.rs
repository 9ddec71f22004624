//! Bytes that wait until somebody takes them.

/// Bytes that wait, the first of which may be taken already. Nearly always there are none, so they are a pointer.
#[derive(Debug, Default)]
pub(super) struct Leftover(Option<Box<Waiting>>);

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    taken: usize,
}

impl Leftover {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// What waits.
    pub(super) fn rest(&self) -> &[u8] {
        self.0.as_ref().and_then(|waiting| waiting.bytes.get(waiting.taken..)).unwrap_or_default()
    }

    /// Adds bytes behind those that wait.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            _ if bytes.is_empty() => {}
            Some(waiting) => waiting.bytes.extend_from_slice(bytes),
            None => self.0 = Some(Box::new(Waiting { bytes: bytes.to_vec(), taken: 0 })),
        }
    }

    /// The first so many were taken. Their memory is freed with the last.
    pub(super) fn take(&mut self, count: usize) {
        if let Some(waiting) = &mut self.0 {
            waiting.taken = waiting.taken.saturating_add(count);
            if waiting.taken >= waiting.bytes.len() {
                self.0 = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_in_their_order_and_leave_nothing() {
        let mut leftover = Leftover::default();
        leftover.push(b"");
        assert!(leftover.is_empty());
        leftover.push(b"abc");
        leftover.take(2);
        leftover.push(b"de");
        assert_eq!(leftover.rest(), b"cde");
        leftover.take(3);
        assert!(leftover.is_empty());
        assert_eq!(leftover.rest(), b"");
        leftover.take(1);
        leftover.push(b"f");
        assert_eq!(leftover.rest(), b"f");
    }
}
