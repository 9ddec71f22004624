//! The stores of messages and accounts, in memory or in SQLite.

mod backlog;
#[cfg(test)]
mod contract;
mod memory;
mod page;
pub mod sqlite;

pub use backlog::{Backlog, BacklogError};
pub use memory::{Memory, MemoryDirectory};
pub use page::{Page, PageQuery};
pub use sqlite::{Sqlite, SqliteDirectory};
