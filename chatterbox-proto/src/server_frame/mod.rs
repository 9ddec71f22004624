//! Frames of a server: the writer that the server uses, and the lenient reader that the client uses.

mod deviation;
mod keys;
mod read;
mod write;

pub use deviation::{Deviation, Deviations};
pub use keys::ServerKeys;
pub use read::ServerFrame;
pub use write::{error, error_object, refused, refused_with_code};
