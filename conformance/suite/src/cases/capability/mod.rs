//! Cases about capabilities (`docs/capabilities.md`): asked only of servers that claim them.

pub(super) mod accounts;
mod agreed;
mod blocking;
mod calling;
pub(super) mod commands;
pub(super) mod ids;
pub(super) mod negotiation;
mod offers;
pub(super) mod paging;
pub(super) mod ping;
mod questions;
pub(super) mod rename;
pub(super) mod resume;
pub(super) mod tags;
pub(super) mod utf8;
