//! Changes of accounts by whoever has the machine, made by the running server: on a node of a cluster nobody else may make them, for
//! all nodes have to make them alike.

use std::fmt;

use chatterbox_hub::{AccountKey, Level};
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
        self.directory.call(move |directory| granted(directory, name, wish)).await
    }
}

fn granted(
    directory: &mut dyn Directory,
    name: Option<Username>,
    wish: AccountWish,
) -> Result<WishDone, DirectoryError> {
    let Some(name) = name else {
        if let AccountWish::SetAdminPassword { password } = wish {
            directory.set_admin_password(password.map(HashText::read).as_ref())?;
        }
        return Ok(WishDone::Yes);
    };
    let found = |is_there| if is_there { WishDone::Yes } else { WishDone::NoAccount };
    match wish {
        AccountWish::Add { password, level, .. } => {
            let Some(level) = Level::new(level).filter(|level| *level > Level::GUEST) else {
                return Ok(WishDone::Senseless);
            };
            let (account_key, password) = (AccountKey::default(), password.read());
            let account = Account { account_key, name, password, level, created: unix_now() };
            Ok(match directory.add(&account)? {
                Added::Yes => WishDone::Yes,
                Added::Already => WishDone::Exists,
                Added::Full => WishDone::Full,
            })
        }
        AccountWish::SetPassword { password, .. } => {
            Ok(found(directory.change_password(&name, &password.read())?))
        }
        AccountWish::SetLevel { level, .. } => {
            let Some(level) = Level::new(level).filter(|level| *level > Level::GUEST) else {
                return Ok(WishDone::Senseless);
            };
            Ok(found(directory.set_level(&name, level)?))
        }
        AccountWish::Remove { .. } => Ok(found(directory.remove(&name)?.is_some())),
        AccountWish::SetAdminPassword { .. } => Ok(WishDone::Yes),
    }
}
