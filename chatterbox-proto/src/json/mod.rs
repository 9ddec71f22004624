//! JSON on the wire: an ASCII-only writer that builds frames in place, and readers that are bounded in depth and size.

pub(crate) mod read;
pub(crate) mod tree;
mod write;

pub use write::{
    LIST_SEPARATOR, Object, push_escaped, push_integer, push_string, push_value, string,
};
