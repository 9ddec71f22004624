//! What a server tells beside a message (MT-1).

use serde_json::Value;

use super::file::FileTold;
use super::new::Members;
use super::sealed::Sealed;
use super::{E2EE, FILE, MENTIONS, REPLY};
use crate::capability::id::{Id, read_id};
use crate::json;
use crate::limits;
use crate::text::WireText;

/// What goes with one message, as the client reads it; keys that it does not know, or can't understand, are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The message that is answered.
    pub reply: Option<Id>,
    /// Those who are meant, at most [`limits::MENTIONS`]: users, `ALL`, or the room.
    pub mentions: Vec<WireText<'static>>,
    /// The file that goes with the message.
    pub file: Option<FileTold>,
    /// The encrypted text, for this device only.
    pub e2ee: Option<Sealed>,
}

impl Meta {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Appends the object, as a server writes it.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        let names = self.mentions.iter().map(WireText::as_wire);
        let sealed = self.e2ee.as_ref().map(|sealed| {
            let mut json = Vec::new();
            sealed.push_json(&mut json);
            json
        });
        push_told(out, self.reply, names, self.file.as_ref(), sealed.as_deref());
    }
}

/// Appends the object of one message, as a server writes it. `sealed` is the value of E2EE for who reads it, as JSON.
pub fn push_told<'n>(
    out: &mut Vec<u8>,
    reply: Option<Id>,
    mentions: impl ExactSizeIterator<Item = &'n str>,
    file: Option<&FileTold>,
    sealed: Option<&[u8]>,
) {
    let mut object = Members::begin(out);
    if let Some(reply) = reply {
        object.key(REPLY);
        json::push_integer(object.out, i64::try_from(reply).unwrap_or(i64::MAX));
    }
    if mentions.len() > 0 {
        object.key(MENTIONS);
        object.strings(mentions);
    }
    if let Some(file) = file {
        object.key(FILE);
        file.push_json(object.out);
    }
    if let Some(sealed) = sealed {
        object.key(E2EE);
        object.out.extend_from_slice(sealed);
    }
    object.end();
}

/// Reads one element of META; `None` where nothing goes with the message that this client understands.
pub(crate) fn read(value: &Value) -> Option<Meta> {
    let object = value.as_object()?;
    let names = object.get(MENTIONS).and_then(Value::as_array).into_iter().flatten();
    let name = |name: &str| WireText::new(name.to_owned());
    let names = names.filter_map(Value::as_str).filter(|name| name.len() <= limits::META);
    let names = names.take(limits::MENTIONS).map(name);
    let meta = Meta {
        reply: object.get(REPLY).and_then(read_id).filter(|id| *id > 0),
        mentions: names.collect(),
        file: object.get(FILE).and_then(FileTold::read),
        e2ee: object.get(E2EE).and_then(Sealed::read),
    };
    (!meta.is_empty()).then_some(meta)
}

#[cfg(test)]
mod tests {
    use super::super::file::{Digest, FileToken};
    use super::super::sealed::{DeviceId, SealedFor};
    use super::*;

    fn full() -> Meta {
        let file = FileTold {
            token: FileToken::parse("Qx7").unwrap(),
            name: WireText::new("n\u{202e}.pdf"),
            size: 482_113,
            sha256: Digest([7; 32]),
            until: Some(1_700_604_800),
        };
        let device = |name| DeviceId::parse(name).unwrap();
        let own = SealedFor { device: device("d7"), kind: 0, body: "Awog".into() };
        Meta {
            reply: Some(8123),
            mentions: vec![WireText::new("bob"), WireText::new("\u{e9}ve")],
            file: Some(file),
            e2ee: Some(Sealed { from: device("d2"), to: vec![own] }),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        full().push_json(&mut out);
        let digest = "07".repeat(32);
        assert_eq!(
            std::str::from_utf8(&out).unwrap(),
            format!(
                r#"{{"REPLY": 8123, "MENTIONS": ["bob", "\u00e9ve"], "FILE": {{"FILE": "Qx7", "NAME": "n\u202e.pdf", "SIZE": 482113, "SHA256": "{digest}", "UNTIL": 1700604800}}, "E2EE": {{"FROM": "d2", "TO": {{"d7": [0, "Awog"]}}}}}}"#
            )
        );
        assert_eq!(read(&serde_json::from_slice(&out).unwrap()), Some(full()));
    }

    #[test]
    fn what_can_not_be_understood_is_left_out() {
        let read = |json: &str| read(&serde_json::from_str(json).unwrap());
        for json in [
            "null",
            "5",
            "[]",
            "{}",
            r#"{"REPLY": 0}"#,
            r#"{"REPLY": "x", "MENTIONS": 5, "FILE": "x", "E2EE": [], "NEW": 1}"#,
            r#"{"FILE": {"FILE": "x", "NAME": "n", "SIZE": -1, "SHA256": ""}}"#,
            r#"{"E2EE": {"FROM": "d", "TO": {"e": [0]}}}"#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
        let kept = read(r#"{"REPLY": 5, "MENTIONS": ["a", 5], "FILE": 1, "EDITED": 7}"#).unwrap();
        assert_eq!((kept.reply, kept.mentions.len(), kept.file), (Some(5), 1, None));
        let many = format!(r#"{{"MENTIONS": [{}]}}"#, vec![r#""a""#; 1000].join(","));
        assert_eq!(read(&many).unwrap().mentions.len(), limits::MENTIONS);
    }
}
