//! Public keys of accounts: what the server does with them through the thread of the directory.

use std::net::IpAddr;

use chatterbox_hub::guard::network;
use chatterbox_hub::{LoggedIn, Sequence};
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::directory::{Directory, DirectoryError};
use crate::accounts::keys_directory::{
    AccountKeys, ClaimedKey, DeviceDone, KeysPutDone, LowKeys, NewKeys,
};
use crate::accounts::login::{Accounts, Refused};
use crate::accounts::secret::Secret;

impl Accounts {
    /// Publishes keys of an account, whose signatures were checked.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn put_keys(&self, new: NewKeys) -> Result<KeysPutDone, DirectoryError> {
        self.directory.call(move |directory| directory.put_keys(&new)).await
    }

    /// What is published of accounts, in their order.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn keys_of(&self, accounts: Vec<i64>) -> Result<Vec<AccountKeys>, DirectoryError> {
        let keys = move |directory: &mut dyn Directory| {
            let each = accounts.iter().map(|account| directory.keys_of(*account));
            each.collect::<Result<Vec<_>, _>>()
        };
        self.directory.call(keys).await
    }

    /// Takes one key of each of these devices.
    ///
    /// # Errors
    /// [`DirectoryError`]; none was taken then.
    pub async fn claim_keys(
        &self,
        devices: Vec<(i64, DeviceId)>,
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        self.directory.call(move |directory| directory.claim_keys(&devices)).await
    }

    /// The fallback keys of these devices, in their order.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn fallback_keys(
        &self,
        devices: Vec<(i64, DeviceId)>,
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let keys = move |directory: &mut dyn Directory| {
            let key =
                |(account, device): &(i64, DeviceId)| directory.fallback_key(*account, device);
            devices.iter().map(key).collect::<Result<Vec<_>, _>>()
        };
        self.directory.call(keys).await
    }

    /// How far a device of an account has read what was encrypted for it, if it is one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn device_done(
        &self,
        account: i64,
        device: DeviceId,
    ) -> Result<Option<Sequence>, DirectoryError> {
        self.directory.call(move |directory| directory.device_done(account, &device)).await
    }

    /// Notes how far devices have read.
    ///
    /// # Errors
    /// [`DirectoryError`]; nothing was noted then.
    pub async fn set_devices_done(&self, done: Vec<DeviceDone>) -> Result<(), DirectoryError> {
        self.directory.call(move |directory| directory.set_devices_done(&done)).await
    }

    /// The devices of which few one-time keys are left, each once.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn take_low(&self) -> Result<Vec<LowKeys>, DirectoryError> {
        self.directory.call(|directory| directory.take_low()).await
    }

    /// Removes the identity of an account and all its devices, and says whether there was one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn reset_keys(&self, account: i64) -> Result<bool, DirectoryError> {
        // Where there is nothing, nothing is asked of other nodes: one of an older version knows of no keys.
        let reset = move |directory: &mut dyn Directory| {
            Ok(directory.keys_of(account)?.identity.is_some() && directory.reset_keys(account)?)
        };
        self.directory.call(reset).await
    }

    /// Removes a device of an account, and says whether there was one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn remove_device(
        &self,
        account: i64,
        device: DeviceId,
    ) -> Result<bool, DirectoryError> {
        let remove = move |directory: &mut dyn Directory| {
            Ok(directory.device_done(account, &device)?.is_some()
                && directory.remove_device(account, &device)?)
        };
        self.directory.call(remove).await
    }

    /// Checks that somebody who is logged in knows the password of the account, within the limits of all passwords.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn prove(
        &self,
        login: &LoggedIn,
        secret: Secret,
        peer: IpAddr,
    ) -> Result<(), Refused> {
        let name = &login.account;
        let attempt = self.begin(name, network(peer))?;
        let account = self.verify(name, secret, &attempt).await?;
        let now = self.now();
        self.limits().passwords.succeeded(now, attempt);
        if account.account_key.id == login.account_key.id {
            Ok(())
        } else {
            Err(Refused::NoAccount)
        }
    }
}
