//! The failure of a directory.

/// Why a directory failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// There is no room; nothing was changed.
    #[error("the accounts can't be written: the disk is full")]
    Full,
    /// The disk does not do what it is asked for; nothing was changed.
    #[error(
        "the accounts can't be read or written: the disk takes no more, or fails: a limit on the size of files (ulimit -f), or a fault"
    )]
    Disk,
    /// The store failed; nothing was changed.
    #[error("the accounts can't be read or written: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The directory is closed.
    #[error("the accounts are closed")]
    Closed,
}
