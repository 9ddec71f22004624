//! Stored block lists of accounts.

use chatterbox_proto::Username;

use crate::accounts::directory::{Added, DirectoryError};
use crate::accounts::login::{Accounts, Refused};

impl Accounts {
    /// Adds a name to the block list of an account.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn block(&self, owner: &Username, other: &Username) -> Result<(), Refused> {
        let (owner, other) = (owner.clone(), other.clone());
        match self.directory.call(move |directory| directory.block(&owner, &other)).await? {
            Added::Yes | Added::Already => Ok(()),
            Added::Full => Err(Refused::Full),
        }
    }

    /// Removes a name from the block list of an account, and says whether it was there.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn unblock(
        &self,
        owner: &Username,
        other: &Username,
    ) -> Result<bool, DirectoryError> {
        let (owner, other) = (owner.clone(), other.clone());
        self.directory.call(move |directory| directory.unblock(&owner, &other)).await
    }
}
