//! JSON on the wire: [`write`](self) is ASCII only and builds frames in place; the readers are bounded in depth.

pub(crate) mod read;
pub(crate) mod tree;
mod write;

pub use write::{LIST_SEPARATOR, Object, push_integer, push_string, push_value, string};
