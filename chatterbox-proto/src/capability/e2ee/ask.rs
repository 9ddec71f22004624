//! What a client publishes and asks for: written by the client, read by the server.

use serde_json::Value;

use super::words::{Device, PublicKey, SignedKey, read};
use super::{CLAIMS, KEYS_CLAIM, KEYS_DONE, KEYS_GET, KEYS_PUT, NAMES, PUT};
use crate::capability::ids::{Id, read_id};
use crate::capability::meta::DeviceId;
use crate::json::{self, Object};
use crate::limits;
use crate::text::WireText;

/// What a client may ask of the directory; all but the last are answered with KEYS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysRequest {
    /// Publish (EE-1).
    Put(Box<KeysPut>),
    /// Identity and devices of users (EE-2).
    Get(KeysGet),
    /// A key for a new session with each of these devices (EE-2).
    Claim(KeysClaim),
    /// Everything up to this message is read and stored (EE-4).
    Done(KeysDone),
}

/// `KEYS_PUT`: publishes, only of the account that this connection is logged in as (EE-1).
///
/// What stands there already and is the same is taken again, so a client may say it on every connection: it also says which
/// device the connection is. Keys for new sessions are added to those that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysPut {
    /// 1 to 64 bytes, which come back in the answer.
    pub id: String,
    /// The identity key of the account.
    pub identity: PublicKey,
    /// The device, signed by it.
    pub device: Device,
    /// One-time keys, at most [`PUT`], in the order in which they are handed out; their names rise byte by byte.
    pub one_time: Vec<SignedKey>,
    /// The key that takes the place of the fallback key kept, if any.
    pub fallback: Option<SignedKey>,
}

impl KeysPut {
    /// `KEYS_PUT`, as a client says it.
    pub fn to_object(&self) -> Object {
        let mut one_time = Object::with_capacity(192 * self.one_time.len() + 16);
        for key in &self.one_time {
            one_time = one_time.json(key.name.as_str(), &key.unnamed_json());
        }
        let mut put = Object::with_capacity(192 * self.one_time.len() + 768)
            .string("ID", &self.id)
            .string("IDENTITY", self.identity.as_str())
            .json("DEVICE", &self.device.to_json())
            .json("ONE_TIME", &one_time.into_value());
        if let Some(fallback) = &self.fallback {
            put = put.json("FALLBACK", &fallback.object().into_value());
        }
        under(KEYS_PUT, put)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let one_time = match value.get("ONE_TIME") {
            None => Vec::new(),
            Some(keys) => {
                let keys = keys.as_object().filter(|keys| keys.len() <= PUT)?;
                let read = keys.iter().map(|(name, key)| SignedKey::read_unnamed(name, key));
                let mut keys: Vec<_> = read.collect::<Option<_>>()?;
                keys.sort_by(|one, other| one.name.cmp(&other.name));
                keys
            }
        };
        let fallback = match value.get("FALLBACK") {
            None | Some(Value::Null) => None,
            Some(key) => Some(SignedKey::read(key)?),
        };
        Some(Self {
            id: read_request_id(value)?,
            identity: read(PublicKey::parse, value.get("IDENTITY"))?,
            device: Device::read(value.get("DEVICE")?)?,
            one_time,
            fallback,
        })
    }
}

/// `KEYS_GET`: asks for identity and devices of users, by the names that they have now or by those of their accounts (EE-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysGet {
    /// 1 to 64 bytes, which come back in the answer.
    pub id: String,
    /// At most [`NAMES`] names.
    pub names: Vec<WireText<'static>>,
}

impl KeysGet {
    /// `KEYS_GET`, as a client asks.
    pub fn to_object(&self) -> Object {
        let names = self.names.iter().map(|name| json::string(name.as_wire()));
        let get = Object::with_capacity(64 + 40 * self.names.len());
        under(KEYS_GET, get.string("ID", &self.id).list("NAMES", names))
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let names = value.get("NAMES")?.as_array()?;
        if !(1..=NAMES).contains(&names.len()) {
            return None;
        }
        let names = names.iter().map(read_name).collect::<Option<_>>()?;
        Some(Self { id: read_request_id(value)?, names })
    }
}

/// `KEYS_CLAIM`: asks for a key for a new session with each of these devices (EE-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysClaim {
    /// 1 to 64 bytes, which come back in the answer.
    pub id: String,
    /// At most [`CLAIMS`] devices, each with the name of its user.
    pub devices: Vec<(WireText<'static>, DeviceId)>,
}

impl KeysClaim {
    /// `KEYS_CLAIM`, as a client asks.
    pub fn to_object(&self) -> Object {
        let devices = self.devices.iter().map(|(name, device)| {
            let mut pair = b"[".to_vec();
            json::push_string(&mut pair, name.as_wire());
            pair.extend_from_slice(json::LIST_SEPARATOR);
            json::push_string(&mut pair, device.as_str());
            pair.push(b']');
            pair
        });
        let claim = Object::with_capacity(64 + 60 * self.devices.len());
        under(KEYS_CLAIM, claim.string("ID", &self.id).list("DEVICES", devices))
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let devices = value.get("DEVICES")?.as_array()?;
        if !(1..=CLAIMS).contains(&devices.len()) {
            return None;
        }
        let devices = devices.iter().map(|pair| match pair.as_array()?.as_slice() {
            [name, device] => Some((read_name(name)?, read(DeviceId::parse, Some(device))?)),
            _ => None,
        });
        let devices = devices.collect::<Option<_>>()?;
        Some(Self { id: read_request_id(value)?, devices })
    }
}

/// `KEYS_DONE`: what was encrypted for this device in messages up to this one is read and stored, and may be dropped (EE-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysDone {
    /// The id of the last of them.
    pub up_to: Id,
}

