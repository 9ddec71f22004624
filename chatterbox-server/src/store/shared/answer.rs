//! What comes of a command, on every node the same.

use chatterbox_hub::{AccountKey, SanctionId};

use crate::accounts::{Added, ClaimedKey, KeysPutDone};
use crate::files::{Reserved, StoredFile};

/// What has come of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done.
    Done,
    /// Something was added, or not, to this account.
    Added(Added, Option<AccountKey>),
    /// Whether there was something to change; and the account as it is now.
    Changed(bool, Option<AccountKey>),
    /// This account was removed.
    Removed(Option<AccountKey>),
    /// Something has this number.
    Number(i64),
    /// Sanctions have these.
    Imposed(Vec<SanctionId>),
    /// Of each whether it was news.
    News(Vec<bool>),
    /// What has become of a wish to upload a file.
    Reserved(Box<Reserved>),
    /// A file was taken for a message, or not.
    Claimed(Option<Box<StoredFile>>),
    /// What has come of publishing keys.
    KeysPut(KeysPutDone),
    /// Of each device the key that was taken.
    ClaimedKeys(Vec<Option<ClaimedKey>>),
    /// There are as many as there may be.
    TooMany,
    /// The account is another one, or was changed, since whoever asks looked at it.
    Overtaken,
}
