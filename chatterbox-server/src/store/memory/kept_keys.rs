//! The public keys of one account in memory.

use std::collections::VecDeque;

use chatterbox_hub::Sequence;
use chatterbox_proto::capability::e2ee::{
    DEVICES, Device, KEPT, KeyKind, KeyName, PublicKey, SignedKey,
};
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::{ClaimedKey, KeysPutDone, NewKeys};

/// The keys of one account.
#[derive(Debug, Default)]
pub(super) struct KeptKeys {
    pub(super) identity: Option<PublicKey>,
    /// In the order in which they were published.
    pub(super) devices: Vec<KeptDevice>,
}

#[derive(Debug)]
pub(super) struct KeptDevice {
    pub(super) device: Device,
    /// The one that was published first is the first.
    pub(super) one_time: VecDeque<SignedKey>,
    /// The greatest name of one that was ever taken.
    newest: Option<KeyName>,
    fallback: Option<SignedKey>,
    pub(super) done: Sequence,
}

impl KeptDevice {
    fn new(device: Device) -> Self {
        Self { device, one_time: VecDeque::new(), newest: None, fallback: None, done: 0 }
    }

    fn add(&mut self, key: &SignedKey) {
        let is_new = self.newest.as_ref().is_none_or(|newest| key.name > *newest);
        if is_new && self.one_time.len() < KEPT {
            self.newest = Some(key.name.clone());
            self.one_time.push_back(key.clone());
        }
    }

    pub(super) fn claim(&mut self) -> Option<ClaimedKey> {
        let one_time = self.one_time.pop_front().map(|key| (KeyKind::OneTime, key));
        one_time.or_else(|| self.fallback())
    }

    pub(super) fn fallback(&self) -> Option<ClaimedKey> {
        self.fallback.clone().map(|key| (KeyKind::Fallback, key))
    }
}

impl KeptKeys {
    pub(super) fn device(&mut self, device: &DeviceId) -> Option<&mut KeptDevice> {
        self.devices.iter_mut().find(|one| one.device.device == *device)
    }

    pub(super) fn put(&mut self, new: &NewKeys) -> KeysPutDone {
        let NewKeys { identity, device, fallback, .. } = new;
        if self.identity.as_ref().is_some_and(|known| known != identity) {
            return KeysPutDone::OtherIdentity;
        }
        let is_same = self.device(&device.device).map(|known| {
            let known = &known.device;
            known.curve25519 == device.curve25519 && known.ed25519 == device.ed25519
        });
        match is_same {
            Some(false) => return KeysPutDone::Taken,
            Some(true) => {}
            None if self.devices.len() >= DEVICES => return KeysPutDone::TooMany,
            None => self.devices.push(KeptDevice::new(device.clone())),
        }
        self.identity = Some(identity.clone());
        let Some(kept) = self.device(&device.device) else { return KeysPutDone::NoAccount };
        new.in_order().into_iter().for_each(|key| kept.add(key));
        if fallback.is_some() {
            kept.fallback.clone_from(fallback);
        }
        KeysPutDone::Yes(kept.one_time.len())
    }
}
