//! Messages and accounts in one SQLite database.

mod account_changes;
mod accounts;
mod backup;
mod database;
mod error;
mod messages;
mod migrate;
mod options;
mod pages;
mod place;
mod retention;
mod row;
mod stored;
mod writer;

pub use accounts::Sqlite as SqliteDirectory;
pub use backup::{CopyError, backup, export};
pub use error::OpenError;
pub use messages::Sqlite;
pub use options::{Durability, SqliteOptions};
pub use place::{Missing, Place, exists};
pub use retention::Retention;
