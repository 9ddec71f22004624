//! The texts that are signed (EE-1). Each is a number of lines, every one of which ends with a line feed; none of their parts
//! can have one inside, so no text can be read in two ways.

use super::words::{KeyName, PublicKey};
use crate::capability::meta::DeviceId;
use crate::lookup_key::NameKey;

/// What the identity key signs of a device: `chatterbox e2ee device 1`, the number of the account, its folded name, the name of
/// the device, its Curve25519 key, its Ed25519 key.
pub fn device_lines(
    number: u64,
    account: &impl NameKey,
    device: &DeviceId,
    curve25519: &PublicKey,
    ed25519: &PublicKey,
) -> String {
    let (device, curve25519, ed25519) = (device.as_str(), curve25519.as_str(), ed25519.as_str());
    let account = account.name_key();
    format!("chatterbox e2ee device 1\n{number}\n{account}\n{device}\n{curve25519}\n{ed25519}\n")
}

/// What a key for new sessions is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// For one session.
    OneTime,
    /// For all sessions that begin while there is no other (EE-2).
    Fallback,
}

/// What a device signs of a key for new sessions: `chatterbox e2ee one-time 1` or `chatterbox e2ee fallback 1`, the number of the
/// account, its folded name, the name of the device, the name of the key, the key.
pub fn key_lines(
    kind: KeyKind,
    number: u64,
    account: &impl NameKey,
    device: &DeviceId,
    name: &KeyName,
    key: &PublicKey,
) -> String {
    let kind = match kind {
        KeyKind::OneTime => "one-time",
        KeyKind::Fallback => "fallback",
    };
    let (device, name, key) = (device.as_str(), name.as_str(), key.as_str());
    let account = account.name_key();
    format!("chatterbox e2ee {kind} 1\n{number}\n{account}\n{device}\n{name}\n{key}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Username;

    #[test]
    fn the_lines_are_those_of_the_norm() {
        let name = Username::parse("Bob").unwrap();
        let device = DeviceId::parse("d7").unwrap();
        let (curve, ed) = ("A".repeat(43), "E".repeat(43));
        let key = |text: &str| PublicKey::parse(text).unwrap();
        assert_eq!(
            device_lines(41, &name, &device, &key(&curve), &key(&ed)),
            format!("chatterbox e2ee device 1\n41\nbob\nd7\n{curve}\n{ed}\n")
        );
        let lines = |kind| {
            key_lines(kind, 41, &name, &device, &KeyName::parse("AQ").unwrap(), &key(&curve))
        };
        let rest = format!("41\nbob\nd7\nAQ\n{curve}\n");
        assert_eq!(lines(KeyKind::OneTime), format!("chatterbox e2ee one-time 1\n{rest}"));
        assert_eq!(lines(KeyKind::Fallback), format!("chatterbox e2ee fallback 1\n{rest}"));
    }
}
