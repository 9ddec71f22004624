//! What admins have set while the server ran, over restarts.

use crate::accounts::directory::{DirectoryError, Settings};
use crate::accounts::login::Accounts;

impl Accounts {
    /// The settings of admins.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn settings(&self) -> Result<Settings, DirectoryError> {
        self.directory.call(|directory| directory.settings()).await
    }

    /// Sets the prefix of commands.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_prefix(&self, prefix: String) -> Result<(), DirectoryError> {
        self.directory.call(move |directory| directory.set_prefix(&prefix)).await
    }

    /// Lets guests join, or not.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_guests(&self, guests: bool) -> Result<(), DirectoryError> {
        self.directory.call(move |directory| directory.set_guests(guests)).await
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
        self.directory.call(move |directory| directory.set_disabled(command, disabled)).await
    }
}
