//! What a connection may have below its frames, and why a case that is about it does not apply where it has not.

use super::{hands::ServerHands, quirks::TlsGreeting};
use crate::verdict::Verdict;

/// Something below the frames that cases are about.
///
/// What is not here every connection has, a WebSocket too: frames in pieces, several in one write, lengths that are never
/// kept, ends of all kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// TLS.
    Tls,
    /// Four bytes in front of each frame, in an order that the server chooses.
    Length,
}

impl ServerHands {
    /// Whether this run has what a case is about.
    ///
    /// # Errors
    /// Not applicable, with the reason.
    pub fn has(&self, layer: Layer) -> Result<(), Verdict> {
        let websocket = self.shared.transport().websocket.is_some();
        let lacking = match layer {
            Layer::Tls if self.shared.greeting().tls != TlsGreeting::Off => None,
            Layer::Tls if websocket => {
                Some("the target is a WebSocket without TLS (ws://, not wss://)")
            }
            Layer::Tls => Some("the run was asked not to speak TLS (--tls off)"),
            Layer::Length => websocket.then_some(
                "a message of a WebSocket has its length in a header of RFC 6455, which leaves no choice",
            ),
        };
        lacking.map_or(Ok(()), |reason| Err(Verdict::not_applicable(reason)))
    }
}
