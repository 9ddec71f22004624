//! The trait of account stores, and the data of an account.

use std::collections::BTreeSet;
use std::fmt::Debug;

use chatterbox_hub::{AccountChange, AccountKey, Level, MemberId};
use chatterbox_proto::Username;

pub use crate::accounts::directory_error::DirectoryError;
use crate::accounts::keys_directory::KeysDirectory;
use crate::accounts::marks_directory::MarksDirectory;
use crate::accounts::password_hash::PasswordHash;
use crate::accounts::seen_directory::SeenDirectory;
use crate::accounts::token::TokenHash;

/// The number of accounts in one directory.
pub const ACCOUNTS: usize = 100_000;

/// The login tokens of one account; the oldest is removed for a new one.
pub const TOKENS: usize = 10;

/// The length of one account's block list.
pub const BLOCKS: usize = 1_000;

/// The accounts that are read of those that block one user.
pub const BLOCKERS: usize = 10_000;

/// A registered name with its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Distinguishes it from other accounts of the same name; [`Directory::add`] ignores this and assigns a new one.
    pub account_key: AccountKey,
    /// The name, as it was registered.
    pub name: Username,
    /// The hash of its password.
    pub password: PasswordHash,
    /// The level of its owner; at least [`Level::USER`].
    pub level: Level,
    /// Its creation, in seconds since 1970 UTC.
    pub created: i64,
}

/// Whose logins go on when an account ends all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Spared {
    /// Nobody's.
    #[default]
    Nobody,
    /// That of one member.
    Member(MemberId),
    /// Everybody's who is here: only what they could come back with ends.
    Everybody,
}

impl From<Option<MemberId>> for Spared {
    fn from(member: Option<MemberId>) -> Self {
        member.map_or(Self::Nobody, Self::Member)
    }
}

/// The result of adding something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was added.
    Yes,
    /// It existed already; nothing was changed.
    Already,
    /// The limit is reached; nothing was changed.
    Full,
}

/// The settings of admins, which outlive restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The prefix of commands, if it was set.
    pub prefix: Option<String>,
    /// Commands that are switched off.
    pub disabled: BTreeSet<String>,
    /// Whether guests may join, if it was set.
    pub guests: Option<bool>,
    /// The hash of the admin password, if there is one.
    pub admin_password: Option<PasswordHash>,
}

/// A store of accounts. Names are compared as [`Username`] does (NM-4). Every call is atomic.
pub trait Directory: SeenDirectory + MarksDirectory + KeysDirectory + Send + Debug {
    /// Somebody who is going to look at accounts and change them begins. Where others change the same directory between
    /// two calls, what was looked at from here on has to be so still when it is changed ([`DirectoryError::Overtaken`]).
    fn begin(&mut self) {}

    /// Whose logins go on, by the wish of whoever asks, in the next change that ends all logins of an account. It is for
    /// those who are told of changes elsewhere, and ends with that change.
    fn spare(&mut self, _spared: Spared) {}

    /// The account of a name.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn account(&mut self, name: &Username) -> Result<Option<Account>, DirectoryError>;

    /// The name of another account that looks like this one (UTS 39).
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn look_alike(&mut self, name: &Username) -> Result<Option<Username>, DirectoryError>;

    /// Adds an account.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn add(&mut self, account: &Account) -> Result<Added, DirectoryError>;

    /// Adds an account in one step with the check that no other one looks like it ([`Added::Already`]).
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn add_unlike(&mut self, account: &Account) -> Result<Added, DirectoryError>;

    /// Changes the password of an account, and revokes its login tokens and all its logins until then. Returns whether the
    /// account exists.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn change_password(
        &mut self,
        name: &Username,
        password: &PasswordHash,
    ) -> Result<bool, DirectoryError>;

    /// Replaces the hash of the same password by one of another cost, unless the password was changed meanwhile.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn replace_hash(
        &mut self,
        name: &Username,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), DirectoryError>;

    /// Changes the level of an account. Returns whether it exists.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_level(&mut self, name: &Username, level: Level) -> Result<bool, DirectoryError>;

    /// Removes an account and all its data, and seals the private messages to it: whoever has the name next is told of
    /// none of them. Returns which account it was, if there was one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove(&mut self, name: &Username) -> Result<Option<AccountKey>, DirectoryError>;

    /// What others have changed in the same store since the last call, the oldest first: accounts that were removed, logins
    /// that were ended. Of an account with another level it is said that logins before its epoch have ended, which are none. It is asked before every other call, so it has to be cheap when there is nothing.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn changes(&mut self) -> Result<Vec<AccountChange>, DirectoryError>;

    /// The first `limit` accounts in the order of their names.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn list(&mut self, limit: usize) -> Result<Vec<Account>, DirectoryError>;

    /// Adds a login token to an account, valid until `expires` in seconds since 1970 UTC. Without such an account it does
    /// nothing.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn add_token(
        &mut self,
        name: &Username,
        token: TokenHash,
        expires: i64,
    ) -> Result<(), DirectoryError>;

    /// The account of a login token that is valid at `now`.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn token_owner(
        &mut self,
        token: TokenHash,
        now: i64,
    ) -> Result<Option<Account>, DirectoryError>;

    /// Revokes one login token.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove_token(&mut self, token: TokenHash) -> Result<(), DirectoryError>;

    /// Revokes all login tokens of an account and all its logins until then.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove_tokens(&mut self, name: &Username) -> Result<(), DirectoryError>;

    /// The block list of an account, in the order of the names.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn blocked(&mut self, owner: &Username) -> Result<Vec<Username>, DirectoryError>;

    /// The accounts that block a user, at most [`BLOCKERS`] of them.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn blockers(&mut self, other: &Username) -> Result<Vec<(i64, Username)>, DirectoryError>;

    /// Adds a user to a block list; without such an account it counts as full.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn block(&mut self, owner: &Username, other: &Username) -> Result<Added, DirectoryError>;

    /// Removes a user from a block list. Returns whether they were on it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn unblock(&mut self, owner: &Username, other: &Username) -> Result<bool, DirectoryError>;

    /// The settings of admins.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn settings(&mut self) -> Result<Settings, DirectoryError>;

    /// Sets the prefix of commands.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_prefix(&mut self, prefix: &str) -> Result<(), DirectoryError>;

    /// Switches a command off or on.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_disabled(&mut self, command: &str, disabled: bool) -> Result<(), DirectoryError>;

    /// Lets guests join, or not.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_guests(&mut self, guests: bool) -> Result<(), DirectoryError>;

    /// Sets the admin password; `None` removes it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn set_admin_password(&mut self, password: Option<&PasswordHash>)
    -> Result<(), DirectoryError>;
}
