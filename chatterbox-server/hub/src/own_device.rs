//! Which device a connection is, and which encrypted texts it is still told (EE-4).

use chatterbox_proto::capability::meta::DeviceId;

use crate::record::Sequence;

/// The device of an account that a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDevice {
    /// Its name.
    pub device: DeviceId,
    /// Up to this message it has read and stored what was encrypted for it, and is told none of that again.
    pub done: Sequence,
    /// What arrived before this is dropped, in seconds since 1970 UTC.
    pub since: i64,
}

impl OwnDevice {
    /// What is encrypted for a single device is dropped after this time, in seconds: 30 days.
    pub const KEPT_FOR: i64 = 30 * 24 * 60 * 60;

    /// The device, for a message of this number that arrived at this time; `None` where its encrypted text is dropped.
    pub fn reads(&self, id: Sequence, arrived: i64) -> Option<&DeviceId> {
        (id > self.done && arrived >= self.since).then_some(&self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_and_what_is_old_is_not_told_again() {
        let own = OwnDevice { device: DeviceId::parse("d1").unwrap(), done: 7, since: 100 };
        assert_eq!(own.reads(8, 100), Some(&own.device));
        assert_eq!(own.reads(7, 100), None);
        assert_eq!(own.reads(8, 99), None);
    }
}
