//! What is kept for accounts and for the whole chat: block lists, and what admins have set.

use chatterbox_proto::Username;

use crate::accounts::directory::{Added, DirectoryError, Settings};
use crate::accounts::login::{Accounts, Refused};

impl Accounts {
    /// Adds somebody to the block list of an account.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn block(&self, owner: &Username, other: &Username) -> Result<(), Refused> {
        let (owner, other) = (owner.clone(), other.clone());
        match self.thread.ask(move |directory| directory.block(&owner, &other)).await? {
            Added::Yes | Added::Already => Ok(()),
            Added::Full => Err(Refused::Full),
        }
    }

    /// Takes somebody from the block list of an account.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn unblock(
        &self,
        owner: &Username,
        other: &Username,
    ) -> Result<bool, DirectoryError> {
        let (owner, other) = (owner.clone(), other.clone());
        self.thread.ask(move |directory| directory.unblock(&owner, &other)).await
    }

    /// What admins have set.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn settings(&self) -> Result<Settings, DirectoryError> {
        self.thread.ask(|directory| directory.settings()).await
    }

    /// Sets what is typed before a command.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_prefix(&self, prefix: String) -> Result<(), DirectoryError> {
        self.thread.ask(move |directory| directory.set_prefix(&prefix)).await
    }

    /// Switches a command off or on.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_disabled(
        &self,
        command: &'static str,
        disabled: bool,
    ) -> Result<(), DirectoryError> {
        self.thread.ask(move |directory| directory.set_disabled(command, disabled)).await
    }
}
