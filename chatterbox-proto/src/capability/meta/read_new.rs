//! The strict reader of what a client puts with a message (MT-2).
//!
//! An element of META is taken as raw JSON first, so its length is judged before anything of it takes memory.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::file::FileToken;
use super::new::NewMeta;
use super::sealed::Sealed;
use crate::capability::id::Id;
use crate::limits;

/// The object as it is on the wire: a key of another name, twice, or of another type is an error.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys<'a> {
    #[serde(default, rename = "REPLY", deserialize_with = "present")]
    reply: Option<Id>,
    #[serde(default, rename = "MENTIONS", deserialize_with = "present")]
    mentions: Option<Vec<String>>,
    #[serde(default, rename = "FILE", deserialize_with = "present")]
    file: Option<String>,
    #[serde(default, rename = "E2EE", borrow, deserialize_with = "present")]
    e2ee: Option<&'a RawValue>,
}

/// A key that is there has a value: null is none.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// One element of META of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementMeta;

impl ElementMeta {
    /// What goes with one message, `None` inside where that is nothing.
    ///
    /// # Errors
    /// `Err(())` when it is anything that MT-2 does not name, or too long.
    pub(crate) fn read(raw: &RawValue) -> Result<Option<NewMeta>, ()> {
        let json = raw.get();
        if json == "null" {
            return Ok(None);
        }
        // A derived reader takes a list for an object, too.
        if !json.starts_with('{') || json.len() > limits::META + limits::SEALED {
            return Err(());
        }
        let keys: Keys<'_> = serde_json::from_str(json).map_err(|_| ())?;
        let sealed = keys.e2ee.map_or("", RawValue::get);
        if json.len() - sealed.len() > limits::META || sealed.len() > limits::SEALED {
            return Err(());
        }
        let mentions = keys.mentions.unwrap_or_default();
        let counts = |id: &Id| (1..=limits::LARGEST_ID).contains(id);
        if keys.reply.is_some_and(|id| !counts(&id)) || mentions.len() > limits::MENTIONS {
            return Err(());
        }
        let file = keys.file.map(|token| FileToken::parse(&token).ok_or(())).transpose()?;
        let e2ee: Option<Sealed> = keys
            .e2ee
            .map(|sealed| serde_json::from_str(sealed.get()).map_err(|_| ()))
            .transpose()?;
        let meta = NewMeta { reply: keys.reply, mentions, file, e2ee };
        Ok((!meta.is_empty()).then_some(meta))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sealed::{DeviceId, SealedFor};
    use super::*;

    fn read(json: &str) -> Result<Option<NewMeta>, ()> {
        ElementMeta::read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_is_nothing_takes_no_place() {
        for json in ["null", "{}", "{ }", r#"{"MENTIONS": []}"#] {
            assert_eq!(read(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn what_the_norm_does_not_name_is_refused() {
        for json in [
            "5",
            "true",
            "[]",
            r#""x""#,
            r#"[5, ["bob"]]"#,
            r#"{"X": 1}"#,
            r#"{"EDITED": 1}"#,
            r#"{"DELETED": true}"#,
            r#"{"REACTIONS": {}}"#,
            r#"{"REPLY": null}"#,
            r#"{"REPLY": 0}"#,
            r#"{"REPLY": -1}"#,
            r#"{"REPLY": 1.0}"#,
            r#"{"REPLY": "1"}"#,
            r#"{"REPLY": 9007199254740992}"#,
            r#"{"REPLY": 1, "REPLY": 1}"#,
            r#"{"MENTIONS": "bob"}"#,
            r#"{"MENTIONS": [5]}"#,
            r#"{"MENTIONS": [null]}"#,
            r#"{"MENTIONS": {"bob": 1}}"#,
            r#"{"MENTIONS": null}"#,
            r#"{"FILE": ""}"#,
            r#"{"FILE": "../x"}"#,
            r#"{"FILE": {"FILE": "x"}}"#,
            r#"{"E2EE": {}}"#,
            r#"{"E2EE": null}"#,
            r#"{"E2EE": "x"}"#,
        ] {
            assert_eq!(read(json), Err(()), "{json}");
        }
    }

    #[test]
    fn mentions_and_lengths_are_bounded() {
        let names =
            |count: usize| format!(r#"{{"MENTIONS": [{}]}}"#, vec![r#""a""#; count].join(", "));
        assert!(read(&names(limits::MENTIONS)).is_ok());
        assert_eq!(read(&names(limits::MENTIONS + 1)), Err(()));
        let name = |length: usize| format!(r#"{{"MENTIONS": ["{}"]}}"#, "a".repeat(length));
        let around = name(0).len();
        assert!(read(&name(limits::META - around)).is_ok());
        assert_eq!(read(&name(limits::META - around + 1)), Err(()));
        // The encrypted text has a bound of its own, and takes nothing of the other.
        let sealed = |length: usize, name: &str| {
            let body = "A".repeat(length);
            format!(r#"{{"E2EE":{{"FROM":"d","TO":{{"e":[0,"{body}"]}}}},"MENTIONS":["{name}"]}}"#)
        };
        let inside = r#"{"FROM":"d","TO":{"e":[0,""]}}"#.len();
        let beside = sealed(0, "").len() - inside;
        let longest = limits::SEALED - inside;
        let long_name = "a".repeat(limits::META - beside);
        assert!(read(&sealed(longest, &long_name)).is_ok());
        assert_eq!(read(&sealed(longest + 1, "a")), Err(()));
        assert_eq!(read(&sealed(1, &format!("{long_name}a"))), Err(()));
    }

    fn device() -> impl Strategy<Value = DeviceId> {
        "[A-Za-z0-9_-]{1,32}".prop_map(|text| DeviceId::parse(&text).unwrap())
    }

    fn sealed() -> impl Strategy<Value = Sealed> {
        let to =
            prop::collection::btree_map(device(), (any::<u8>(), "[A-Za-z0-9+/]{1,40}={0,2}"), 0..8);
        (device(), to).prop_map(|(from, to)| {
            let entry = |(device, (kind, body)): (_, (_, String))| SealedFor {
                device,
                kind,
                body: body.into(),
            };
            Sealed { from, to: to.into_iter().map(entry).collect() }
        })
    }

    fn meta() -> impl Strategy<Value = NewMeta> {
        let file = "[A-Za-z0-9_-]{1,64}".prop_map(|text| FileToken::parse(&text).unwrap());
        let mentions = prop::collection::vec(".{0,8}", 0..8);
        let reply = prop::option::of(1..=limits::LARGEST_ID);
        (reply, mentions, prop::option::of(file), prop::option::of(sealed()))
            .prop_map(|(reply, mentions, file, e2ee)| NewMeta { reply, mentions, file, e2ee })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(meta in meta()) {
            let mut out = Vec::new();
            meta.push_json(&mut out);
            prop_assert!(out.is_ascii());
            let read = read(std::str::from_utf8(&out).unwrap());
            prop_assert_eq!(read, Ok((!meta.is_empty()).then_some(meta)));
        }

        #[test]
        fn no_json_like_text_panics(
            json in r#"(\{|\}|\[|\]|,|:|"REPLY"|"MENTIONS"|"FILE"|"E2EE"|"FROM"|"TO"|"a"|1|1\.5|null| ){0,30}"#
        ) {
            if let Ok(raw) = serde_json::from_str::<&RawValue>(&json) {
                let _ = ElementMeta::read(raw);
            }
        }
    }
}
