//! How far devices have read, until it is written down: a device says it behind every frame, and is written about once a second.

use std::collections::BTreeMap;

use chatterbox_hub::Sequence;
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::DeviceDone;

/// Devices that wait; of more nothing is noted. They are told again then what they have read, which costs them nothing.
const WAITING: usize = 16 * 1024;

/// Devices that have read on.
#[derive(Debug, Default)]
pub(super) struct Unwritten(BTreeMap<(i64, DeviceId), Sequence>);

impl Unwritten {
    /// Notes how far a device has read.
    pub(super) fn note(&mut self, account: i64, device: DeviceId, up_to: Sequence) {
        let key = (account, device);
        if self.0.len() < WAITING || self.0.contains_key(&key) {
            let known = self.0.entry(key).or_insert(up_to);
            *known = up_to.max(*known);
        }
    }

    /// How far a device has read, as far as that waits; 0 where nothing does.
    pub(super) fn known(&self, account: i64, device: &DeviceId) -> Sequence {
        self.0.get(&(account, device.clone())).copied().unwrap_or(0)
    }

    /// Some of those that wait, which go on waiting.
    pub(super) fn some(&self, most: usize) -> Vec<DeviceDone> {
        let some = self.0.iter().take(most);
        some.map(|((account, device), up_to)| (*account, device.clone(), *up_to)).collect()
    }

    /// Forgets those that were written, unless they have read on since.
    pub(super) fn written(&mut self, written: &[DeviceDone]) {
        for (account, device, up_to) in written {
            let key = (*account, device.clone());
            if self.0.get(&key) == Some(up_to) {
                self.0.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_while_it_was_written_is_written_again() {
        let device = |text: &str| DeviceId::parse(text).unwrap();
        let mut all = Unwritten::default();
        all.note(1, device("a"), 5);
        all.note(1, device("a"), 3);
        all.note(1, device("b"), 4);
        let some = all.some(9);
        assert_eq!(some, [(1, device("a"), 5), (1, device("b"), 4)]);
        all.note(1, device("a"), 6);
        all.written(&some);
        assert_eq!(all.some(9), [(1, device("a"), 6)]);
        assert_eq!((all.known(1, &device("a")), all.known(1, &device("b"))), (6, 0));
    }

    #[test]
    fn there_is_an_end_to_what_waits() {
        let device = DeviceId::parse("a").unwrap();
        let mut all = Unwritten::default();
        for account in 0..2 * WAITING as i64 {
            all.note(account, device.clone(), 1);
        }
        assert_eq!(all.some(usize::MAX).len(), WAITING);
        all.note(0, device.clone(), 2);
        assert_eq!(all.known(0, &device), 2, "one that waits goes on");
    }
}
