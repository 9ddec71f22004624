//! Public keys of accounts, as long as the process lives (EE-1, EE-2).

use chatterbox_hub::Sequence;
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::{
    AccountKeys, ClaimedKey, DeviceDone, DirectoryError, KeysDirectory, KeysPutDone, LowKeys,
    NewKeys,
};
use crate::store::memory::accounts::Memory;
use crate::store::memory::kept_keys::KeptKeys;

impl KeysDirectory for Memory {
    fn put_keys(&mut self, new: &NewKeys) -> Result<KeysPutDone, DirectoryError> {
        let name = &new.device.device;
        let has_it = |keys: &KeptKeys| keys.devices.iter().any(|one| one.device.device == *name);
        if self.all_keys().any(|(account, keys)| account != new.account && has_it(keys)) {
            return Ok(KeysPutDone::Taken);
        }
        let keys = self.keys_mut(new.account);
        Ok(keys.map_or(KeysPutDone::NoAccount, |(_, keys)| keys.put(new)))
    }

    fn keys_of(&mut self, account: i64) -> Result<AccountKeys, DirectoryError> {
        let Some((_, keys)) = self.keys_mut(account) else { return Ok(AccountKeys::default()) };
        let devices = keys.devices.iter().map(|one| one.device.clone()).collect();
        Ok(AccountKeys { identity: keys.identity.clone(), devices })
    }

    fn claim_keys(
        &mut self,
        devices: &[(i64, DeviceId)],
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError> {
        let mut claimed = Vec::with_capacity(devices.len());
        for (account, device) in devices {
            let mut left = None;
            let mut key = None;
            if let Some((name, keys)) = self.keys_mut(*account)
                && let Some(kept) = keys.device(device)
            {
                key = kept.claim();
                left = Some((name.clone(), kept.one_time.len()));
            }
            if let Some((name, left)) = left {
                self.low_mut().note(*account, &name, device, left);
            }
            claimed.push(key);
        }
        Ok(claimed)
    }

    fn fallback_key(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<ClaimedKey>, DirectoryError> {
        let kept = self.keys_mut(account).and_then(|(_, keys)| keys.device(device));
        Ok(kept.and_then(|kept| kept.fallback()))
    }

    fn device_done(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<Sequence>, DirectoryError> {
        let keys = self.keys_mut(account);
        Ok(keys.and_then(|(_, keys)| keys.device(device)).map(|kept| kept.done))
    }

    fn set_devices_done(&mut self, done: &[DeviceDone]) -> Result<(), DirectoryError> {
        for (account, device, up_to) in done {
            let keys = self.keys_mut(*account);
            if let Some(kept) = keys.and_then(|(_, keys)| keys.device(device)) {
                kept.done = kept.done.max(*up_to);
            }
        }
        Ok(())
    }

    fn reset_keys(&mut self, account: i64) -> Result<bool, DirectoryError> {
        let Some((_, keys)) = self.keys_mut(account) else { return Ok(false) };
        Ok(std::mem::take(keys).identity.is_some())
    }

    fn remove_device(&mut self, account: i64, device: &DeviceId) -> Result<bool, DirectoryError> {
        let Some((_, keys)) = self.keys_mut(account) else { return Ok(false) };
        let before = keys.devices.len();
        keys.devices.retain(|one| one.device.device != *device);
        Ok(keys.devices.len() < before)
    }

    fn take_low(&mut self) -> Result<Vec<LowKeys>, DirectoryError> {
        Ok(self.low_mut().take())
    }
}
