//! What is kept of how far the owners of accounts have read (MK-1).

use std::fmt::Debug;

use chatterbox_hub::{Marked, ReadMark, Sequence, StoredMark};

use crate::accounts::directory_error::DirectoryError;

/// So many marks are kept of one account: the one that was written last, and those with the greatest numbers.
pub const MARKS: usize = 256;

/// What of some marks was news; where none could be written, why, and all of them.
pub type MarksWritten = Result<Vec<ReadMark>, (DirectoryError, Vec<ReadMark>)>;

/// A mark that may be news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMark {
    /// The number of the account.
    pub account: i64,
    /// The conversation.
    pub with: Marked,
    /// The number of the last message that was read.
    pub upto: Sequence,
}

/// The part of a [`Directory`](crate::accounts::Directory) that knows how far the owners of accounts have read.
pub trait MarksDirectory: Send + Debug {
    /// The marks of an account, in the order of the keys of their conversations.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn marks(&mut self, account: i64) -> Result<Vec<StoredMark>, DirectoryError>;

    /// Notes marks, which only go forward; of accounts that are not there, and up to no message, nothing is noted. Returns of each
    /// whether it was news, in their order.
    ///
    /// # Errors
    /// [`DirectoryError`]; nothing was noted then.
    fn set_marks(&mut self, marks: &[NewMark]) -> Result<Vec<bool>, DirectoryError>;
}
