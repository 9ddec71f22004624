//! What is encrypted: who says it to whom, the text, and padding (EE-5).
//!
//! The payload names both accounts with their identity keys, so that nobody can pass on what was said to somebody else, or by
//! somebody else, as if it were for this reader.

use std::borrow::Cow;

use chatterbox_proto::capability::e2ee::PublicKey;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The shortest payload, in bytes; others are twice, four times ... as long.
const SHORTEST: usize = 64;

/// The longest payload that is read or written, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// The account of one of the two, with its identity key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The number of the account.
    pub number: u64,
    /// Its identity key.
    pub identity: PublicKey,
}

/// What is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Who says it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// The text.
    pub text: String,
    /// The message that is answered.
    pub reply: Option<u64>,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Written<'a> {
    from: u64,
    to: u64,
    #[serde(rename = "FROM_IDENTITY")]
    from_identity: Cow<'a, str>,
    #[serde(rename = "TO_IDENTITY")]
    to_identity: Cow<'a, str>,
    text: Cow<'a, str>,
    #[serde(default)]
    reply: Option<u64>,
    #[serde(default, skip_deserializing)]
    pad: &'a str,
}

/// Why a payload is not read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is longer than [`LONGEST`].
    #[error("it is too long")]
    TooLong,
    /// It is not the JSON that it has to be.
    #[error("it is not what it has to be")]
    Malformed,
}

impl Payload {
    /// The bytes that are encrypted: 64, or twice, four times ... as many.
    ///
    /// # Errors
    /// [`PayloadError::TooLong`].
    pub fn write(&self) -> Result<Vec<u8>, PayloadError> {
        let mut json = serde_json::to_vec(self).map_err(|_| PayloadError::Malformed)?;
        let length = json.len().max(SHORTEST).next_power_of_two();
        if length > LONGEST {
            return Err(PayloadError::TooLong);
        }
        // The padding stands last, before the quote and the brace that end it.
        let pad = length - json.len();
        json.truncate(json.len().saturating_sub(2));
        json.resize(json.len() + pad, b' ');
        json.extend_from_slice(b"\"}");
        Ok(json)
    }

    /// Reads what was decrypted.
    ///
    /// # Errors
    /// [`PayloadError`]: whoever can encrypt for this device can put anything into it.
    pub fn read(json: &[u8]) -> Result<Self, PayloadError> {
        if json.len() > LONGEST {
            return Err(PayloadError::TooLong);
        }
        serde_json::from_slice(json).map_err(|_| PayloadError::Malformed)
    }
}

/// Without padding, as [`Payload::write`] puts it behind.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            from: self.from.number,
            to: self.to.number,
            from_identity: self.from.identity.as_str().into(),
            to_identity: self.to.identity.as_str().into(),
            text: self.text.as_str().into(),
            reply: self.reply,
            pad: "",
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { from, to, from_identity, to_identity, text, reply, pad: _ } =
            Written::deserialize(deserializer)?;
        let party = |number, identity: &str| {
            PublicKey::parse(identity).map(|identity| Party { number, identity })
        };
        let parties = party(from, &from_identity).zip(party(to, &to_identity));
        let (from, to) = parties.ok_or_else(|| D::Error::custom("no identity key"))?;
        Ok(Self { from, to, text: text.into_owned(), reply })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn payload(text: &str) -> Payload {
        let party = |number, fill: &str| Party {
            number,
            identity: PublicKey::parse(&fill.repeat(43)).unwrap(),
        };
        Payload { from: party(40, "A"), to: party(41, "E"), text: text.into(), reply: None }
    }

    #[test]
    fn lengths_are_powers_of_two() {
        let length = |text: &str| payload(text).write().unwrap().len();
        assert_eq!(length(""), 256);
        assert_eq!((length("a"), length(&"a".repeat(60))), (256, 256), "short texts look alike");
        assert_eq!(length(&"a".repeat(100)), 512);
        for n in 0..2000 {
            assert!(length(&"a".repeat(n)).is_power_of_two());
        }
        assert_eq!(payload(&"a".repeat(LONGEST)).write(), Err(PayloadError::TooLong));
    }

    #[test]
    fn the_json_is_that_of_the_norm() {
        let json = payload("hi").write().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!((&value["FROM"], &value["TO"]), (&40.into(), &41.into()));
        assert_eq!(value["FROM_IDENTITY"], "A".repeat(43));
        assert_eq!(value["TO_IDENTITY"], "E".repeat(43));
        assert_eq!((&value["TEXT"], &value["REPLY"]), (&"hi".into(), &serde_json::Value::Null));
        assert!(value["PAD"].as_str().unwrap().chars().all(|c| c == ' '));
        assert_eq!(value.as_object().unwrap().len(), 7);
    }

    #[test]
    fn what_is_malformed_is_refused_and_what_is_new_is_passed_over() {
        let with = |from: &str, to: &str| {
            let json = String::from_utf8(payload("hi").write().unwrap()).unwrap();
            assert!(json.contains(from), "{json}");
            Payload::read(json.replace(from, to).as_bytes())
        };
        assert_eq!(with("\"TEXT\"", "\"NEW\":1,\"TEXT\""), Ok(payload("hi")));
        assert!(with("\"REPLY\":null", "\"REPLY\":7").is_ok_and(|read| read.reply == Some(7)));
        for (from, to) in [
            ("\"FROM\":40", "\"FROM\":-1"),
            ("\"FROM\":40", "\"FROM\":\"40\""),
            ("\"FROM\":40,", ""),
            ("\"TO\":41,", ""),
            ("\"TEXT\":\"hi\"", "\"TEXT\":5"),
            ("AAA", "\u{e9}"),
            ("\"FROM\":40", "\"FROM\":40,\"FROM\":41"),
        ] {
            assert_eq!(with(from, to), Err(PayloadError::Malformed), "{from} {to}");
        }
        assert_eq!(Payload::read(&[b' '; LONGEST + 1]), Err(PayloadError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in any::<String>(), reply in any::<Option<u64>>()) {
            let payload = Payload { reply, ..payload(&text) };
            let json = payload.write().unwrap();
            prop_assert!(json.len().is_power_of_two() && json.len() >= SHORTEST);
            prop_assert_eq!(Payload::read(&json), Ok(payload));
        }

        #[test]
        fn no_bytes_panic(json in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Payload::read(&json);
        }
    }
}
