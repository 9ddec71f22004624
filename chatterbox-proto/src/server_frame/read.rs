//! The lenient reader of server frames, for the client: it accepts what real servers send and reports every [`Deviation`]
//! from the protocol.

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::deviation::{Deviation, Deviations};
use super::keys::{Read as ReadKey, ServerKeys};
use crate::capability::Capabilities;
use crate::clause::{self, Clause};
use crate::code::Code;
use crate::entry::Entry;
use crate::json::read::{
    Key, ReadList, ReadShape, ReadTuple, Shape, TUPLE, TupleShape, body_text, reading_failed,
    scalars_as_shape,
};
use crate::text::WireText;

/// One frame of a server; keys that could not be understood are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerFrame {
    /// `USERNAME_ACCEPTED`: whether the client has joined.
    pub accepted: Option<bool>,
    /// `INFO`: a text for the user.
    pub info: Option<WireText<'static>>,
    /// `USER_LIST`: the users who are present, in the welcome.
    pub user_list: Option<Vec<WireText<'static>>>,
    /// `USERS_JOINED`: users who became present; empty without the key.
    pub joined: Vec<WireText<'static>>,
    /// `MESSAGES`: the history in the welcome, live messages otherwise.
    pub messages: Option<Vec<Entry<'static>>>,
    /// `USERS_LEFT`: users who are no longer present; empty without the key.
    pub left: Vec<WireText<'static>>,
    /// `ERROR`: the faults of a frame of this client.
    pub error: Option<WireText<'static>>,
    /// The keys beyond the base protocol, if any are present.
    pub keys: Option<Box<ServerKeys>>,
}

impl ServerFrame {
    /// Reads the body of one frame, leniently.
    ///
    /// # Errors
    /// The [`Code`] of what kept the body from being a JSON object (or a bare string, which is an ERROR).
    pub fn parse(body: &[u8]) -> Result<(Self, Deviations), Code> {
        Self::parse_as(body, Capabilities::NONE)
    }

    /// The same with the keys of these capabilities: the negotiated ones, or the offered ones before the welcome.
    ///
    /// # Errors
    /// As [`ServerFrame::parse`].
    pub fn parse_as(body: &[u8], known: Capabilities) -> Result<(Self, Deviations), Code> {
        let text = body_text(body)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = ReadFrame { known };
        let read = read.deserialize(&mut reader).map_err(|error| reading_failed(&error))?;
        reader.end().map_err(|_| Code::NotJson)?;
        read
    }
}

