//! The capabilities beyond the base protocol, in miniature: a module for each.

pub(super) mod accounts;
pub(super) mod agreed;
mod blocking;
pub(super) mod commands;
mod counting;
mod devices;
mod extended;
pub(super) mod flood;
mod history;
pub(super) mod ids;
mod marks;
mod meta;
pub(super) mod moderation;
pub(super) mod notices;
pub(super) mod offer;
mod offline;
mod ping;
mod presence;
mod recent;
mod rename;
pub(super) mod resume;
pub(super) mod rooms;
pub(super) mod state;
mod times;
pub(super) mod utf8;
pub(super) mod zstd;
