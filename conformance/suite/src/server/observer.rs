//! Judges every frame of a server: violations of the invariants are charged to the case that saw them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use conformance_kit::wire::{decoder::Body, frame::Frame, prefix::Prefix};

use super::shared::Shared;
use crate::{connection::Observer, invariants::Invariant};

/// Reads for one connection of a case.
pub(super) struct ServerObserver {
    pub(super) shared: Arc<Shared>,
    pub(super) case: &'static str,
    /// Whether the invariants apply: they don't where the suite spoke no TLS and the answer may be
    /// an alert instead of a frame.
    pub(super) judged: bool,
    /// Whether more than the base protocol was offered on this connection.
    pub(super) extended: Arc<AtomicBool>,
}

impl Observer for ServerObserver {
    const PEER: &'static str = "server";
    const BROKE: &'static str = "the connection broke";
    const MOST_BYTES: usize = 96 * 1024 * 1024;
    const BUFFER: usize = 64 * 1024;

    fn patience(&self) -> Duration {
        self.shared.timing().patience
    }

    fn prefix(&self) -> Option<Prefix> {
        Some(self.shared.quirks().sends)
    }

    fn frame(&self, body: Body) -> Frame {
        let at = self.shared.clock.elapsed();
        // On other connections a compressed body is what it is: no JSON.
        let frame = if self.extended.load(Ordering::Relaxed) {
            Frame::read_packed(at, body)
        } else {
            Frame::read(at, body)
        };
        if self.judged && self.shared.counts() {
            self.shared.invariants.look(self.case, &frame);
            if !self.extended.load(Ordering::Relaxed) {
                self.shared.invariants.look_for_unknown_keys(&frame);
            }
        }
        frame
    }

    fn absurd(&self, length: u32) -> String {
        let what = format!("a frame announces {length} bytes{}", likeness(length));
        if self.judged && self.shared.counts() {
            self.shared.invariants.charge(Invariant::Length, self.case, &what);
        }
        what
    }
}

/// Guesses what four bytes are that are no sensible length.
const fn likeness(length: u32) -> &'static str {
    match length.to_be_bytes() {
        [0x14..=0x17, 3, ..] => " (which is how TLS begins: does the server speak it after all?)",
        [b'H', b'T', b'T', b'P'] => " (which is how a web server answers)",
        [b'{', ..] => " (which is how JSON begins: is the length missing?)",
        _ => "",
    }
}