fn owned(text: Cow<'_, str>) -> WireText<'static> {
    WireText::new(text.into_owned())
}

struct ReadFrame {
    known: Capabilities,
}

type Read = Result<(ServerFrame, Deviations), Code>;

impl<'de> DeserializeSeed<'de> for ReadFrame {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Read, D::Error> {
        value.deserialize_any(self)
    }
}

fn bare(shape: Shape<'_>) -> Read {
    let Shape::String(text) = shape else {
        return Err(Code::NotObject);
    };
    let frame = ServerFrame { error: Some(owned(text)), ..ServerFrame::default() };
    Ok((frame, Deviations::from(Deviation::BareError)))
}

impl<'de> Visitor<'de> for ReadFrame {
    type Value = Read;

    scalars_as_shape!('de, bare);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read, A::Error> {
        ReadShape::MEMBER.skip_list(&mut list)?;
        Ok(Err(Code::NotObject))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Read, A::Error> {
        let mut frame = ServerFrame::default();
        let mut notes = Deviations::default();
        while let Some(Key(key)) = object.next_key()? {
            match key.as_ref() {
                "USERNAME_ACCEPTED" => {
                    frame.accepted = match object.next_value_seed(ReadShape::MEMBER)? {
                        Shape::Bool(accepted) => Some(accepted),
                        Shape::String(text) if is_boolean_word(&text) => {
                            notes.note(Deviation::BooleanAsString);
                            Some(text.eq_ignore_ascii_case("true"))
                        }
                        _ => {
                            notes.note(Deviation::WrongType("USERNAME_ACCEPTED", clause::AC_1));
                            None
                        }
                    };
                }
                "INFO" => {
                    frame.info = read_text(&mut object, "INFO", clause::IN_1, &mut notes)?;
                }
                "ERROR" => {
                    frame.error = read_text(&mut object, "ERROR", clause::IV_1, &mut notes)?;
                }
                "USER_LIST" => {
                    frame.user_list =
                        read_names(&mut object, "USER_LIST", clause::UL_1, &mut notes)?;
                }
                "USERS_JOINED" => {
                    frame.joined =
                        read_names(&mut object, "USERS_JOINED", clause::UJ_1, &mut notes)?
                            .unwrap_or_default();
                }
                "USERS_LEFT" => {
                    frame.left = read_names(&mut object, "USERS_LEFT", clause::UX_1, &mut notes)?
                        .unwrap_or_default();
                }
                "MESSAGES" => frame.messages = read_messages(&mut object, &mut notes)?,
                word => match ServerKeys::take(&mut frame.keys, word, self.known, &mut object)? {
                    ReadKey::Sound => {}
                    ReadKey::Wrong(key, of) => notes.note(Deviation::WrongValue(key, of)),
                    ReadKey::Unknown => {
                        object.next_value_seed(ReadShape::MEMBER)?;
                        notes.note(Deviation::UnknownKey(owned(key)));
                    }
                },
            }
        }
        Ok(Ok((frame, notes)))
    }
}

fn is_boolean_word(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn read_text<'de, A: MapAccess<'de>>(
    object: &mut A,
    key: &'static str,
    clause: Clause,
    notes: &mut Deviations,
) -> Result<Option<WireText<'static>>, A::Error> {
    Ok(match object.next_value_seed(ReadShape::MEMBER)? {
        Shape::String(text) => Some(owned(text)),
        _ => {
            notes.note(Deviation::WrongType(key, clause));
            None
        }
    })
}

fn read_names<'de, A: MapAccess<'de>>(
    object: &mut A,
    key: &'static str,
    clause: Clause,
    notes: &mut Deviations,
) -> Result<Option<Vec<WireText<'static>>>, A::Error> {
    let within = ReadShape::MEMBER.inner()?;
    let mut names = Vec::new();
    let each = |name: Option<(WireText<'static>, bool)>| match name {
        Some((name, plain)) => {
            if !plain {
                notes.note(Deviation::UserAsObject);
            }
            names.push(name);
        }
        None => notes.note(Deviation::WrongType(key, clause)),
    };
    let other = object.next_value_seed(ReadList { seed: ReadName { within }, within, each })?;
    Ok(match other {
        None => Some(names),
        Some(Shape::String(name)) => {
            notes.note(Deviation::NamesAsString(key, clause));
            Some(vec![owned(name)])
        }
        Some(_) => {
            notes.note(Deviation::WrongType(key, clause));
            None
        }
    })
}

/// One element of a list of names: a string, or an object that has one.
#[derive(Clone, Copy)]
struct ReadName {
    within: ReadShape,
}

fn plain_name(shape: Shape<'_>) -> Option<(WireText<'static>, bool)> {
    match shape {
        Shape::String(name) => Some((owned(name), true)),
        _ => None,
    }
}

impl<'de> DeserializeSeed<'de> for ReadName {
    type Value = Option<(WireText<'static>, bool)>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadName {
    /// The name, and whether it was a plain string.
    type Value = Option<(WireText<'static>, bool)>;

    scalars_as_shape!('de, plain_name);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        self.within.inner()?.skip_list(&mut list)?;
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let inner = self.within.inner()?;
        let mut name = None;
        while let Some(Key(key)) = object.next_key()? {
            let value = object.next_value_seed(inner)?;
            if let Shape::String(text) = value {
                let telling =
                    ["username", "name", "user"].iter().any(|k| key.eq_ignore_ascii_case(k));
                if telling || name.is_none() {
                    name = Some(owned(text));
                }
            }
        }
        Ok(name.map(|name| (name, false)))
    }
}

fn read_messages<'de, A: MapAccess<'de>>(
    object: &mut A,
    notes: &mut Deviations,
) -> Result<Option<Vec<Entry<'static>>>, A::Error> {
    let within = ReadShape::MEMBER.inner()?;
    let mut messages = Vec::new();
    let mut index = 0;
    let each = |tuple| {
        match lenient_entry(tuple) {
            Some((entry, exact)) => {
                if !exact {
                    notes.note(Deviation::TimeNotInteger(index));
                }
                messages.push(entry);
            }
            None => notes.note(Deviation::NotAMessage(index)),
        }
        index += 1;
    };
    let other = object.next_value_seed(ReadList { seed: ReadTuple { within }, within, each })?;
    if other.is_some() {
        notes.note(Deviation::WrongType("MESSAGES", clause::MM_1));
        return Ok(None);
    }
    Ok(Some(messages))
}

/// A message, and whether its time was an integer.
fn lenient_entry(tuple: TupleShape<'_>) -> Option<(Entry<'static>, bool)> {
    let TupleShape::List { elements, .. } = tuple else {
        return None;
    };
    let [source, destination, time, content] = <[Shape<'_>; TUPLE]>::try_from(elements).ok()?;
    let (Shape::String(source), Shape::String(destination), Shape::String(content)) =
        (source, destination, content)
    else {
        return None;
    };
    let (timestamp, exact) = match time {
        Shape::Integer(seconds) => (seconds, true),
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and it is only shown")]
        Shape::Float(seconds) => (seconds as i64, false),
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and it is only shown")]
        Shape::String(text) => (text.trim().parse::<f64>().unwrap_or_default() as i64, false),
        _ => (0, false),
    };
    let entry = Entry { source, destination, timestamp, content };
    Some((entry.into_owned(), exact))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::deviation::DEVIATIONS_KEPT;
    use super::*;
    use crate::capability::Capability;

    fn read(body: &str) -> (ServerFrame, Vec<Deviation>) {
        let (frame, notes) = ServerFrame::parse(body.as_bytes()).unwrap();
        (frame, notes.into_vec())
    }

    fn names(names: &[&'static str]) -> Vec<WireText<'static>> {
        names.iter().map(|name| WireText::new(*name)).collect()
    }

    #[test]
    fn the_norm_is_read_without_a_note() {
        let (frame, notes) = read(
            r#"{"USERNAME_ACCEPTED": true, "INFO": "hi", "USER_LIST": ["a", "b"],
                "MESSAGES": [["a", "ALL", 5, "x"]], "USERS_JOINED": ["c"], "USERS_LEFT": ["b"], "ERROR": "e"}"#,
        );
        assert_eq!(notes, []);
        assert_eq!(frame.accepted, Some(true));
        assert_eq!(frame.user_list, Some(names(&["a", "b"])));
        assert_eq!((frame.joined, frame.left), (names(&["c"]), names(&["b"])));
        assert_eq!(frame.messages.unwrap()[0].timestamp, 5);
        assert_eq!(frame.info.unwrap().as_wire(), "hi");
        assert_eq!(frame.error.unwrap().as_wire(), "e");
    }

    #[test]
    fn what_real_servers_do_is_forgiven_and_noted() {
        let (frame, notes) = read(
            r#"{"USERNAME_ACCEPTED": "True", "USER_LIST": ["a", {"id": "7", "USERNAME": "b"}, 5],
                "MESSAGES": [["a", "ALL", 5.5, "x"], ["a", "ALL", "7", "y"], ["a"], ["a", "ALL", 1, "z", 9]],
                "USERS_JOINED": "c", "USERS_LEFT": 5, "INFO": null, "EXTRA": [{}]}"#,
        );
        assert_eq!(frame.accepted, Some(true));
        assert_eq!(frame.user_list, Some(names(&["a", "b"])));
        assert_eq!((frame.joined, frame.left), (names(&["c"]), vec![]));
        let times: Vec<_> = frame.messages.unwrap().iter().map(|m| m.timestamp).collect();
        assert_eq!(times, [5, 7, 1]);
        let notes: Vec<_> = notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "USERNAME_ACCEPTED is text, not a boolean (AC-1)",
                "USER_LIST holds objects (UL-1)",
                "USER_LIST has the wrong type (UL-1)",
                "the time of MESSAGES[0] is not an integer (TS-1)",
                "the time of MESSAGES[1] is not an integer (TS-1)",
                "MESSAGES[2] is not a message (T4-1)",
                "USERS_JOINED is one string, not a list (UJ-1)",
                "USERS_LEFT has the wrong type (UX-1)",
                "INFO has the wrong type (IN-1)",
                "unknown key EXTRA (BN-1)",
            ]
        );
    }

    #[test]
    fn what_was_agreed_is_read_and_nothing_else() {
        let body = r#"{"MESSAGES": [["a", "ALL", 1, "x"]], "IDS": [5], "ACKS": {"t": 5}, "PONG": -1, "RESUMED": true,
            "USERS_RENAMED": {"a": "b"}, "CAPABILITIES": "ids/1 zzz/4", "LIMITS": {"FRAME": 9, "X": 1}}"#;
        let known = Capabilities::NONE.with(Capability::Ids);
        let (frame, notes) = ServerFrame::parse_as(body.as_bytes(), known).unwrap();
        let unknown = |key| Deviation::UnknownKey(WireText::new(key));
        assert_eq!(notes.into_vec(), [unknown("PONG"), unknown("USERS_RENAMED")]);
        let keys = frame.keys.unwrap();
        assert_eq!((keys.ids, keys.resumed), (Some(vec![Some(5)]), Some(true)));
        assert_eq!((keys.agreed, keys.limits.unwrap().frame), (Some(known), Some(9)));
        assert_eq!(keys.acks, [(WireText::new("t"), 5)]);
        assert_eq!(read(body).0.keys, None);
        assert_eq!(read(body).1.len(), 7);
    }

    #[test]
    fn what_can_not_be_understood_is_noted() {
        let known = Capability::EVERY.iter().copied().collect();
        for body in [
            r#"{"IDS": 5}"#,
            r#"{"IDS": [0]}"#,
            r#"{"IDS": [9007199254740992]}"#,
            r#"{"ACKS": {"a": "b"}}"#,
            r#"{"HISTORY": {"WITH": "ALL", "MESSAGES": [], "IDS": [1], "MORE": false}}"#,
            r#"{"RESULT": {}}"#,
            r#"{"COMMANDS": [5]}"#,
            r#"{"ACCOUNT": {"LEVEL": 256}}"#,
            r#"{"PING": 1.5}"#,
            r#"{"LIMITS": 5}"#,
            r#"{"CAPABILITIES": 5}"#,
            r#"{"USERS_RENAMED": {"a": 5}}"#,
            r#"{"CODE": null}"#,
        ] {
            let (_, notes) = ServerFrame::parse_as(body.as_bytes(), known).unwrap();
            assert!(matches!(notes.into_vec()[..], [Deviation::WrongValue(..)]), "{body}");
        }
    }

    #[test]
    fn a_bare_string_is_an_error() {
        let (frame, notes) = read("\"go away\"");
        assert_eq!(frame.error.unwrap().as_wire(), "go away");
        assert_eq!(notes, [Deviation::BareError]);
        assert_eq!(ServerFrame::parse(b"5"), Err(Code::NotObject));
        assert_eq!(ServerFrame::parse(b"[]"), Err(Code::NotObject));
        assert_eq!(ServerFrame::parse(b"{"), Err(Code::NotJson));
    }

    #[test]
    fn a_hostile_frame_makes_few_notes() {
        let body = format!("{{\"MESSAGES\": [{}5]}}", "5, ".repeat(100_000));
        assert_eq!(read(&body).1.len(), DEVIATIONS_KEPT);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ServerFrame::parse(&body);
        }

        #[test]
        fn no_json_like_text_panics(
            body in r#"\{("MESSAGES"|"USER_LIST"|"USERS_LEFT"|"INFO"|"X"): (\[|\]|\{|\}|,|"a"|:|1|1e99|true| ){0,12}\}"#
        ) {
            let _ = ServerFrame::parse(body.as_bytes());
        }
    }
}
