//! Messages and accounts in one SQLite database.

mod account_changes;
mod accounts;
mod backup;
mod database;
mod error;
mod ever_seen;
mod export;
mod messages;
mod migrate;
mod options;
mod pages;
mod place;
mod removed;
mod retention;
mod rooms;
mod row;
mod stored;
mod stored_rooms;
mod writer;

pub use accounts::Sqlite as SqliteDirectory;
pub use backup::{CopyError, backup};
pub use error::OpenError;
pub use export::export;
pub use messages::Sqlite;
pub use options::{Durability, SqliteOptions};
pub use place::{Missing, Place, exists};
pub use retention::Retention;
