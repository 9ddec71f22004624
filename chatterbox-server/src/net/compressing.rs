//! Compressed frames for those who agreed to `zstd` (ZS-1 to ZS-4).
//!
//! Batches are compressed once for all their receivers, by [`crate::net::outbound`]. A welcome is each receiver's own: it is compressed a
//! piece at a time, where there is time and memory for it, and goes as it is otherwise.

use bytes::{Buf as _, Bytes};
use chatterbox_proto::capability::utf8;
use chatterbox_proto::limits::PREFIX;
use chatterbox_zstd::{Codec, Stream};
use tokio::sync::Semaphore;

use crate::chat::handle::Seat;

/// So many welcomes are compressed at the same time: each takes up to 4 MiB while it is. Who comes then is not kept waiting, and gets
/// a plain one.
const AT_ONCE: usize = 4;

/// So many bytes are compressed in one step, which takes a quarter of a millisecond. Others go on in between.
const STEP: usize = 64 * 1024;

/// Compresses and inflates frames.
#[derive(Debug)]
pub struct Compressing {
    pub(super) codec: Codec,
    welcomes: Semaphore,
}

impl Default for Compressing {
    fn default() -> Self {
        Self { codec: Codec::new(), welcomes: Semaphore::new(AT_ONCE) }
    }
}

impl Compressing {
    /// Compresses a welcome, given as the pieces of one frame. `None` where that is not worth it, or memory or time is short; the
    /// pieces are sent as they are then.
    pub(super) async fn welcome(
        &self,
        seat: &Seat,
        pieces: &[Bytes],
        is_escaped: bool,
    ) -> Option<Vec<Bytes>> {
        let length = pieces.first()?.first_chunk::<PREFIX>()?;
        let plain = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let _place = self.welcomes.try_acquire().ok()?;
        // What comes of it is shorter, or thrown away.
        let before = seat.reserve_spare(plain)?;
        let compressed = compressed(pieces, plain, is_escaped).await;
        let bytes = |pieces: &Vec<Bytes>| pieces.iter().map(Bytes::len).sum();
        seat.welcome_takes(compressed.as_ref().map_or(before, bytes));
        compressed
    }
}

/// A frame of so many bytes behind its length, given in pieces, as a compressed one.
async fn compressed(pieces: &[Bytes], plain: usize, is_escaped: bool) -> Option<Vec<Bytes>> {
    let mut stream = Stream::begin(plain)?;
    let mut since_yield = 0;
    for (number, piece) in pieces.iter().enumerate() {
        let mut rest = piece.clone();
        rest.advance(if number == 0 { PREFIX } else { 0 });
        while !rest.is_empty() {
            let before = rest.len();
            if is_escaped {
                let (unescaped, used) = utf8::unescaped_part(&rest, STEP);
                stream.push(&unescaped).ok()?;
                rest.advance(used);
            } else {
                let step = rest.split_to(rest.len().min(STEP));
                stream.push(&step).ok()?;
            }
            since_yield += before - rest.len();
            if since_yield >= STEP {
                since_yield = 0;
                // What does not shrink is not made longer and longer.
                if !stream.is_worth_it() {
                    return None;
                }
                tokio::task::yield_now().await;
            }
        }
    }
    stream.finish()
}
