//! What the directory answers: written by the server, read by the client.

use serde_json::Value;

use super::ask::under;
use super::lines::KeyKind;
use super::words::{Device, PublicKey, SignedKey, read};
use super::{CLAIMS, DEVICES, KEYS, KEYS_LOW, NAMES};
use crate::capability::ids::WAIT;
use crate::capability::meta::DeviceId;
use crate::json::{self, Object};
use crate::text::WireText;

/// `KEYS`: the answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysAnswer {
    /// The ID of the request.
    pub id: WireText<'static>,
    /// The answer.
    pub keys: Keys,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// To KEYS_PUT: it is published.
    Put {
        /// The number of the account, which never belongs to another one.
        number: u64,
        /// The device, which this connection is from now on.
        device: DeviceId,
        /// How many one-time keys are kept for it.
        count: usize,
    },
    /// To KEYS_GET: each name that was asked for, with `None` for one that is of no account.
    Users(Vec<(WireText<'static>, Option<UserKeys>)>),
    /// To KEYS_CLAIM: each device that was asked for.
    OneTime(Vec<Claimed>),
    /// It is refused, and nothing was done.
    Refused {
        /// The machine word of the reason ([`KeysCode`]).
        code: WireText<'static>,
        /// The reason, for the user.
        error: WireText<'static>,
        /// After how many seconds trying again makes sense (CP-12).
        wait: Option<u64>,
    },
}

/// What is published of one account (EE-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKeys {
    /// The name of the account, whatever name its user has at the moment; what is signed names it.
    pub account: WireText<'static>,
    /// The number of the account.
    pub number: u64,
    /// The identity key; `None` while nothing is published.
    pub identity: Option<PublicKey>,
    /// The devices, the oldest first, at most [`DEVICES`].
    pub devices: Vec<Device>,
}

