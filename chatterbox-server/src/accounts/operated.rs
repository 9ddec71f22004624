//! Changes of accounts by whoever has the machine, made by the running server: on a node of a cluster nobody else may make them, for
//! all nodes have to make them alike.

use std::fmt;

use chatterbox_hub::{AccountChange, AccountChangeKind, AccountKey, Level};
use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::accounts::directory::{Account, Added, Directory, DirectoryError};
use crate::accounts::login::Accounts;
use crate::accounts::password_hash::PasswordHash;
use crate::ops::clock::unix_now;

/// What is to be changed. Passwords are hashed by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountWish {
    /// An account is to be made.
    Add {
        /// Its name.
        name: String,
        /// The hash of its password.
        password: HashText,
        /// Its level.
        level: i64,
    },
    /// An account is to have another password.
    SetPassword {
        /// Its name.
        name: String,
        /// The hash.
        password: HashText,
    },
    /// An account is to have another level.
    SetLevel {
        /// Its name.
        name: String,
        /// The level.
        level: i64,
    },
    /// An account is to be removed.
    Remove {
        /// Its name.
        name: String,
    },
    /// There is to be another admin password, or none.
    SetAdminPassword {
        /// The hash.
        password: Option<HashText>,
    },
}

/// The hash of a password, as text. It is not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashText(String);

impl fmt::Debug for HashText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashText(..)")
    }
}

impl From<&PasswordHash> for HashText {
    fn from(hash: &PasswordHash) -> Self {
        Self(hash.as_str().to_owned())
    }
}

impl HashText {
    fn read(self) -> PasswordHash {
        PasswordHash::stored(self.0)
    }
}

/// What has come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WishDone {
    /// It is so now.
    Yes,
    /// There is no such account.
    NoAccount,
    /// There is such an account already.
    Exists,
    /// There are as many as there can be.
    Full,
    /// The name, or the level, can't be one.
    Senseless,
}

impl AccountWish {
    /// The name of the account that it is about.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Add { name, .. }
            | Self::SetPassword { name, .. }
            | Self::SetLevel { name, .. }
            | Self::Remove { name } => Some(name),
            Self::SetAdminPassword { .. } => None,
        }
    }
}

impl Accounts {
    /// Changes accounts by the wish of whoever has the machine.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn grant(&self, wish: AccountWish) -> Result<WishDone, DirectoryError> {
        let name = match wish.name().map(Username::parse) {
            Some(Ok(name)) => Some(name),
            Some(Err(_)) => return Ok(WishDone::Senseless),
            None => None,
        };
        let observed = self.directory.observed();
        let grant = move |directory: &mut dyn Directory| {
            let (done, change) = granted(directory, name, wish)?;
            // Other nodes find it in the order; here it is told by whoever has asked for it.
            change.iter().for_each(|change| observed.tell(change));
            Ok(done)
        };
        self.directory.call(grant).await
    }
}

/// What has come of it, and what those who are here have to be told.
type Granted = (WishDone, Option<AccountChange>);

fn granted(
    directory: &mut dyn Directory,
    name: Option<Username>,
    wish: AccountWish,
) -> Result<Granted, DirectoryError> {
    let Some(name) = name else {
        if let AccountWish::SetAdminPassword { password } = wish {
            directory.set_admin_password(password.map(HashText::read).as_ref())?;
        }
        return Ok((WishDone::Yes, None));
    };
    let found = |is_there| if is_there { WishDone::Yes } else { WishDone::NoAccount };
    let done = match wish {
        AccountWish::Add { password, level, .. } => {
            let Some(level) = Level::new(level).filter(|level| *level > Level::GUEST) else {
                return Ok((WishDone::Senseless, None));
            };
            let (account_key, password) = (AccountKey::default(), password.read());
            let account = Account { account_key, name, password, level, created: unix_now() };
            match directory.add(&account)? {
                Added::Yes => WishDone::Yes,
                Added::Already => WishDone::Exists,
                Added::Full => WishDone::Full,
            }
        }
        AccountWish::SetPassword { password, .. } => {
            let is_there = directory.change_password(&name, &password.read())?;
            return Ok((found(is_there), logins_ended(directory, &name)?));
        }
        AccountWish::SetLevel { level, .. } => {
            let Some(level) = Level::new(level).filter(|level| *level > Level::GUEST) else {
                return Ok((WishDone::Senseless, None));
            };
            // Whoever has asked looks at the level of those who are here, and no login ends.
            found(directory.set_level(&name, level)?)
        }
        AccountWish::Remove { .. } => {
            let spelling = directory.account(&name)?.map(|account| account.name);
            let removed = directory.remove(&name)?;
            let change = removed.map(|AccountKey { id: account, .. }| AccountChange {
                account,
                name: spelling.unwrap_or(name),
                kind: AccountChangeKind::Removed,
            });
            return Ok((found(removed.is_some()), change));
        }
        AccountWish::SetAdminPassword { .. } => WishDone::Yes,
    };
    Ok((done, None))
}

/// That the logins of earlier epochs have ended.
fn logins_ended(
    directory: &mut dyn Directory,
    name: &Username,
) -> Result<Option<AccountChange>, DirectoryError> {
    Ok(directory.account(name)?.map(|account| {
        let AccountKey { id, epoch } = account.account_key;
        let kind = AccountChangeKind::LoginsEnded { epoch, spared: None };
        AccountChange { account: id, name: account.name, kind }
    }))
}
