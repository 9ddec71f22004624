//! What is stored about a file: all but its bytes.

use chatterbox_hub::{Announcement, FileScope, Party, Sequence};
use chatterbox_proto::Username;

/// A file that somebody wants to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its token, if it is a new one.
    pub token: String,
    /// The account of whoever uploads it.
    pub account: i64,
    /// Where the message that announces it has to be said.
    pub scope: FileScope,
    /// Its name, which was judged.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: [u8; 32],
    /// Now, in seconds since 1970 UTC.
    pub now: i64,
    /// When it is removed, whatever happens.
    pub until: i64,
}

/// How much space files may take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// All files of one account.
    pub account: u64,
    /// All files of one room, the lobby included.
    pub room: u64,
    /// All files.
    pub all: u64,
}

/// Files of one account, however small they are.
pub const FILES_OF_ACCOUNT: u64 = 1_000;

/// Files of all accounts.
pub const FILES: u64 = 100_000;

/// An upload can be gone on with, and a file that is there be announced, for so many seconds.
pub const UPLOAD_AGE: i64 = 24 * 60 * 60;

/// An upload of which nothing has come for so many seconds is over: what it has reserved is there for others then.
pub const UPLOAD_IDLE: i64 = 60 * 60;

/// The same where no byte of it has come at all: to reserve space costs next to nothing.
pub const UPLOAD_EMPTY: i64 = 2 * 60;

/// For so many seconds a message that is under way has a file for itself.
pub const CLAIM_AGE: i64 = 60;

/// A file as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its token.
    pub token: String,
    /// The account of whoever uploads it.
    pub account: i64,
    /// Where the message that announces it has to be said.
    pub scope: FileScope,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: [u8; 32],
    /// When the upload began, in seconds since 1970 UTC.
    pub begun: i64,
    /// When it is removed.
    pub until: i64,
    /// Whether all of it is there, with the right digest.
    pub is_there: bool,
    /// Since when a message has it for itself.
    pub claimed: Option<i64>,
    /// The number of the message that has announced it.
    pub message: Option<Sequence>,
    /// The name under which that was sent; of a message that is under way already.
    pub source: Option<Username>,
    /// Under whom that is filed, if it is private.
    pub recipient: Option<Party>,
}

impl StoredFile {
    /// What says who may fetch it; nothing where nobody may.
    pub fn announcement(&self) -> Option<Announcement> {
        let number = self.message.filter(|_| self.is_there)?;
        let source = self.source.clone()?;
        let (scope, recipient) = (self.scope.clone(), self.recipient.clone());
        Some(Announcement { scope, number, account: self.account, source, recipient })
    }

    /// Whether a message has announced it, or may be about to: who has it for itself and never said it lets go of it by and by.
    pub fn is_claimed(&self, now: i64) -> bool {
        let is_held = self.claimed.is_some_and(|since| since > now.saturating_sub(CLAIM_AGE));
        is_held || self.message.is_some()
    }

    /// Whether a message may take it, as far as can be told without writing anything.
    pub fn may_be_claimed(&self, by: &Claim) -> bool {
        let is_meant = self.account == by.account && self.scope == by.scope;
        is_meant && self.is_there && self.message.is_none() && !self.is_over(by.now)
    }

    /// Whether it may be idle: it is not there, and was not begun just now.
    pub fn may_be_idle(&self, now: i64) -> bool {
        !self.is_there && self.begun <= now.saturating_sub(UPLOAD_EMPTY)
    }

    /// Whether nothing can come of it any more: its time is over, or it was not announced within a day.
    pub fn is_over(&self, now: i64) -> bool {
        let is_stale = self.message.is_none() && self.begun <= now.saturating_sub(UPLOAD_AGE);
        self.until <= now || is_stale
    }
}

/// A quota that a file does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// That of the account.
    Account,
    /// That of the room.
    Room,
    /// That of all files.
    All,
}

/// What has become of a wish to upload a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// There is space for it.
    New(StoredFile),
    /// The same account has begun the same within a day.
    Again(StoredFile),
    /// It does not fit.
    NoSpace {
        /// What it does not fit.
        quota: Quota,
        /// The bytes that there may be.
        most: u64,
        /// The bytes of them that are left.
        left: u64,
    },
    /// There are too many files already.
    TooMany,
}

/// A message that is going to announce a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The file.
    pub token: String,
    /// The account of the sender.
    pub account: i64,
    /// Where it is said.
    pub scope: FileScope,
    /// The name of the sender.
    pub source: Username,
    /// Under whom it is filed, if it is private.
    pub recipient: Option<Party>,
    /// Tells this message from others: the same message has the same, also where it is sent again.
    pub key: String,
    /// Now, in seconds since 1970 UTC.
    pub now: i64,
}
