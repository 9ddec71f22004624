//! What is kept of the public keys of accounts, for encrypted private messages (EE-1, EE-2). Nothing of it is secret.

use std::fmt::Debug;

use chatterbox_hub::{LoggedIn, Sequence};
use chatterbox_proto::capability::e2ee::{Device, KeyKind, KeysLow, PublicKey, SignedKey};
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::directory_error::DirectoryError;

/// Devices with few keys that wait to be told; of more nothing is noted, until they are.
pub const LOW_DEVICES: usize = 1_024;

/// What the owner of an account publishes. Its signatures were checked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKeys {
    /// The number of the account.
    pub account: i64,
    /// Its identity key.
    pub identity: PublicKey,
    /// One of its devices.
    pub device: Device,
    /// One-time keys of that, to be added to those that are kept.
    pub one_time: Vec<SignedKey>,
    /// A fallback key, in place of the one before.
    pub fallback: Option<SignedKey>,
}

impl NewKeys {
    /// The one-time keys by name, byte by byte, which is the order in which they are published.
    pub fn in_order(&self) -> Vec<&SignedKey> {
        let mut keys: Vec<_> = self.one_time.iter().collect();
        keys.sort_by(|one, other| one.name.cmp(&other.name));
        keys
    }
}

/// What has come of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysPutDone {
    /// It is published, and so many one-time keys are kept of the device.
    Yes(usize),
    /// The account has another identity key; nothing was changed.
    OtherIdentity,
    /// There is a device of this name, of another account or with other keys; nothing was changed.
    Taken,
    /// The account has as many devices as it may have; nothing was changed.
    TooMany,
    /// There is no such account.
    NoAccount,
}

/// What is published of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountKeys {
    /// The identity key, where anything is published.
    pub identity: Option<PublicKey>,
    /// The devices, in the order in which they were published.
    pub devices: Vec<Device>,
}

/// A key for a new session that somebody has got, and what it is good for.
pub type ClaimedKey = (KeyKind, SignedKey);

/// That few one-time keys of a device are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowKeys {
    /// Its account.
    pub account: LoggedIn,
    /// The device, and how many there are.
    pub low: KeysLow,
}

/// How far a device of an account has read what was encrypted for it: the number of the account, and that of a message.
pub type DeviceDone = (i64, DeviceId, Sequence);

/// The part of a [`Directory`](crate::accounts::Directory) that keeps public keys.
pub trait KeysDirectory: Send + Debug {
    /// Publishes keys of an account: the first ones make its identity. A one-time key whose name is not above all that were taken of the
    /// device before is passed over, since somebody may have it already; and so are those for which there is no room.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn put_keys(&mut self, new: &NewKeys) -> Result<KeysPutDone, DirectoryError>;

    /// What is published of an account; nothing of one that is not there.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn keys_of(&mut self, account: i64) -> Result<AccountKeys, DirectoryError>;

    /// Takes one key of each of these devices of accounts: the one-time key that was published first, which nobody gets again, or else
    /// the fallback key. `None` where there is no such device, or no key of it.
    ///
    /// # Errors
    /// [`DirectoryError`]; none was taken then.
    fn claim_keys(
        &mut self,
        devices: &[(i64, DeviceId)],
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError>;

    /// The fallback key of a device of an account, if it has one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn fallback_key(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<ClaimedKey>, DirectoryError>;

    /// How far a device of an account has read what was encrypted for it, if it is one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn device_done(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<Sequence>, DirectoryError>;

    /// Notes how far devices have read. It only goes forward; of devices that are not there nothing is noted.
    ///
    /// # Errors
    /// [`DirectoryError`]; nothing was noted then.
    fn set_devices_done(&mut self, done: &[DeviceDone]) -> Result<(), DirectoryError>;

    /// Removes the identity of an account and all its devices. Returns whether there was one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn reset_keys(&mut self, account: i64) -> Result<bool, DirectoryError>;

    /// Removes a device of an account. Returns whether there was one.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn remove_device(&mut self, account: i64, device: &DeviceId) -> Result<bool, DirectoryError>;

    /// The devices of which somebody has got a key since this was asked last, and few are left.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn take_low(&mut self) -> Result<Vec<LowKeys>, DirectoryError>;
}
