//! The directory of keys, with its limits, and what devices have read that is not written down yet.

use std::sync::{Arc, Mutex, PoisonError};

use chatterbox_hub::{OwnDevice, Sequence};
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::{Accounts, DirectoryError};
use crate::chat::shared::Chat;
use crate::keys::unwritten::Unwritten;
use crate::ops::clock::unix_now;
use crate::pacing::KeyPacing;

/// How far so many devices have read is written at once.
const AT_ONCE: usize = 256;

/// The directory of keys.
#[derive(Debug)]
pub struct KeyDesk {
    pub(super) accounts: Arc<Accounts>,
    pub(super) pacing: KeyPacing,
    unwritten: Mutex<Unwritten>,
}

impl KeyDesk {
    /// The keys of these accounts.
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts, pacing: KeyPacing::default(), unwritten: Mutex::default() }
    }

    fn unwritten<T>(&self, ask: impl FnOnce(&mut Unwritten) -> T) -> T {
        ask(&mut self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A device of an account, for the connection that says that it is this one. `None` when it is not published, or that can't be
    /// read now: the connection is told no encrypted text then.
    pub async fn own_device(&self, account: i64, device: DeviceId) -> Option<OwnDevice> {
        // What is written down meanwhile is in one of the two.
        let unwritten = self.unwritten(|all| all.known(account, &device));
        let stored = self.accounts.device_done(account, device.clone()).await;
        let failed = |error: DirectoryError| tracing::error!(%error, "a device can't be looked up");
        let done = stored.map_err(failed).ok().flatten()?.max(unwritten);
        let since = unix_now().saturating_sub(OwnDevice::KEPT_FOR);
        Some(OwnDevice { device, done, since })
    }

    /// Notes how far a device has read, to be written soon.
    pub(super) fn note_done(&self, account: i64, device: DeviceId, up_to: Sequence) {
        self.unwritten(|all| all.note(account, device, up_to));
    }

    /// Writes down how far devices have read; what can't be written waits.
    pub(super) async fn write_done(&self) {
        loop {
            let some = self.unwritten(|all| all.some(AT_ONCE));
            if some.is_empty() {
                return;
            }
            if let Err(error) = self.accounts.set_devices_done(some.clone()).await {
                tracing::warn!(%error, "what devices have read could not be written");
                return;
            }
            self.unwritten(|all| all.written(&some));
        }
    }

    /// Tells devices that are connected here that few of their one-time keys are left (EE-2).
    pub(super) async fn tell_low(&self, chat: &Chat) {
        match self.accounts.take_low().await {
            Ok(all) => all.iter().for_each(|low| chat.tell_low(&low.account, &low.low)),
            Err(error) => tracing::warn!(%error, "devices with few keys could not be read"),
        }
    }
}
