//! The strict reader of client frames, for the server: every violation of the protocol becomes a [`Fault`].

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use serde_json::value::RawValue;

use super::keys::{ClientKeys, Known, Taken};
use super::messages::Messages;
use crate::code::Code;
use crate::fault::Fault;
use crate::json::read::{Key, ReadShape, Shape, body_text, reading_failed, scalars_as_shape};

/// One frame of a client; it has either key of the base protocol, or both (PB-1).
///
/// Each key is judged by itself: a fault in one does not invalidate the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientFrame<'a> {
    /// The value of `USERNAME`, if the key is present.
    pub username: Option<Result<Cow<'a, str>, Fault>>,
    /// The value of `MESSAGES`, if the key is present.
    pub messages: Option<Result<Messages<'a>, Fault>>,
    /// The keys beyond the base protocol, if any are present.
    pub keys: Option<Box<ClientKeys<'a>>>,
}

impl<'a> ClientFrame<'a> {
    /// Reads the body of one frame of a connection that has not joined, strictly.
    ///
    /// # Errors
    /// As [`ClientFrame::parse_as`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        Self::parse_as(body, Known::Joining)
    }

    /// Reads the body of one frame, strictly; `known` says which keys count.
    ///
    /// # Errors
    /// A [`Fault`] when the frame as a whole is invalid: empty, not UTF-8, not JSON, not an object, too deep, a known
    /// key twice, or none at all (FR-6, JS-1, JS-3, JS-5, JS-6, IV-4).
    pub fn parse_as(body: &'a [u8], known: Known) -> Result<Self, Fault> {
        let text = body_text(body)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = ReadFrame { known };
        let frame = read.deserialize(&mut reader).map_err(|error| reading_failed(&error))?;
        reader.end().map_err(|_| Code::NotJson)?;
        let mut frame = frame?;
        // Credentials and RESUME are known only beside an offer (CP-6).
        if known == Known::Joining && frame.keys.as_ref().is_some_and(|keys| keys.offer.is_none()) {
            frame.keys = None;
        }
        let empty = frame.username.is_none() && frame.messages.is_none() && frame.keys.is_none();
        if empty { Err(Code::NoKnownKey.into()) } else { Ok(frame) }
    }
}

struct ReadFrame {
    known: Known,
}

impl<'de> DeserializeSeed<'de> for ReadFrame {
    type Value = Result<ClientFrame<'de>, Code>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

fn not_object<'de>(_: Shape<'de>) -> Result<ClientFrame<'de>, Code> {
    Err(Code::NotObject)
}

impl<'de> Visitor<'de> for ReadFrame {
    type Value = Result<ClientFrame<'de>, Code>;

