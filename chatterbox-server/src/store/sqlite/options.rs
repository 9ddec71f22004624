//! The options of a database: its place, its durability, its bounds.

use std::path::PathBuf;

use crate::store::sqlite::retention::Retention;

/// What a committed message survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, kill -9 included.
    #[default]
    Process,
    /// A power cut as well: every group waits for the disk.
    Power,
}

/// Where and how messages are kept.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The folder of the database; made when it is not there.
    pub folder: PathBuf,
    /// What a committed message survives.
    pub durability: Durability,
    /// What is kept, and for how long.
    pub retention: Retention,
}
