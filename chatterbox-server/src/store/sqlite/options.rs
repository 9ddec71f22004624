//! The options of a database: its place, its durability, its bounds.

use std::path::PathBuf;

use crate::store::sqlite::retention::Retention;

/// The kind of failure that a committed message survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, kill -9 included.
    #[default]
    Process,
    /// A power cut as well: every commit waits for the disk.
    Power,
}

/// The place of a database, and how messages are kept in it.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The folder of the database; created if it is missing.
    pub folder: PathBuf,
    /// The kind of failure that a committed message survives.
    pub durability: Durability,
    /// The bounds of its messages.
    pub retention: Retention,
}
