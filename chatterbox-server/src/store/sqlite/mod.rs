//! Messages and accounts in one SQLite database.

mod account_changes;
mod accounts;
mod audit;
mod backup;
mod database;
mod error;
mod ever_seen;
mod export;
mod extent;
mod followed;
mod messages;
mod migrate;
mod moderation;
mod options;
mod pages;
mod place;
mod removed;
mod reports;
mod retention;
mod rooms;
mod row;
mod sanctions;
mod stored;
mod stored_rooms;
mod writer;

pub use accounts::Sqlite as SqliteDirectory;
pub use backup::{CopyError, backup};
pub use error::OpenError;
pub use export::export;
pub use extent::{Extent, extent};
pub use followed::cluster_of;
pub use messages::Sqlite;
pub use moderation::Sqlite as SqliteModeration;
pub use options::{Durability, SqliteOptions};
pub use place::{Missing, Place, exists};
pub use retention::Retention;
