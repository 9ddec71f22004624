//! Devices of which few one-time keys are left, until they are told.

use std::collections::BTreeMap;

use chatterbox_hub::{AccountKey, LoggedIn};
use chatterbox_proto::Username;
use chatterbox_proto::capability::e2ee::{KeysLow, LOW};
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::keys_directory::{LOW_DEVICES, LowKeys};

/// Devices with few keys, each once.
#[derive(Debug, Default)]
pub struct LowDevices(BTreeMap<(i64, DeviceId), (Username, usize)>);

impl LowDevices {
    /// Notes how many one-time keys of a device are left after somebody has asked for one.
    pub fn note(&mut self, account: i64, name: &Username, device: &DeviceId, left: usize) {
        let key = (account, device.clone());
        if left < LOW && (self.0.len() < LOW_DEVICES || self.0.contains_key(&key)) {
            self.0.insert(key, (name.clone(), left));
        }
    }

    /// Takes them out.
    pub fn take(&mut self) -> Vec<LowKeys> {
        let all = std::mem::take(&mut self.0).into_iter();
        all.map(|((id, device), (account, count))| LowKeys {
            account: LoggedIn { account, account_key: AccountKey { id, epoch: 0 } },
            low: KeysLow { device, count },
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_noted_once_and_not_without_end() {
        let mut low = LowDevices::default();
        let (ann, device) = (Username::stored("ann"), DeviceId::parse("d1").unwrap());
        low.note(1, &ann, &device, LOW);
        assert_eq!(low.take(), []);
        low.note(1, &ann, &device, 9);
        low.note(1, &ann, &device, 8);
        let taken = low.take();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken.first().map(|low| low.low.count), Some(8));
        for account in 0..2 * LOW_DEVICES as i64 {
            low.note(account, &ann, &device, 1);
        }
        assert_eq!(low.take().len(), LOW_DEVICES);
        assert_eq!(low.take(), [], "each is told once");
    }
}
