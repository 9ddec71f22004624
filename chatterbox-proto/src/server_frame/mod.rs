//! Frames of a server: the writer that the server uses, and the lenient reader that the client uses.

mod deviation;
mod element;
mod frame;
mod keys;
mod list;
mod read;
mod write;

pub use deviation::{Deviation, Deviations};
pub use element::{Element, IdElement, MessageElement, MetaElement, NameElement, TimeElement};
pub use frame::ServerFrame;
pub use keys::ServerKeys;
pub use list::{Entries, Ids, List, Metas, Names, Times};
pub use read::LazyFrame;
pub use write::{closed, error, error_object, refused, refused_with};
