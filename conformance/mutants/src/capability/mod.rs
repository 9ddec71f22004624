//! The capabilities beyond the base protocol, in miniature: a module for each.

pub(super) mod accounts;
pub(super) mod agreed;
mod blocking;
pub(super) mod commands;
mod extended;
mod history;
pub(super) mod ids;
pub(super) mod offer;
mod ping;
mod rename;
pub(super) mod resume;
pub(super) mod state;
pub(super) mod utf8;