    scalars_as_shape!('de, not_object);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        ReadShape::MEMBER.skip_list(&mut list)?;
        Ok(Err(Code::NotObject))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut frame = ClientFrame::default();
        let mut twice = false;
        let mut key_twice = false;
        let mut broken = None;
        while let Some(Key(key)) = object.next_key()? {
            match key.as_ref() {
                "USERNAME" => {
                    twice |= frame.username.is_some();
                    frame.username = Some(match object.next_value_seed(ReadShape::MEMBER)? {
                        Shape::String(name) => Ok(name),
                        _ => Err(Code::UsernameNotString.into()),
                    });
                }
                "MESSAGES" => {
                    twice |= frame.messages.is_some();
                    let json: &'de RawValue = object.next_value()?;
                    match Messages::read(json.get()) {
                        Ok(messages) => frame.messages = Some(messages.map_err(Fault::from)),
                        Err(code) => broken = Some(code),
                    }
                }
                key => match ClientKeys::take(&mut frame.keys, key, self.known, &mut object)? {
                    Taken::Unknown => {
                        object.next_value_seed(ReadShape::MEMBER)?;
                    }
                    Taken::Once => {}
                    Taken::Twice => key_twice = true,
                },
            }
        }
        let counts = self.known != Known::Joining
            || frame.keys.as_ref().is_some_and(|keys| keys.offer.is_some());
        if let Some(code) = broken {
            return Ok(Err(code));
        }
        Ok(if twice || key_twice && counts { Err(Code::DuplicateKey) } else { Ok(frame) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::write::{Said, join, say, say_tagged};
    use super::*;
    use crate::Entry;
    use crate::capability::meta::NewMeta;
    use crate::capability::{Capabilities, Capability};
    use crate::limits;

    fn code(body: &[u8]) -> Code {
        ClientFrame::parse(body).unwrap_err().code
    }

    fn entry_fault(element: &str) -> Fault {
        let body = format!(r#"{{"MESSAGES": [["a", "ALL", 1, "x"], {element}]}}"#);
        let messages = ClientFrame::parse(body.as_bytes()).unwrap().messages.unwrap().unwrap();
        let faults = messages.faults().clone();
        assert_eq!(messages.into_entries().len(), 1);
        faults.listed()[0].clone()
    }

    #[test]
    fn invalid_frames_are_told_apart() {
        assert_eq!(code(b""), Code::FrameEmpty);
        assert_eq!(code(b"xyz"), Code::NotJson);
        assert_eq!(code(b"{"), Code::NotJson);
        assert_eq!(code(b"{\"USERNAME\": \"a\"} x"), Code::NotJson);
        assert_eq!(code(b"{\"USERNAME\": \"\\ud800\"}"), Code::NotJson);
        assert_eq!(code(b"\xff\xfe"), Code::NotUtf8);
        assert_eq!(code(b"[1]"), Code::NotObject);
        assert_eq!(code(b"\"x\""), Code::NotObject);
        assert_eq!(code(b"18446744073709551615"), Code::NotObject);
        assert_eq!(code(b"{}"), Code::NoKnownKey);
        assert_eq!(code(b"{\"X\": 1}"), Code::NoKnownKey);
        assert_eq!(code(b"{\"USERNAME\": \"a\", \"USERNAME\": \"b\"}"), Code::DuplicateKey);
    }

    #[test]
    fn faults_inside_name_the_message() {
        assert_eq!(entry_fault("5"), Fault::message(1, Code::MessageNotList));
        assert_eq!(entry_fault("{}"), Fault::message(1, Code::MessageNotList));
        assert_eq!(entry_fault("[]"), Fault::message(1, Code::MessageNotFour));
        assert_eq!(entry_fault(r#"["a", "ALL", 1]"#).code, Code::MessageNotFour);
        assert_eq!(entry_fault(r#"["a", "ALL", 1, "x", null]"#).code, Code::MessageNotFour);
        assert_eq!(entry_fault(r#"[1, "ALL", 1, "x"]"#).code, Code::SourceNotString);
        assert_eq!(entry_fault(r#"["a", [], 1, "x"]"#).code, Code::DestinationNotString);
        assert_eq!(entry_fault(r#"["a", "ALL", "1", "x"]"#).code, Code::TimestampNotInteger);
        assert_eq!(entry_fault(r#"["a", "ALL", 1.0, "x"]"#).code, Code::TimestampNotInteger);
        assert_eq!(
            entry_fault(r#"["a", "ALL", 9223372036854775808, "x"]"#).code,
            Code::TimestampNotInteger
        );
        assert_eq!(entry_fault(r#"["a", "ALL", true, "x"]"#).code, Code::TimestampNotInteger);
        assert_eq!(entry_fault(r#"["a", "ALL", 1, {"x": [1]}]"#).code, Code::ContentNotString);
    }

    #[test]
    fn keys_are_judged_apart_and_unknown_ones_ignored() {
        let frame = ClientFrame::parse(br#" {"Z": [{}], "MESSAGES": 5, "USERNAME": 7} "#).unwrap();
        assert_eq!(frame.username, Some(Err(Code::UsernameNotString.into())));
        assert_eq!(frame.messages, Some(Err(Code::MessagesNotList.into())));
        let frame =
            ClientFrame::parse(b"{\"Z\": 1, \"Z\": 2, \"USER\\u004eAME\": \"a\\u0062\"}").unwrap();
        assert_eq!(frame.username, Some(Ok("ab".into())));
        assert_eq!(frame.messages, None);
    }

    #[test]
    fn depth_is_bounded_in_every_place() {
        let deep = "[".repeat(limits::JSON_DEPTH) + &"]".repeat(limits::JSON_DEPTH);
        for body in [
            format!("{{\"X\": {deep}}}"),
            format!("{{\"USERNAME\": {deep}}}"),
            format!("{{\"MESSAGES\": {deep}}}"),
            format!("{{\"MESSAGES\": [[{deep}]]}}"),
            format!("[{deep}]"),
        ] {
            assert_eq!(code(body.as_bytes()), Code::TooDeep, "{body}");
        }
        let within = "[".repeat(limits::JSON_DEPTH - 1) + &"]".repeat(limits::JSON_DEPTH - 1);
        assert_eq!(code(format!("{{\"X\": {within}}}").as_bytes()), Code::NoKnownKey);
        let bomb = "[".repeat(100_000);
        assert_eq!(code(bomb.as_bytes()), Code::TooDeep);
    }

    fn entries() -> impl Strategy<Value = Vec<Entry<'static>>> {
        let entry = (any::<String>(), any::<String>(), any::<i64>(), any::<String>()).prop_map(
            |(source, destination, timestamp, content)| Entry {
                source: source.into(),
                destination: destination.into(),
                timestamp,
                content: content.into(),
            },
        );
        prop::collection::vec(entry, 0..8)
    }

    proptest! {
        #[test]
        fn what_is_said_is_read(entries in entries()) {
            let frame = say(&entries).unwrap();
            let read = ClientFrame::parse(&frame[4..]).unwrap();
            let read = read.messages.unwrap().unwrap();
            prop_assert!(read.faults().is_empty());
            let read: Vec<_> = read.into_entries().into_iter().map(|(_, entry)| entry).collect();
            prop_assert_eq!(&read, &entries);
            for entry in entries {
                let json = entry.to_json();
                prop_assert_eq!(Entry::parse(&json), Some(entry));
            }
        }

        #[test]
        fn any_name_is_read(name in any::<String>()) {
            let frame = join(&name).unwrap();
            prop_assert_eq!(ClientFrame::parse(&frame[4..]).unwrap().username, Some(Ok(name.into())));
        }

        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ClientFrame::parse(&body);
        }

        #[test]
        fn no_json_like_text_panics(
            body in r#"(\{|\}|\[|\]|,|:|"USERNAME"|"MESSAGES"|"TAGS"|"META"|"REPLY"|"HISTORY"|"COMMAND"|"a"|1|1\.5|null|true| ){0,40}"#
        ) {
            let _ = ClientFrame::parse(body.as_bytes());
            let all = Known::Agreed(Capability::EVERY.iter().copied().collect());
            let _ = ClientFrame::parse_as(body.as_bytes(), all);
        }

        #[test]
        fn what_is_said_with_tags_is_read(entries in entries(), tag in "[a-z]{1,10}") {
            let tags: Vec<String> = (0..entries.len()).map(|n| format!("{tag}{n}")).collect();
            let meta = |n: usize| (n % 2 == 1).then(|| NewMeta { reply: Some(1), ..NewMeta::default() });
            let metas: Vec<_> = (0..entries.len()).map(meta).collect();
            let said = entries.iter().zip(&tags).zip(&metas);
            let said = said.map(|((entry, tag), meta)| Said { entry, tag, meta: meta.as_ref() });
            let frame = say_tagged(&said.collect::<Vec<_>>()).unwrap();
            let ids = Capabilities::NONE.with(Capability::Ids);
            let without = ClientFrame::parse_as(&frame[4..], Known::Agreed(ids)).unwrap();
            prop_assert!(without.keys.unwrap().meta.is_none(), "what was not agreed is unknown");
            let known = Known::Agreed(ids.with(Capability::Meta));
            let read = ClientFrame::parse_as(&frame[4..], known).unwrap();
            prop_assert_eq!(read.messages.unwrap().unwrap().count(), entries.len());
            let mut keys = read.keys.unwrap();
            let mut given = keys.meta.take().transpose().unwrap().unwrap_or_default();
            prop_assert!(entries.len() < 2 || given.count() == entries.len());
            for (index, meta) in metas.into_iter().enumerate() {
                prop_assert_eq!(given.take(index).map(|meta| *meta), meta);
            }
            let mut read = keys.tags.unwrap().unwrap();
            prop_assert_eq!(read.count(), tags.len());
            for (index, tag) in tags.iter().enumerate() {
                let taken = read.take(index);
                prop_assert_eq!(taken.as_deref(), Some(&**tag));
            }
        }
    }
}
