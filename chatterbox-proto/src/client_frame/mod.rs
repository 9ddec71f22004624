//! Frames of a client: the strict reader that the server uses, and the writer that the client uses.

mod keys;
mod read;
mod write;

pub use keys::{ClientKeys, Known, Requests, Tags};
pub use read::{ClientFrame, Messages};
pub use write::{Offer, join, join_with, say, say_tagged};
