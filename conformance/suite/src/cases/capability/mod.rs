//! Cases about capabilities (`docs/capabilities.md`): asked only of servers that claim them.

pub mod accounts;
mod agreed;
mod blocking;
mod calling;
pub mod commands;
pub mod ids;
pub mod negotiation;
mod offers;
pub mod paging;
pub mod ping;
mod questions;
pub mod rename;
pub mod resume;
pub mod tags;
pub mod utf8;