impl KeysDone {
    /// `KEYS_DONE`, as a client says it.
    pub fn to_object(self) -> Object {
        let up_to = i64::try_from(self.up_to).unwrap_or(i64::MAX);
        under(KEYS_DONE, Object::with_capacity(32).integer("UPTO", up_to))
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self { up_to: read_id(value.get("UPTO")?)? })
    }
}

pub(super) fn under(key: &str, value: Object) -> Object {
    let value = value.into_value();
    Object::with_capacity(value.len() + 24).json(key, &value)
}

fn read_request_id(value: &Value) -> Option<String> {
    let id = value.get("ID")?.as_str()?;
    (1..=limits::TAG).contains(&id.len()).then(|| id.to_owned())
}

fn read_name(value: &Value) -> Option<WireText<'static>> {
    let name = value.as_str().filter(|name| name.len() <= limits::PAGE_WITH)?;
    Some(WireText::new(name.to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::words::{KeyName, Signature};
    use super::*;

    const BASE64: &[std::ops::RangeInclusive<char>] =
        &['A'..='Z', 'a'..='z', '0'..='9', '+'..='+', '/'..='/'];

    fn chars(n: usize, last: &'static str) -> impl Strategy<Value = String> {
        let body = prop::collection::vec(prop::char::ranges(BASE64.into()), n - 1);
        (body, last).prop_map(|(body, last)| body.into_iter().collect::<String>() + &last)
    }

    pub(crate) fn public_key() -> impl Strategy<Value = PublicKey> {
        chars(43, "[AEIMQUYcgkosw048]").prop_map(|text| PublicKey::parse(&text).unwrap())
    }

    fn signature() -> impl Strategy<Value = Signature> {
        chars(86, "[AQgw]").prop_map(|text| Signature::parse(&text).unwrap())
    }

    pub(crate) fn device_name() -> impl Strategy<Value = DeviceId> {
        "[A-Za-z0-9_-]{1,32}".prop_map(|text| DeviceId::parse(&text).unwrap())
    }

    pub(crate) fn device() -> impl Strategy<Value = Device> {
        (device_name(), public_key(), public_key(), signature()).prop_map(
            |(device, curve25519, ed25519, signature)| Device {
                device,
                curve25519,
                ed25519,
                signature,
            },
        )
    }

    pub(crate) fn signed_key() -> impl Strategy<Value = SignedKey> {
        ("[A-Za-z0-9+/]{1,32}", public_key(), signature()).prop_map(|(name, key, signature)| {
            SignedKey { name: KeyName::parse(&name).unwrap(), key, signature }
        })
    }

    fn put() -> impl Strategy<Value = KeysPut> {
        let keys = prop::collection::vec(signed_key(), 0..=PUT);
        ("[ -~]{1,64}", public_key(), device(), keys, prop::option::of(signed_key())).prop_map(
            |(id, identity, device, mut one_time, fallback)| {
                one_time.sort_by(|one, other| one.name.cmp(&other.name));
                one_time.dedup_by(|one, other| one.name == other.name);
                KeysPut { id, identity, device, one_time, fallback }
            },
        )
    }

    pub(crate) fn value_of(object: Object, key: &str) -> Value {
        let mut value: Value = serde_json::from_slice(&object.into_value()).unwrap();
        value[key].take()
    }

    proptest! {
        #[test]
        fn what_is_published_is_read(put in put()) {
            let value = value_of(put.to_object(), KEYS_PUT);
            prop_assert_eq!(KeysPut::read(&value), Some(put));
        }

        #[test]
        fn what_is_asked_is_read(
            id in "[ -~]{1,64}",
            names in prop::collection::vec(any::<String>(), 1..=NAMES),
            device in device_name(),
            up_to in 0..=limits::LARGEST_ID,
        ) {
            let names: Vec<_> = names.into_iter().map(WireText::new).collect();
            let get = KeysGet { id: id.clone(), names: names.clone() };
            prop_assert_eq!(KeysGet::read(&value_of(get.to_object(), KEYS_GET)), Some(get));
            let devices = names.into_iter().map(|name| (name, device.clone())).collect();
            let claim = KeysClaim { id, devices };
            prop_assert_eq!(KeysClaim::read(&value_of(claim.to_object(), KEYS_CLAIM)), Some(claim));
            let done = KeysDone { up_to };
            prop_assert_eq!(KeysDone::read(&value_of(done.to_object(), KEYS_DONE)), Some(done));
        }
    }

    #[test]
    fn what_is_malformed_or_too_much_is_not_taken() {
        let get = |names: Value| KeysGet::read(&serde_json::json!({"ID": "1", "NAMES": names}));
        assert!(get(serde_json::json!(["a"])).is_some());
        assert_eq!(get(serde_json::json!([])), None);
        assert_eq!(get(serde_json::json!([1])), None);
        assert_eq!(get(serde_json::json!(vec!["a"; NAMES + 1])), None);
        let claim =
            |devices: Value| KeysClaim::read(&serde_json::json!({"ID": "1", "DEVICES": devices}));
        assert!(claim(serde_json::json!([["a", "d1"]])).is_some());
        assert_eq!(claim(serde_json::json!([["a", "d1", "x"]])), None);
        assert_eq!(claim(serde_json::json!([["a", "d 1"]])), None);
        assert_eq!(claim(serde_json::json!(vec![["a", "d1"]; CLAIMS + 1])), None);
        assert_eq!(KeysGet::read(&serde_json::json!({"ID": "", "NAMES": ["a"]})), None);
        assert_eq!(KeysDone::read(&serde_json::json!({"UPTO": -1})), None);
    }
}
