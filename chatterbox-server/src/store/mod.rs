//! The stores of messages and accounts, in memory or in SQLite.

#[cfg(test)]
mod contract;
#[cfg(test)]
pub(crate) mod failing;
mod followed;
mod kept_rooms;
mod memory;
mod message_store;
mod page;
mod shared;
pub mod sqlite;
mod store_commands;

pub use followed::Followed;
pub use memory::{Memory, MemoryDirectory, MemoryModeration};
pub use message_store::{Store, StoreError};
pub use page::{Page, PageQuery};
pub use shared::{SharedDirectory, SharedFiles, SharedModeration, SharedStores};
pub use sqlite::{Sqlite, SqliteDirectory, SqliteFiles, SqliteModeration};
pub use store_commands::{NotDecided, Proposer, StoreCommands};
