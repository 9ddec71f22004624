//! Frames of a client: the strict reader that the server uses, and the writer that the client uses.

mod keys;
mod messages;
mod read;
mod write;

pub use keys::{ClientKeys, Known, Metas, Requests, Tags};
pub use messages::{CHUNK_BYTES, CHUNK_MESSAGES, Chunk, Messages};
pub use read::ClientFrame;
pub use write::{Offer, Said, join, join_with, say, say_tagged};
