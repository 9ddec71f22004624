//! The encrypted text of a private message: for each device a text of its own.
//!
//! Nothing here knows what is encrypted, or how: the server hands each device its own entry, and that is all.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::is_base64url;
use crate::json;
use crate::limits;

const FROM: &str = "FROM";
const TO: &str = "TO";

/// The name of a device of an account: 1 to 32 letters, digits, `-` and `_` of ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(Box<str>);

impl DeviceId {
    /// The name, if the text can be one.
    pub fn parse(text: &str) -> Option<Self> {
        is_base64url(text, limits::DEVICE_ID).then(|| Self(text.into()))
    }

    /// The name as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What one device is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFor {
    /// The device that can read it.
    pub device: DeviceId,
    /// The type of the encrypted message, which is the library's number.
    pub kind: u8,
    /// The encrypted message in base64, with or without padding.
    pub body: Box<str>,
}

/// `E2EE {"FROM": device, "TO": {device: [type, base64]}}`: one encrypted text, for each device that is to read it.
///
/// As a client puts it there are several entries in TO; a server tells one device its own entry only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The device of the sender.
    pub from: DeviceId,
    /// What each device is sent, at most [`limits::SEALED_DEVICES`]; no device stands twice.
    pub to: Vec<SealedFor>,
}

impl Sealed {
    /// The bytes of all its texts.
    pub fn size(&self) -> usize {
        self.to.iter().map(|entry| entry.body.len()).sum()
    }

    /// Reads the object as [`Sealed::push_json`] writes it.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Appends the object that stands behind `E2EE`.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        push_sealed(out, &self.from, self.to.iter());
    }

    /// Appends what one device is told: the object with its own entry only. Says whether there is one.
    pub fn push_json_for(&self, device: &DeviceId, out: &mut Vec<u8>) -> bool {
        let own = self.to.iter().find(|entry| entry.device == *device);
        if let Some(own) = own {
            push_sealed(out, &self.from, std::iter::once(own));
        }
        own.is_some()
    }

    /// Reads the object as a server tells it; what can't be meant makes it none.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let from = DeviceId::parse(value.get(FROM)?.as_str()?)?;
        let to = value.get(TO)?.as_object()?;
        (to.len() <= limits::SEALED_DEVICES).then_some(())?;
        let entry = |(device, entry): (&String, &Value)| match entry.as_array()?.as_slice() {
            [kind, body] => new_entry(device, kind.as_u64()?, body.as_str()?),
            _ => None,
        };
        Some(Self { from, to: to.iter().map(entry).collect::<Option<_>>()? })
    }
}

fn push_sealed<'s>(out: &mut Vec<u8>, from: &DeviceId, to: impl Iterator<Item = &'s SealedFor>) {
    out.extend_from_slice(b"{\"FROM\": ");
    json::push_string(out, from.as_str());
    out.extend_from_slice(b", \"TO\": {");
    for (place, entry) in to.enumerate() {
        if place > 0 {
            out.extend_from_slice(json::LIST_SEPARATOR);
        }
        json::push_string(out, entry.device.as_str());
        out.extend_from_slice(b": [");
        json::push_integer(out, entry.kind.into());
        out.extend_from_slice(json::LIST_SEPARATOR);
        json::push_string(out, &entry.body);
        out.push(b']');
    }
    out.extend_from_slice(b"}}");
}

fn new_entry(device: &str, kind: u64, body: &str) -> Option<SealedFor> {
    let device = DeviceId::parse(device)?;
    let kind = u8::try_from(kind).ok()?;
    let digits = body.trim_end_matches('=');
    let base64 = digits.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    let sound = base64
        && !digits.is_empty()
        && body.len() - digits.len() <= 2
        && body.len() <= limits::SEALED;
    sound.then(|| SealedFor { device, kind, body: body.into() })
}

/// The object as a client may put it, and nothing else: a key or a device twice is an error.
impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadSealed)
    }
}

struct ReadSealed;

impl<'de> Visitor<'de> for ReadSealed {
    type Value = Sealed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object {FROM, TO}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Sealed, A::Error> {
        let (mut from, mut to) = (None, None);
        while let Some(key) = object.next_key::<String>()? {
            let twice = match key.as_str() {
                FROM => {
                    let device = DeviceId::parse(&object.next_value::<String>()?);
                    from.replace(device.ok_or_else(|| A::Error::custom("no device"))?).is_some()
                }
                TO => to.replace(object.next_value::<SealedTo>()?).is_some(),
                _ => return Err(A::Error::custom("an unknown key")),
            };
            if twice {
                return Err(A::Error::custom("a key twice"));
            }
        }
        match (from, to) {
            (Some(from), Some(SealedTo(to))) => Ok(Sealed { from, to }),
            _ => Err(A::Error::custom("a key is missing")),
        }
    }
}

