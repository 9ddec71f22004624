//! What is kept of everybody who was ever here: accounts, and guests of the last days (PR-3).

use std::fmt::Debug;

use chatterbox_proto::Username;

use crate::accounts::directory_error::DirectoryError;

/// Guests are remembered for this long after they were here, in seconds: 30 days.
pub const GUESTS_FOR: i64 = 30 * 24 * 60 * 60;

/// So many guests are remembered; the oldest go first.
pub const GUESTS: usize = 10_000;

/// That somebody was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The name, of the account where there is one.
    pub name: Username,
    /// The number of the account; `None` is a guest.
    pub account: Option<i64>,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// Whether a guest is remembered who is not known yet.
    pub is_new: bool,
}

/// Somebody who has an account, or was here as a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EverSeen {
    /// The name, of the account where there is one.
    pub name: Username,
    /// The number of the account; `None` is a guest.
    pub account: Option<i64>,
    /// When they were here last; `None` for an account whose user has never been.
    pub at: Option<i64>,
    /// Whether they let nobody know when that was.
    pub hides: bool,
}

/// The part of a [`Directory`](crate::accounts::Directory) that knows who was here.
pub trait SeenDirectory: Send + Debug {
    /// Notes that these were here, and forgets guests who have not been for [`GUESTS_FOR`], and the oldest beyond [`GUESTS`].
    /// An earlier time than the one that is known changes nothing, and neither does an account that is not there any more.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn note_seen(&mut self, seen: &[Seen], now: i64) -> Result<(), DirectoryError>;

    /// Accounts, and guests whose name is not that of one, by name; those behind a name, at most `limit`.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn ever_seen(
        &mut self,
        after: Option<&Username>,
        limit: usize,
        now: i64,
    ) -> Result<Vec<EverSeen>, DirectoryError>;

    /// When the user of an account was here last, if ever.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn last_seen(&mut self, account: i64) -> Result<Option<i64>, DirectoryError>;

    /// Sets whether the owner of an account lets others know when they were here last. Returns whether the account exists.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn hide_last_seen(&mut self, account: i64, hides: bool) -> Result<bool, DirectoryError>;
}
