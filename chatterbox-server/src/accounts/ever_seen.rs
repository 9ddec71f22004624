//! Everybody who was ever here, as the server asks for them (PR-3).

use chatterbox_hub::Identity;
use chatterbox_proto::Username;

use crate::accounts::directory::DirectoryError;
use crate::accounts::login::Accounts;
use crate::accounts::seen_directory::EverSeen;
use crate::ops::clock::unix_now;

/// So many are written in one step, so that logins wait for milliseconds at most.
const STEP: usize = 500;

impl Accounts {
    /// Notes that somebody comes, or goes; [`Accounts::keep_visits`] writes it.
    pub fn note_visit(&self, who: &Identity, comes: bool) {
        self.visits.note(who, comes, unix_now(), self.now());
    }

    /// Writes who was here, a few at a time.
    ///
    /// # Errors
    /// [`DirectoryError`]; what could not be written is not known.
    pub async fn keep_visits(&self) -> Result<(), DirectoryError> {
        let seen = self.visits.take();
        for some in seen.chunks(STEP) {
            let (some, now) = (some.to_vec(), unix_now());
            self.directory.call(move |directory| directory.note_seen(&some, now)).await?;
        }
        Ok(())
    }

    /// Notes that these were here.
    #[cfg(test)]
    pub async fn note_seen(
        &self,
        seen: Vec<crate::accounts::seen_directory::Seen>,
    ) -> Result<(), DirectoryError> {
        self.directory.call(move |directory| directory.note_seen(&seen, unix_now())).await
    }

    /// A page of everybody who was ever here, by name; see [`SeenDirectory`](crate::accounts::SeenDirectory).
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn ever_seen(
        &self,
        after: Option<Username>,
        limit: usize,
    ) -> Result<Vec<EverSeen>, DirectoryError> {
        self.keep_visits().await?;
        let now = unix_now();
        self.directory.call(move |directory| directory.ever_seen(after.as_ref(), limit, now)).await
    }

    /// When the user of an account was here last, if ever.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn last_seen(&self, account: i64) -> Result<Option<i64>, DirectoryError> {
        self.keep_visits().await?;
        self.directory.call(move |directory| directory.last_seen(account)).await
    }

    /// Sets whether the owner of an account lets others know when they were here last.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn hide_last_seen(&self, account: i64, hides: bool) -> Result<bool, DirectoryError> {
        self.directory.call(move |directory| directory.hide_last_seen(account, hides)).await
    }
}
