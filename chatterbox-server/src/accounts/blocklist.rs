//! Stored block lists of accounts.

use chatterbox_hub::LoggedIn;
use chatterbox_proto::Username;

use crate::accounts::credentials::is_account;
use crate::accounts::directory::{Added, Directory, DirectoryError};
use crate::accounts::login::{Accounts, Refused};

impl Accounts {
    /// Adds a name to the block list of an account.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn block(&self, owner: &LoggedIn, other: &Username) -> Result<(), Refused> {
        let (LoggedIn { account, account_key }, other) = (owner.clone(), other.clone());
        let block = move |directory: &mut dyn Directory| {
            if !is_account(directory, &account, account_key.id)? {
                return Ok(None);
            }
            directory.block(&account, &other).map(Some)
        };
        match self.directory.call(block).await? {
            Some(Added::Yes | Added::Already) => Ok(()),
            Some(Added::Full) => Err(Refused::Full),
            None => Err(Refused::NoAccount),
        }
    }

    /// Removes a name from the block list of an account, and says whether it was there.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn unblock(
        &self,
        owner: &LoggedIn,
        other: &Username,
    ) -> Result<bool, DirectoryError> {
        let (LoggedIn { account, account_key }, other) = (owner.clone(), other.clone());
        let unblock = move |directory: &mut dyn Directory| {
            Ok(is_account(directory, &account, account_key.id)?
                && directory.unblock(&account, &other)?)
        };
        self.directory.call(unblock).await
    }
}
