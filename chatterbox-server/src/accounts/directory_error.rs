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
    /// The nodes that have this directory in common don't agree on anything at the moment. Nobody knows whether it is going to be
    /// changed.
    #[error(
        "the accounts can't be changed now: the nodes of this chat have to agree, and the engine does not answer"
    )]
    Undecided,
    /// Somebody has changed the account since whoever asks looked at it. Nothing was changed.
    #[error("the account was changed by somebody else meanwhile")]
    Overtaken,
    /// The directory is closed.
    #[error("the accounts are closed")]
    Closed,
}
