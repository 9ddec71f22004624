//! Cases about capabilities (`docs/capabilities.md`): asked only of servers that claim them.

pub(super) mod accounts;
mod agreed;
mod blocking;
mod calling;
pub(super) mod commands;
pub(super) mod flood;
pub(super) mod ids;
mod membership;
pub(super) mod meta;
pub(super) mod moderation;
pub(super) mod negotiation;
pub(super) mod notices;
mod offers;
mod offline;
mod page;
pub(super) mod paging;
pub(super) mod ping;
pub(super) mod presence;
mod questions;
pub(super) mod recent;
pub(super) mod rename;
pub(super) mod resume;
pub(super) mod rooms;
pub(super) mod tags;
mod told;
pub(super) mod utf8;
pub(super) mod zstd;
