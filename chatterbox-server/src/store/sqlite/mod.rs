//! Messages and accounts in one SQLite database.

mod accounts;
mod backlog;
mod backup;
mod database;
mod pages;
mod retention;
mod writer;

pub use accounts::Sqlite as SqliteDirectory;
pub use backlog::{Durability, Sqlite, SqliteOptions};
pub use backup::{CopyError, backup, export};
pub use database::OpenError;
pub use retention::Retention;
