//! The stores of messages and accounts, in memory or in SQLite.

#[cfg(test)]
mod contract;
mod followed;
mod kept_rooms;
mod memory;
mod message_store;
mod page;
pub mod sqlite;
mod store_commands;

pub use followed::Followed;
pub use memory::{Memory, MemoryDirectory, MemoryModeration};
pub use message_store::{Store, StoreError};
pub use page::{Page, PageQuery};
pub use sqlite::{Sqlite, SqliteDirectory, SqliteModeration};
pub use store_commands::{NotDecided, Proposer, StoreCommands};
