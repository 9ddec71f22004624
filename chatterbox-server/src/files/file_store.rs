//! The trait of the stores of what is known about files.

use std::fmt::Debug;

use chatterbox_hub::Sequence;

use crate::files::stored_file::{Claim, NewFile, Quotas, Reserved, StoredFile};

/// Why a store failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileStoreError {
    /// There is no room.
    #[error("what is known about files can't be written: the disk is full")]
    Full,
    /// The disk does not do what it is asked for.
    #[error("what is known about files can't be read or written: the disk fails")]
    Disk,
    /// The store failed.
    #[error("what is known about files can't be read or written: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The nodes that have this in common don't agree on anything at the moment. Nobody knows whether it is going to be stored.
    #[error(
        "files can't be taken now: the nodes of this chat have to agree, and the engine does not answer"
    )]
    Undecided,
    /// The store is closed.
    #[error("what is known about files is closed")]
    Closed,
}

/// A store of what is known about files, without their bytes. Every call is atomic: it did all, or nothing.
pub trait FileStore: Send + Debug {
    /// Reserves the space of a file, or finds the upload of the same account, digest, size and scope that was begun within
    /// [`UPLOAD_AGE`](crate::files::UPLOAD_AGE) and not announced.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn reserve(&mut self, new: &NewFile, quotas: Quotas) -> Result<Reserved, FileStoreError>;

    /// Notes that all of a file is there. Says whether it is known.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn complete(&mut self, token: &str) -> Result<bool, FileStoreError>;

    /// Takes a file for a message that is going to announce it: one that is there, was put for that scope by that account, and
    /// that no other message has announced or is going to.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn claim(&mut self, claim: &Claim) -> Result<Option<StoredFile>, FileStoreError>;

    /// Gives a file back whose message was refused.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn release(&mut self, token: &str, key: &str) -> Result<(), FileStoreError>;

    /// Notes that the message of this number has announced a file; the first one counts.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn announced(&mut self, token: &str, number: Sequence) -> Result<(), FileStoreError>;

    /// Has a file removed at this time, if it would be later otherwise.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn shorten(&mut self, token: &str, until: i64) -> Result<(), FileStoreError>;

    /// Forgets files.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn remove(&mut self, tokens: &[String]) -> Result<(), FileStoreError>;

    /// Forgets an upload or a file of this account that no message has announced or is going to. Says whether it is forgotten.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn give_up(&mut self, token: &str, account: i64, now: i64) -> Result<bool, FileStoreError>;

    /// The file of a token.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn find(&mut self, token: &str) -> Result<Option<StoredFile>, FileStoreError>;

    /// Files in the order of their tokens, from behind one on, at most `limit`.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn list(&mut self, after: &str, limit: usize) -> Result<Vec<StoredFile>, FileStoreError>;

    /// The bytes of all uploads that are not over, which may still be written.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn being_written(&mut self) -> Result<u64, FileStoreError>;

    /// The uploads of an account that are not there yet: the token of each, and its size.
    ///
    /// # Errors
    /// [`FileStoreError`].
    fn unfinished(&mut self, account: i64) -> Result<Vec<(String, u64)>, FileStoreError>;
}
