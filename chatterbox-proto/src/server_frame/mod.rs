//! What a server says: the writer of the server, and the lenient reader of the client.

mod deviation;
mod keys;
mod read;
mod write;

pub use deviation::{Deviation, Deviations};
pub use keys::ServerKeys;
pub use read::ServerFrame;
pub use write::{error, error_object, refused, refused_with_code};
