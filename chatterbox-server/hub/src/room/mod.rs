//! What a room holds: what happened lately, and what is told to those who join.

pub(crate) mod history;
pub(crate) mod limits;
pub(crate) mod segment;
pub(crate) mod sources;
pub(crate) mod timeline;
