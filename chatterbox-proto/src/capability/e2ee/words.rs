//! Names, keys and signatures, as checked text.

use serde_json::Value;

use crate::capability::meta::DeviceId;
use crate::json::Object;

macro_rules! checked {
    ($($(#[$doc:meta])* $name:ident = $check:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(String);

            impl $name {
                /// The text, if it is one.
                pub fn parse(text: &str) -> Option<Self> {
                    let check: fn(&str) -> bool = $check;
                    check(text).then(|| Self(text.to_owned()))
                }

                /// The text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }
        )*
    };
}

checked! {
    /// The name of a key for new sessions within its device: 1 to 32 characters of Base64. Its client chooses it.
    KeyName = |text| (1..=32).contains(&text.len()) && text.bytes().all(is_base64);
    /// A public key, Curve25519 or Ed25519: 32 bytes in Base64 without padding, 43 characters.
    PublicKey = |text| text.len() == 43 && is_exact(text, b"AEIMQUYcgkosw048");
    /// A signature, Ed25519: 64 bytes in Base64 without padding, 86 characters.
    Signature = |text| text.len() == 86 && is_exact(text, b"AQgw");
}

/// A checked text as it stands in JSON.
pub(super) fn read<T>(parse: impl Fn(&str) -> Option<T>, value: Option<&Value>) -> Option<T> {
    parse(value?.as_str()?)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Whether a text is Base64 whose last character has no bits beyond the last byte: each value has one spelling.
fn is_exact(text: &str, last: &[u8]) -> bool {
    text.bytes().all(is_base64) && text.bytes().next_back().is_some_and(|byte| last.contains(&byte))
}

/// A device of an account, as it is published (EE-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub device: DeviceId,
    /// The key that sessions are made with.
    pub curve25519: PublicKey,
    /// The key that signs its keys for new sessions.
    pub ed25519: PublicKey,
    /// The signature of the identity key over [`device_lines`](super::device_lines).
    pub signature: Signature,
}

impl Device {
    /// The JSON object.
    pub fn to_json(&self) -> Vec<u8> {
        Object::with_capacity(320)
            .string("DEVICE", self.device.as_str())
            .string("CURVE25519", self.curve25519.as_str())
            .string("ED25519", self.ed25519.as_str())
            .string("SIGNATURE", self.signature.as_str())
            .into_value()
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            device: read(DeviceId::parse, value.get("DEVICE"))?,
            curve25519: read(PublicKey::parse, value.get("CURVE25519"))?,
            ed25519: read(PublicKey::parse, value.get("ED25519"))?,
            signature: read(Signature::parse, value.get("SIGNATURE"))?,
        })
    }
}

/// A key for one new session, or the fallback key for several, signed by its device (EE-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedKey {
    /// Its name.
    pub name: KeyName,
    /// The Curve25519 key.
    pub key: PublicKey,
    /// The signature of the device over [`key_lines`](super::key_lines).
    pub signature: Signature,
}

impl SignedKey {
    /// `{"KEY", "SIGNATURE"}`, the value of `ONE_TIME` under its name.
    pub(super) fn unnamed_json(&self) -> Vec<u8> {
        Object::with_capacity(176)
            .string("KEY", self.key.as_str())
            .string("SIGNATURE", self.signature.as_str())
            .into_value()
    }

    /// `{"NAME", "KEY", "SIGNATURE"}`.
    pub(super) fn object(&self) -> Object {
        Object::with_capacity(240)
            .string("NAME", self.name.as_str())
            .string("KEY", self.key.as_str())
            .string("SIGNATURE", self.signature.as_str())
    }

    pub(super) fn read_unnamed(name: &str, value: &Value) -> Option<Self> {
        Some(Self {
            name: KeyName::parse(name)?,
            key: read(PublicKey::parse, value.get("KEY"))?,
            signature: read(Signature::parse, value.get("SIGNATURE"))?,
        })
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        Self::read_unnamed(value.get("NAME")?.as_str()?, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_key_is_taken() {
        let key = "A".repeat(43);
        assert!(PublicKey::parse(&key).is_some());
        for wrong in
            [&key[1..], &format!("{key}A"), &format!("{}B", &key[1..]), &format!("{}=", &key[1..])]
        {
            assert_eq!(PublicKey::parse(wrong), None, "{wrong}");
        }
        let signature = "A".repeat(86);
        assert!(Signature::parse(&signature).is_some());
        assert_eq!(Signature::parse(&format!("{}E", &signature[1..])), None);
        assert_eq!(Signature::parse(&format!("{}-A", &signature[2..])), None);
    }

    #[test]
    fn names_are_short_and_plain() {
        for (name, sound) in [("AAAAAQ", true), ("", false), ("a\n", false), ("a=", false)] {
            assert_eq!(KeyName::parse(name).is_some(), sound, "{name:?}");
        }
    }
}
