//! Judges every frame of a client: violations of the invariants are charged to the case that saw them.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use conformance_kit::wire::{decoder::Body, frame::Frame, prefix::Prefix, recognise::first_frame};

use super::shared::Shared;
use crate::{connection::Observer, invariants::Invariant};

/// Reads for one connection of a case.
pub(super) struct ClientObserver {
    pub(super) shared: Arc<Shared>,
    pub(super) case: &'static str,
    /// How the length of the first frame was written, when that was not known before.
    pub(super) dialect: Arc<OnceLock<Prefix>>,
}

impl Observer for ClientObserver {
    const PEER: &'static str = "client";
    const BROKE: &'static str = "the connection ended";
    const MOST_BYTES: usize = 16 * 1024 * 1024;
    const BUFFER: usize = 16 * 1024;

    fn patience(&self) -> Duration {
        self.shared.pace().patience
    }

    fn prefix(&self) -> Option<Prefix> {
        self.shared.quirks().prefix
    }

    fn recognise(&self, bytes: &[u8]) -> Prefix {
        let found = recognise(bytes);
        let _ = self.dialect.set(found);
        found
    }

    fn frame(&self, body: Body) -> Frame {
        let frame = Frame::read(self.shared.clock.elapsed(), body);
        self.shared.invariants.look(self.case, &frame);
        frame
    }

    fn absurd(&self, length: u32) -> String {
        let what = format!("a frame announces {length} bytes");
        self.shared.invariants.charge(Invariant::Length, self.case, &what);
        what
    }
}

/// How the length in front of a first frame was written.
fn recognise(bytes: &[u8]) -> Prefix {
    first_frame(bytes).and_then(|first| first.prefix).unwrap_or(Prefix::NETWORK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_recognised() {
        for prefix in Prefix::ALL {
            assert_eq!(recognise(&prefix.frame(br#"{"USERNAME": "ann"} "#)), prefix);
        }
        assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Prefix::NETWORK);
        assert_eq!(recognise(b"\0\0"), Prefix::NETWORK);
    }
}
