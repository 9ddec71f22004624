//! What goes beyond the base protocol, in miniature: a module for each part of it.

mod history;
pub(super) mod ids;
pub(super) mod offer;
mod ping;
pub(super) mod resume;
pub(super) mod utf8;