/// The key for a new session with one device (EE-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The name of the user, as it was asked for.
    pub name: WireText<'static>,
    /// The device.
    pub device: DeviceId,
    /// The key, and what it is good for; `None` when there is no such device, or no key of it.
    pub key: Option<(KeyKind, SignedKey)>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $text:literal;)*) => {
        /// Why a request to the directory is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum KeysCode {
            $($(#[$doc])* $variant,)*
        }

        impl KeysCode {
            /// Every one of them.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The stable machine word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The text for the user.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    /// The connection is not logged in.
    Guest = "guest", "only a registered user who is logged in has keys";
    /// A signature is not that of the key that should have made it (EE-1).
    BadSignature = "bad-signature", "a signature is wrong";
    /// Another identity key is published for this account (EE-1).
    OtherIdentity = "other-identity", "this account has another identity key";
    /// There is a device of this name, of another account or with other keys.
    Taken = "taken", "there is another device of this name";
    /// The account has as many devices as it may have (EE-1).
    TooMany = "too-many", "this account has too many devices; remove one first";
    /// Too many keys were claimed in a minute (EE-2).
    Throttled = "throttled", "too many keys were asked for, try again later";
    /// The directory can't be read or written now.
    NotStored = "not-stored", "the server can't read or store keys now, try again later";
}

impl KeysAnswer {
    /// `KEYS` for a request that is refused; `wait` in seconds.
    pub fn refused(id: &str, code: KeysCode, wait: Option<u64>) -> Self {
        let (code, error) = (WireText::new(code.word()), WireText::new(code.text()));
        Self { id: WireText::new(id.to_owned()), keys: Keys::Refused { code, error, wait } }
    }

    /// `KEYS`, as a server answers.
    pub fn to_object(&self) -> Object {
        let object = Object::with_capacity(256).string("ID", self.id.as_wire());
        let object = match &self.keys {
            Keys::Put { number, device, count } => object
                .integer("NUMBER", signed(*number))
                .string("DEVICE", device.as_str())
                .integer("COUNT", i64::try_from(*count).unwrap_or(i64::MAX)),
            Keys::Users(users) => {
                let mut each = Object::with_capacity(64 + 512 * users.len());
                for (name, keys) in users {
                    let keys = keys.as_ref().map(UserKeys::to_json);
                    each = each.json(name.as_wire(), keys.as_deref().unwrap_or(b"null"));
                }
                object.json("USERS", &each.into_value())
            }
            Keys::OneTime(claimed) => object.list("ONE_TIME", claimed.iter().map(Claimed::to_json)),
            Keys::Refused { code, error, wait } => {
                let object = object.string("CODE", code.as_wire()).string("ERROR", error.as_wire());
                match wait {
                    Some(wait) => object.integer(WAIT, signed(*wait)),
                    None => object,
                }
            }
        };
        under(KEYS, object)
    }

    /// The answer has to have an ID; what is malformed inside of it is left out, since its request is answered even so.
    pub(crate) fn read(value: Value) -> Option<Self> {
        let Value::Object(mut answer) = value else { return None };
        let text = |value: &Value| value.as_str().map(|text| WireText::new(text.to_owned()));
        let id = text(answer.get("ID")?)?;
        let keys = if let Some(code) = answer.get("CODE") {
            let error = answer.get("ERROR").and_then(text).unwrap_or_default();
            Keys::Refused {
                code: text(code)?,
                error,
                wait: answer.get(WAIT).and_then(Value::as_u64),
            }
        } else if let Some(users) = answer.remove("USERS") {
            let Value::Object(users) = users else { return None };
            let user = |(name, keys): (String, Value)| (WireText::new(name), UserKeys::read(&keys));
            Keys::Users(users.into_iter().take(NAMES).map(user).collect())
        } else if let Some(claimed) = answer.get("ONE_TIME") {
            let claimed = claimed.as_array()?.iter().take(CLAIMS);
            Keys::OneTime(claimed.filter_map(Claimed::read).collect())
        } else {
            Keys::Put {
                number: answer.get("NUMBER")?.as_u64()?,
                device: read(DeviceId::parse, answer.get("DEVICE"))?,
                count: usize::try_from(answer.get("COUNT")?.as_u64()?).ok()?,
            }
        };
        Some(Self { id, keys })
    }
}

impl UserKeys {
    fn to_json(&self) -> Vec<u8> {
        let object = Object::with_capacity(128 + 320 * self.devices.len())
            .string("ACCOUNT", self.account.as_wire())
            .integer("NUMBER", signed(self.number));
        let object = match &self.identity {
            Some(identity) => object.string("IDENTITY", identity.as_str()),
            None => object.json("IDENTITY", b"null"),
        };
        object.list("DEVICES", self.devices.iter().map(Device::to_json)).into_value()
    }

    fn read(value: &Value) -> Option<Self> {
        let devices = value.get("DEVICES")?.as_array()?.iter().take(DEVICES);
        Some(Self {
            account: WireText::new(value.get("ACCOUNT")?.as_str()?.to_owned()),
            number: value.get("NUMBER")?.as_u64()?,
            identity: read(PublicKey::parse, value.get("IDENTITY")),
            devices: devices.filter_map(Device::read).collect(),
        })
    }
}

impl Claimed {
    fn to_json(&self) -> Vec<u8> {
        let mut out = b"[".to_vec();
        json::push_string(&mut out, self.name.as_wire());
        out.extend_from_slice(json::LIST_SEPARATOR);
        json::push_string(&mut out, self.device.as_str());
        out.extend_from_slice(json::LIST_SEPARATOR);
        match &self.key {
            None => out.extend_from_slice(b"null"),
            Some((KeyKind::OneTime, key)) => out.extend(key.object().into_value()),
            Some((KeyKind::Fallback, key)) => {
                out.extend(key.object().boolean("FALLBACK", true).into_value());
            }
        }
        out.push(b']');
        out
    }

    fn read(value: &Value) -> Option<Self> {
        let [name, device, key] = value.as_array()?.as_slice() else { return None };
        let kind = match key.get("FALLBACK").and_then(Value::as_bool) {
            Some(true) => KeyKind::Fallback,
            _ => KeyKind::OneTime,
        };
        Some(Self {
            name: WireText::new(name.as_str()?.to_owned()),
            device: read(DeviceId::parse, Some(device))?,
            key: SignedKey::read(key).map(|key| (kind, key)),
        })
    }
}

/// `KEYS_LOW`: few one-time keys of a device are left (EE-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysLow {
    /// The device.
    pub device: DeviceId,
    /// How many are left.
    pub count: usize,
}

impl KeysLow {
    /// `KEYS_LOW`, as a server says it.
    pub fn to_object(&self) -> Object {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        let low = Object::with_capacity(48).string("DEVICE", self.device.as_str());
        under(KEYS_LOW, low.integer("COUNT", count))
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            device: read(DeviceId::parse, value.get("DEVICE"))?,
            count: usize::try_from(value.get("COUNT")?.as_u64()?).ok()?,
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ask::tests::{device, device_name, public_key, signed_key, value_of};
    use super::*;

    fn wire() -> impl Strategy<Value = WireText<'static>> {
        any::<String>().prop_map(WireText::new)
    }

    fn user() -> impl Strategy<Value = UserKeys> {
        let devices = prop::collection::vec(device(), 0..=DEVICES);
        (wire(), 0_u64..1 << 53, prop::option::of(public_key()), devices).prop_map(
            |(account, number, identity, devices)| UserKeys { account, number, identity, devices },
        )
    }

    fn claimed() -> impl Strategy<Value = Claimed> {
        let kind = prop_oneof![Just(KeyKind::OneTime), Just(KeyKind::Fallback)];
        (wire(), device_name(), prop::option::of((kind, signed_key())))
            .prop_map(|(name, device, key)| Claimed { name, device, key })
    }

    fn keys() -> impl Strategy<Value = Keys> {
        let users = prop::collection::btree_map(any::<String>(), prop::option::of(user()), 0..5);
        prop_oneof![
            (0_u64..1 << 53, device_name(), 0_usize..100)
                .prop_map(|(number, device, count)| Keys::Put { number, device, count }),
            users.prop_map(|users| {
                Keys::Users(users.into_iter().map(|(n, user)| (WireText::new(n), user)).collect())
            }),
            prop::collection::vec(claimed(), 0..=CLAIMS).prop_map(Keys::OneTime),
            (wire(), wire(), prop::option::of(0_u64..100))
                .prop_map(|(code, error, wait)| Keys::Refused { code, error, wait }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_answered_is_read(id in wire(), keys in keys(), device in device_name()) {
            let answer = KeysAnswer { id, keys };
            prop_assert_eq!(KeysAnswer::read(value_of(answer.to_object(), KEYS)), Some(answer));
            let low = KeysLow { device, count: 9 };
            prop_assert_eq!(KeysLow::read(&value_of(low.to_object(), KEYS_LOW)), Some(low));
        }
    }

    #[test]
    fn a_request_is_answered_even_if_what_is_inside_is_malformed() {
        let read = |value| KeysAnswer::read(value).map(|answer| answer.keys);
        let users = read(serde_json::json!({"ID": "1", "USERS": {"a": 5, "b": {"NUMBER": -1}}}));
        let nobody = |name: &'static str| (WireText::new(name), None);
        assert_eq!(users, Some(Keys::Users(vec![nobody("a"), nobody("b")])));
        let claimed = read(serde_json::json!({"ID": "1", "ONE_TIME": [["a", "d1", 7], ["b"], 5]}));
        let none =
            Claimed { name: WireText::new("a"), device: DeviceId::parse("d1").unwrap(), key: None };
        assert_eq!(claimed, Some(Keys::OneTime(vec![none])));
        let many = vec![serde_json::json!({"DEVICE": "d"}); 1000];
        let account = serde_json::json!({"ACCOUNT": "a", "NUMBER": 1, "DEVICES": many});
        assert!(read(serde_json::json!({"ID": "1", "USERS": {"a": account}})).is_some());
        assert_eq!(read(serde_json::json!({"USERS": {}})), None);
    }

    #[test]
    fn a_refusal_has_its_word_and_its_text() {
        for code in KeysCode::EVERY {
            let object = KeysAnswer::refused("k1", *code, Some(3)).to_object();
            let value = value_of(object, KEYS);
            assert_eq!(value["CODE"], code.word());
            assert_eq!((&value["ERROR"], &value["WAIT"]), (&code.text().into(), &3.into()));
        }
    }
}
