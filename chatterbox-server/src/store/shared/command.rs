//! Commands: what is changed of all that nodes store alike, as it stands in the order.
//!
//! A command holds all that it is judged by but the tables themselves: times, hashes and tokens are those of whoever asks. Names
//! are read again where it is carried out; which names are the same and which look alike is bound to the format level of the
//! order, as for names elsewhere.

use chatterbox_hub::{AccountKey, Level, MemberId, StoreCommand};
use chatterbox_proto::{Username, limits};
use serde::{Deserialize, Serialize};

use crate::accounts::{Account, PasswordHash};
use crate::store::shared::not_understood::NotUnderstood;
use crate::store::shared::written::{WrittenAudit, WrittenReport, WrittenSanction};
use crate::store::shared::written_file::{WrittenClaim, WrittenFile};
use crate::store::shared::written_keys::WrittenKeys;

/// The format of commands that this program reads and writes.
const FORMAT: u8 = 1;

/// A command, with what its answer is found by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// 64 random bits of whoever asks, and the number of the question.
    pub(super) nonce: Nonce,
    /// What is asked for.
    pub(super) command: Command,
}

/// Distinguishes questions, of this node and of all others.
pub(super) type Nonce = (u64, u64);

/// One change. Each is done wholly, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    /// Adds an account, or one that looks like no other.
    Add { account: WrittenAccount, unlike: bool },
    /// Changes a password, which ends logins.
    ChangePassword { of: Of, password: Hash, spared: WrittenSpared },
    /// Replaces a hash of the same password.
    ReplaceHash { name: String, old: Hash, new: Hash },
    /// Changes a level.
    SetLevel { of: Of, level: u8 },
    /// Removes an account.
    Remove { of: Of },
    /// Adds a login token.
    AddToken { of: Of, token: Token, expires: i64 },
    /// Revokes one.
    RemoveToken { token: Token },
    /// Revokes all of an account.
    RemoveTokens { of: Of, spared: WrittenSpared },
    /// Adds somebody to a block list.
    Block { of: Of, other: String },
    /// Removes somebody from one.
    Unblock { of: Of, other: String },
    /// Whether the owner of an account hides when they were here last.
    HideLastSeen { account: i64, hides: bool },
    /// Sets the prefix of commands.
    SetPrefix(String),
    /// Switches a command off or on.
    SetDisabled { command: String, disabled: bool },
    /// Lets guests join, or not.
    SetGuests(bool),
    /// Sets or removes the admin password.
    SetAdminPassword(Option<Hash>),
    /// Imposes sanctions that no chat has judged.
    Impose { audit: WrittenAudit, sanctions: Vec<WrittenSanction> },
    /// Lifts sanctions that no chat has to know of.
    Lift { audit: WrittenAudit, ids: Vec<i64> },
    /// Writes an act down.
    Note(WrittenAudit),
    /// Removes sanctions that have ended.
    ForgetEnded(i64),
    /// Removes the sanctions of a room.
    ForgetRoom(u64),
    /// Removes the sanctions on an account.
    ForgetAccount(i64),
    /// Removes the sanctions of what is not there any more.
    ForgetOrphans,
    /// Removes old entries of the audit log.
    ForgetAudit(i64),
    /// Keeps a report.
    Report(WrittenReport),
    /// Closes one.
    CloseReport { audit: WrittenAudit, number: i64 },
    /// Removes old ones.
    ForgetReports(i64),
    /// Notes how far the owners of accounts have read: the account, the key of the conversation, and the number of a message.
    SetMarks(Vec<(i64, String, u64)>),
    /// Reserves the space of a file, within what an account, a room and all may have.
    ReserveFile { new: WrittenFile, quotas: (u64, u64, u64) },
    /// Notes that a file is there.
    CompleteFile(String),
    /// Takes a file for a message.
    ClaimFile(WrittenClaim),
    /// Gives it back.
    ReleaseFile { token: String, key: String },
    /// Has a file removed earlier.
    ShortenFile { token: String, until: i64 },
    /// Forgets files.
    RemoveFiles(Vec<String>),
    /// Publishes keys of an account.
    PutKeys(Box<WrittenKeys>),
    /// Takes a key of each of these devices of accounts.
    ClaimKeys(Vec<(i64, String)>),
    /// Notes how far devices of accounts have read what was encrypted for them.
    DevicesDone(Vec<(i64, String, u64)>),
    /// Removes the identity of an account and its devices.
    ResetKeys(i64),
    /// Removes a device of an account.
    RemoveDevice(i64, String),
}

/// An account that is meant: its name, and which one it was when whoever asks looked at it. Another one of that name is not
/// meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Of {
    pub(super) name: String,
    /// Its number and its epoch; `None` where there was none.
    pub(super) key: Option<(i64, i64)>,
}

/// Whose logins go on when all others of an account end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WrittenSpared {
    /// Nobody's.
    Nobody,
    /// That of one member.
    Member(MemberId),
    /// Everybody's: only tokens end.
    Everybody,
}

/// The hash of a password. It is not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hash(String);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(..)")
    }
}

impl Hash {
    pub(super) fn of(hash: &PasswordHash) -> Self {
        Self(hash.as_str().to_owned())
    }

    pub(super) fn read(self) -> PasswordHash {
        PasswordHash::stored(self.0)
    }
}

/// The hash of a login token.
pub(super) type Token = [u8; 32];

/// An account that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenAccount {
    name: String,
    password: Hash,
    level: u8,
    created: i64,
}

impl WrittenAccount {
    pub(super) fn of(account: &Account) -> Self {
        let Account { name, password, level, created, .. } = account;
        let (name, password) = (name.as_str().to_owned(), Hash::of(password));
        Self { name, password, level: level.number(), created: *created }
    }

    pub(super) fn read(self) -> Result<Account, NotUnderstood> {
        Ok(Account {
            account_key: AccountKey::default(),
            name: name(&self.name)?,
            password: self.password.read(),
            level: level(self.level)?,
            created: self.created,
        })
    }
}

/// Reads a name; by the limit that holds for all names.
pub(super) fn name(text: &str) -> Result<Username, NotUnderstood> {
    Username::parse_within(text, limits::USERNAME_CHARS_MOST).map_err(|_| NotUnderstood)
}

/// Reads a level.
pub(super) fn level(number: u8) -> Result<Level, NotUnderstood> {
    Level::new(number.into()).ok_or(NotUnderstood)
}

/// Writes something as it stands in the order.
pub(super) fn written<T: Serialize>(it: &T) -> Option<StoreCommand> {
    let bytes = postcard::to_extend(it, vec![FORMAT]).ok()?;
    Some(StoreCommand(bytes.into()))
}

/// Reads what was written so. Lengths in it are bounded by what there is of it.
pub(super) fn read<T: for<'de> Deserialize<'de>>(
    StoreCommand(bytes): &StoreCommand,
) -> Result<T, NotUnderstood> {
    let Some((&FORMAT, rest)) = bytes.split_first() else { return Err(NotUnderstood) };
    match postcard::take_from_bytes(rest) {
        Ok((it, [])) => Ok(it),
        _ => Err(NotUnderstood),
    }
}
