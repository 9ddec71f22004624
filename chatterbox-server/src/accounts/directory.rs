//! The seam behind which accounts are kept, and what is kept for each.

use std::collections::BTreeSet;
use std::fmt::Debug;

use chatterbox_hub::{AccountKey, Level};
use chatterbox_proto::Username;

use crate::accounts::password::PasswordHash;
use crate::accounts::token::TokenHash;

/// Accounts that one directory keeps.
pub const ACCOUNTS: usize = 100_000;

/// Tokens that one account has at a time; the oldest go.
pub const TOKENS: usize = 10;

/// Users whom one account can block.
pub const BLOCKS: usize = 1_000;

/// Accounts that block one user and are looked at; nobody has more enemies.
pub const BLOCKERS: usize = 10_000;

/// A name that belongs to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which one it is; the directory says so, whatever stands here when it is added.
    pub account_key: AccountKey,
    /// The name, as it was registered.
    pub name: Username,
    /// The hash of its password.
    pub password: PasswordHash,
    /// What its owner may do; at least [`Level::USER`].
    pub level: Level,
    /// When it was made, in seconds since 1970 UTC.
    pub created: i64,
}

/// What became of something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there now.
    Yes,
    /// It was there already; nothing was changed.
    Already,
    /// There are too many; nothing was changed.
    Full,
}

/// What admins have set while the server ran, over restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What is typed before a command, if somebody has set it.
    pub prefix: Option<String>,
    /// Commands that are switched off.
    pub disabled: BTreeSet<String>,
    /// The hash of the admin password, if there is one.
    pub admin_password: Option<PasswordHash>,
}

/// Why a directory could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The store failed; nothing was changed.
    #[error("the accounts can't be read or written: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody keeps them any more.
    #[error("the accounts are closed")]
    Closed,
}

/// Where accounts are kept. Names are the same as [`Username`] says (NM-4). Every call is done as a whole or not at all.
pub trait Directory: Send + Debug {
    /// The account of a name.
    ///
    /// # Errors
    /// [`DirectoryError`], as everywhere.
    fn account(&mut self, name: &Username) -> Result<Option<Account>, DirectoryError>;

    /// An account of another name that looks like this one (UTS 39).
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn look_alike(&mut self, name: &Username) -> Result<Option<Username>, DirectoryError>;

    /// Makes an account.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn add(&mut self, account: &Account) -> Result<Added, DirectoryError>;

    /// Makes an account, unless another one looks like it: [`Added::Already`] then. Looking and making is one step.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn add_unlike(&mut self, account: &Account) -> Result<Added, DirectoryError>;

    /// Gives an account another password, and makes its tokens and all its logins until then worthless. Says whether there is such an account.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn change_password(
        &mut self,
        name: &Username,
        password: &PasswordHash,
    ) -> Result<bool, DirectoryError>;

    /// Stores the same password hashed at another cost, unless it was changed meanwhile.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn replace_hash(
        &mut self,
        name: &Username,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), DirectoryError>;

    /// Gives an account another level. Says whether there is such an account.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_level(&mut self, name: &Username, level: Level) -> Result<bool, DirectoryError>;

    /// Removes an account and all that is kept for it. Says whether there was one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove(&mut self, name: &Username) -> Result<bool, DirectoryError>;

    /// Accounts in the order of their names, the first `limit` of them.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn list(&mut self, limit: usize) -> Result<Vec<Account>, DirectoryError>;

    /// Keeps a token for an account until a moment, in seconds since 1970 UTC. Where there is no account nothing is kept.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn add_token(
        &mut self,
        name: &Username,
        token: TokenHash,
        expires: i64,
    ) -> Result<(), DirectoryError>;

    /// The account of a token that is good at this moment.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn token_owner(
        &mut self,
        token: TokenHash,
        now: i64,
    ) -> Result<Option<Account>, DirectoryError>;

    /// Makes one token worthless.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove_token(&mut self, token: TokenHash) -> Result<(), DirectoryError>;

    /// Makes all tokens of an account and all its logins until then worthless.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove_tokens(&mut self, name: &Username) -> Result<(), DirectoryError>;

    /// Whom the owner of an account blocks, in the order of their names.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn blocked(&mut self, owner: &Username) -> Result<Vec<Username>, DirectoryError>;

    /// The accounts that block somebody, at most [`BLOCKERS`] of them: number and name.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn blockers(&mut self, other: &Username) -> Result<Vec<(i64, Username)>, DirectoryError>;

    /// Adds a user to a block list; where there is no account it is full.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn block(&mut self, owner: &Username, other: &Username) -> Result<Added, DirectoryError>;

    /// Takes a user from a block list. Says whether they were on it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn unblock(&mut self, owner: &Username, other: &Username) -> Result<bool, DirectoryError>;

    /// What admins have set.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn settings(&mut self) -> Result<Settings, DirectoryError>;

    /// Sets what is typed before a command.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_prefix(&mut self, prefix: &str) -> Result<(), DirectoryError>;

    /// Switches a command off or on.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_disabled(&mut self, command: &str, disabled: bool) -> Result<(), DirectoryError>;

    /// Sets the admin password; `None` takes it away.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_admin_password(&mut self, password: Option<&PasswordHash>)
    -> Result<(), DirectoryError>;
}
