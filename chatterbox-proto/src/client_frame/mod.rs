//! What a client says: the strict reader of the server, and the writer of the client.

mod keys;
mod read;
mod write;

pub use keys::{ClientKeys, Known, Requests, Tags};
pub use read::{ClientFrame, Messages};
pub use write::{Offer, join, join_with, say, say_tagged};
