//! The codec of `zstd/1`: compresses the bodies of frames, and inflates them within bounds (`docs/capabilities.md`, ZS-1 to
//! ZS-4).
//!
//! It is a package of its own since libzstd is C: [`chatterbox_proto`] reads the header of a compressed body, and builds where
//! there is no C compiler. Nothing here does I/O or knows what is in a frame; who may be sent a compressed one, and what must not
//! be compressed, is decided by those who call it.

mod codec;
mod stream;

pub use codec::Codec;
pub use stream::Stream;
