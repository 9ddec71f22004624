//! Bytes of one connection to bodies, with everything that can go wrong on the way.

use conformance_suite::fault::Fault;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{faults::Faults, outbox::prefix};

/// One piece of what a connection receives.
#[derive(Debug)]
pub(super) enum Incoming {
    Body(Vec<u8>),
    /// Longer than what is taken.
    TooLong(u32),
    /// The end; whether it was one that this mutant notices.
    Closed {
        noticed: bool,
    },
}

/// The receiving end of a connection.
pub(super) struct Inbox<S> {
    stream: S,
    buffer: Vec<u8>,
    faults: Faults,
    taken_from_this_read: usize,
    reads_of_this_frame: usize,
    /// What comes from now on is thrown away.
    deaf: bool,
}

impl<S: AsyncRead + Unpin> Inbox<S> {
    pub(super) const fn new(stream: S, faults: Faults) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            faults,
            taken_from_this_read: 0,
            reads_of_this_frame: 0,
            deaf: false,
        }
    }

    /// Whether a frame has begun and is not complete.
    pub(super) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Takes a complete frame out of the buffer.
    pub(super) fn take(&mut self) -> Option<Incoming> {
        let f = self.faults.clone();
        let glued = self.taken_from_this_read > 0 && !self.buffer.is_empty();
        if glued && f.acts(Fault::SecondFrameWaits) {
            return None;
        }
        if glued && f.acts(Fault::SecondFrameDropped) {
            self.buffer.clear();
            return None;
        }
        if f.has(Fault::SearchesForBrace) {
            let brace = self.buffer.iter().position(|byte| *byte == b'{');
            if brace.is_some_and(|at| at != 4) && f.acts(Fault::SearchesForBrace) {
                self.buffer.clear();
                return None;
            }
        }
        let Some((head, rest)) = self.buffer.split_first_chunk::<4>() else {
            if !self.buffer.is_empty() && f.acts(Fault::SplitHeaderRaises) {
                return Some(Incoming::Closed { noticed: true });
            }
            return self.drop_tail();
        };
        let announced = prefix(&f).decode(*head);
        let length = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > 1 << 30 && f.acts(Fault::HugeLengthAwaited) {
            return None;
        }
        if length > limit(&f) {
            for fault in LIMITS {
                let _ = f.acts(*fault);
            }
            return Some(Incoming::TooLong(announced));
        }
        if rest.len() < length {
            let slow = self.reads_of_this_frame > 3 && f.acts(Fault::ThreeReadsAtMost);
            if slow || f.acts(Fault::OneReadOneBody) {
                let body = rest.to_vec();
                self.buffer.clear();
                return Some(Incoming::Body(body));
            }
            return self.drop_tail();
        }
        let body = rest.get(..length).unwrap_or_default().to_vec();
        self.buffer.drain(..length + 4);
        self.taken_from_this_read += 1;
        if self.taken_from_this_read > 1 && f.acts(Fault::DeafAfterGlue) {
            self.deaf = true;
        }
        self.reads_of_this_frame = 0;
        Some(Incoming::Body(body))
    }

    fn drop_tail(&mut self) -> Option<Incoming> {
        if self.taken_from_this_read > 0
            && !self.buffer.is_empty()
            && self.faults.acts(Fault::TailDropped)
        {
            self.buffer.clear();
        }
        None
    }

    /// Reads once; `Some` at the end of the connection.
    pub(super) async fn read(&mut self) -> Option<Incoming> {
        let mut piece = vec![0; 64 * 1024];
        self.taken_from_this_read = 0;
        self.reads_of_this_frame += 1;
        match self.stream.read(&mut piece).await {
            Ok(0) => Some(Incoming::Closed { noticed: true }),
            Ok(count) => {
                if !self.deaf {
                    self.buffer.extend(piece.drain(..count));
                }
                None
            }
            Err(error) => {
                let fin = error.kind() == std::io::ErrorKind::UnexpectedEof;
                let missed = if fin { Fault::BareFinUnnoticed } else { Fault::ResetUnnoticed };
                Some(Incoming::Closed { noticed: !self.faults.acts(missed) })
            }
        }
    }
}

const LIMITS: &[Fault] =
    &[Fault::CutsAt16KiB, Fault::CutsAt64KiB, Fault::CutsAt512KiB, Fault::NothingAbove3MiB];

/// The longest body that is taken.
pub(super) fn limit(f: &Faults) -> usize {
    let sizes = [16 * 1024, 64 * 1024, 512 * 1024, 3 * 1024 * 1024];
    let chosen = LIMITS.iter().zip(sizes).find(|(fault, _)| f.has(**fault));
    chosen.map_or(20 * 1024 * 1024, |(_, size)| size)
}

/// Whether brackets are nested beyond what anybody means.
pub(super) fn is_deep(body: &[u8]) -> bool {
    let mut depth = 0_usize;
    body.iter().any(|byte| {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 5_000
    })
}