struct SealedTo(Vec<SealedFor>);

impl<'de> Deserialize<'de> for SealedTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadSealedTo)
    }
}

struct ReadSealedTo;

impl<'de> Visitor<'de> for ReadSealedTo {
    type Value = SealedTo;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object {device: [type, base64]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<SealedTo, A::Error> {
        let mut to: Vec<SealedFor> = Vec::new();
        while let Some((device, (kind, body))) = object.next_entry::<String, (u64, String)>()? {
            let entry = new_entry(&device, kind, &body);
            let entry = entry.ok_or_else(|| A::Error::custom("no device, type or base64"))?;
            if to.len() == limits::SEALED_DEVICES || to.iter().any(|e| e.device == entry.device) {
                return Err(A::Error::custom("too many devices, or one twice"));
            }
            to.push(entry);
        }
        Ok(SealedTo(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Sealed> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn a_device_is_told_its_own_entry_only() {
        let text = r#"{"FROM": "d2", "TO": {"d7": [0, "AwogD8=="], "d_-8": [1, "xx/+"]}}"#;
        let sealed = read(text).unwrap();
        let mut out = Vec::new();
        sealed.push_json(&mut out);
        assert_eq!(std::str::from_utf8(&out), Ok(text));
        let told = |device: &str| {
            let mut out = Vec::new();
            let told = sealed.push_json_for(&DeviceId::parse(device).unwrap(), &mut out);
            told.then(|| String::from_utf8(out).unwrap())
        };
        assert_eq!(told("d7").unwrap(), r#"{"FROM": "d2", "TO": {"d7": [0, "AwogD8=="]}}"#);
        assert_eq!(told("d_-8").unwrap(), r#"{"FROM": "d2", "TO": {"d_-8": [1, "xx/+"]}}"#);
        assert_eq!(told("d2"), None);
        let again = Sealed::read(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(again, sealed);
    }

    #[test]
    fn whatever_else_a_client_puts_is_none() {
        assert!(read(r#"{"TO": {}, "FROM": "d"}"#).is_some_and(|sealed| sealed.to.is_empty()));
        for text in [
            "[]",
            "{}",
            "null",
            r#"["d", {}]"#,
            r#"{"FROM": "d"}"#,
            r#"{"TO": {}}"#,
            r#"{"FROM": "d", "TO": []}"#,
            r#"{"FROM": "", "TO": {}}"#,
            r#"{"FROM": "d e", "TO": {}}"#,
            r#"{"FROM": 5, "TO": {}}"#,
            r#"{"FROM": "d", "TO": {}, "X": 1}"#,
            r#"{"FROM": "d", "FROM": "d", "TO": {}}"#,
            r#"{"FROM": "d", "TO": {}, "TO": {}}"#,
            r#"{"FROM": "d", "TO": {"a": [0, "xx"], "a": [0, "xx"]}}"#,
            r#"{"FROM": "d", "TO": {"a": [0]}}"#,
            r#"{"FROM": "d", "TO": {"a": [0, "xx", 1]}}"#,
            r#"{"FROM": "d", "TO": {"a": [256, "xx"]}}"#,
            r#"{"FROM": "d", "TO": {"a": [-1, "xx"]}}"#,
            r#"{"FROM": "d", "TO": {"a": [0, ""]}}"#,
            r#"{"FROM": "d", "TO": {"a": [0, "=="]}}"#,
            r#"{"FROM": "d", "TO": {"a": [0, "x==="]}}"#,
            r#"{"FROM": "d", "TO": {"a": [0, "x x"]}}"#,
            r#"{"FROM": "d", "TO": {"a": {"0": "xx"}}}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let devices = |count: usize| {
            let to: Vec<_> = (0..count).map(|n| format!(r#""d{n}": [0, "xx"]"#)).collect();
            format!(r#"{{"FROM": "d", "TO": {{{}}}}}"#, to.join(", "))
        };
        assert!(read(&devices(limits::SEALED_DEVICES)).is_some());
        assert_eq!(read(&devices(limits::SEALED_DEVICES + 1)), None);
    }
}
