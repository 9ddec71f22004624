//! Public keys of an account, as they stand in the order.

use chatterbox_proto::capability::e2ee::{Device, KeyName, PublicKey, Signature, SignedKey};
use chatterbox_proto::capability::meta::DeviceId;
use serde::{Deserialize, Serialize};

use crate::accounts::{DeviceDone, NewKeys};
use crate::store::shared::not_understood::NotUnderstood;

/// What the owner of an account publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenKeys {
    account: i64,
    identity: String,
    /// Its name, its keys and the signature of those.
    device: (String, String, String, String),
    one_time: Vec<WrittenKey>,
    fallback: Option<WrittenKey>,
}

/// The name of a key, the key, and its signature.
type WrittenKey = (String, String, String);

fn written_key(key: &SignedKey) -> WrittenKey {
    let SignedKey { name, key, signature } = key;
    (name.as_str().to_owned(), key.as_str().to_owned(), signature.as_str().to_owned())
}

fn read_key((name, key, signature): &WrittenKey) -> Option<SignedKey> {
    Some(SignedKey {
        name: KeyName::parse(name)?,
        key: PublicKey::parse(key)?,
        signature: Signature::parse(signature)?,
    })
}

/// Reads the name of a device.
pub(super) fn device_name(text: &str) -> Result<DeviceId, NotUnderstood> {
    DeviceId::parse(text).ok_or(NotUnderstood)
}

/// Reads devices of accounts.
pub(super) fn read_devices(
    devices: &[(i64, String)],
) -> Result<Vec<(i64, DeviceId)>, NotUnderstood> {
    let all = devices.iter().map(|(account, device)| Some((*account, DeviceId::parse(device)?)));
    all.collect::<Option<_>>().ok_or(NotUnderstood)
}

/// Reads how far devices of accounts have read.
pub(super) fn read_done(done: &[(i64, String, u64)]) -> Result<Vec<DeviceDone>, NotUnderstood> {
    let all = done
        .iter()
        .map(|(account, device, up_to)| Some((*account, DeviceId::parse(device)?, *up_to)));
    all.collect::<Option<_>>().ok_or(NotUnderstood)
}

impl WrittenKeys {
    pub(super) fn of(new: &NewKeys) -> Self {
        let NewKeys { account, identity, device, one_time, fallback } = new;
        let Device { device, curve25519, ed25519, signature } = device;
        let text = str::to_owned;
        Self {
            account: *account,
            identity: text(identity.as_str()),
            device: (
                text(device.as_str()),
                text(curve25519.as_str()),
                text(ed25519.as_str()),
                text(signature.as_str()),
            ),
            one_time: one_time.iter().map(written_key).collect(),
            fallback: fallback.as_ref().map(written_key),
        }
    }

    pub(super) fn read(&self) -> Result<NewKeys, NotUnderstood> {
        self.checked().ok_or(NotUnderstood)
    }

    fn checked(&self) -> Option<NewKeys> {
        let (device, curve25519, ed25519, signature) = &self.device;
        let device = Device {
            device: DeviceId::parse(device)?,
            curve25519: PublicKey::parse(curve25519)?,
            ed25519: PublicKey::parse(ed25519)?,
            signature: Signature::parse(signature)?,
        };
        let fallback = match &self.fallback {
            Some(key) => Some(read_key(key)?),
            None => None,
        };
        Some(NewKeys {
            account: self.account,
            identity: PublicKey::parse(&self.identity)?,
            device,
            one_time: self.one_time.iter().map(read_key).collect::<Option<_>>()?,
            fallback,
        })
    }
}
