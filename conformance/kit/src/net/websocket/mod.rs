//! The client's side of WebSocket (RFC 6455), as a stream of frames: what a case writes and reads is the protocol of
//! `docs/protocol.md`, and what goes over the connection is one text message for each frame, without its length.
//!
//! A library would hand over whole messages, so that half a frame, a length that arrives in two pieces or one that
//! announces 4 GiB could not be sent at all. Here the header of a message goes out as soon as the length in front of the
//! frame is known, its first byte even with the first byte of that length, and the body follows as it is written.

mod close;
mod decode;
mod encode;
mod header;
mod stream;
mod text;
mod upgrade;

pub use close::Close;
pub use decode::{Control, Decoder, Violation};
pub use encode::Encoder;
pub use stream::WebSocket;
pub use upgrade::{Endpoint, UpgradeError, upgrade};
