//! The lenient reader of server frames, for the client: it accepts what real servers send and reports every [`Deviation`]
//! from the protocol.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::deviation::{Deviation, Deviations};
use super::element::Element;
use super::keys::{Read as ReadKey, ServerKeys};
use super::list::{Entries, Ids, List, Metas, Names, Times};
use crate::capability::{Capabilities, Capability, ids, meta};
use crate::clause::{self, Clause};
use crate::code::Code;
use crate::json::read::{Key, ReadShape, Shape, body_text, reading_failed, scalars_as_shape};
use crate::text::WireText;

/// The most characters that are kept of an unknown key, to be named.
const KEY_KEPT: usize = 200;

/// One frame of a server, whose long lists are left where they are; keys that could not be understood are left out.
#[derive(Debug, Default)]
pub struct LazyFrame {
    /// `USERNAME_ACCEPTED`: whether the client has joined.
    pub accepted: Option<bool>,
    /// `INFO`: a text for the user.
    pub info: Option<WireText<'static>>,
    /// `USER_LIST`: the users who are present, in the welcome.
    pub user_list: Option<Names>,
    /// `USERS_JOINED`: users who became present; empty without the key.
    pub joined: Names,
    /// `MESSAGES`: the history in the welcome, live messages otherwise.
    pub messages: Option<Entries>,
    /// `USERS_LEFT`: users who are no longer present; empty without the key.
    pub left: Names,
    /// `ERROR`: the faults of a frame of this client.
    pub error: Option<WireText<'static>>,
    /// `IDS`: the id of each message, with `ids`.
    pub ids: Option<Ids>,
    /// `TIMES`: when the server took each message, with `ids`.
    pub times: Option<Times>,
    /// `META`: what goes with each message, with `meta`.
    pub metas: Option<Metas>,
    /// The other keys beyond the base protocol, if any are present.
    pub keys: Option<Box<ServerKeys>>,
}

impl LazyFrame {
    /// Reads the body of one frame, leniently, with the keys of these capabilities: the negotiated ones, or the offered
    /// ones before the welcome.
    ///
    /// # Errors
    /// The [`Code`] of what kept the body from being a JSON object (or a bare string, which is an ERROR).
    pub fn parse(body: &Bytes, known: Capabilities) -> Result<(Self, Deviations), Code> {
        let text = body_text(body)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = ReadFrame { known, body };
        let read = read.deserialize(&mut reader).map_err(|error| reading_failed(&error))?;
        reader.end().map_err(|_| Code::NotJson)?;
        read
    }
}

fn owned(text: Cow<'_, str>) -> WireText<'static> {
    WireText::new(text.into_owned())
}

struct ReadFrame<'b> {
    known: Capabilities,
    /// The bytes that are read, for the lists that keep a part of them.
    body: &'b Bytes,
}

type Read = Result<(LazyFrame, Deviations), Code>;

impl<'de> DeserializeSeed<'de> for ReadFrame<'_> {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Read, D::Error> {
        value.deserialize_any(self)
    }
}

fn bare(shape: Shape<'_>) -> Read {
    let Shape::String(text) = shape else {
        return Err(Code::NotObject);
    };
    let frame = LazyFrame { error: Some(owned(text)), ..LazyFrame::default() };
    Ok((frame, Deviations::from(Deviation::BareError)))
}

impl<'de> Visitor<'de> for ReadFrame<'_> {
    type Value = Read;

    scalars_as_shape!('de, bare);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read, A::Error> {
        ReadShape::MEMBER.skip_list(&mut list)?;
        Ok(Err(Code::NotObject))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Read, A::Error> {
        let mut frame = LazyFrame::default();
        let mut notes = Deviations::default();
        // The rest is read all the same: what follows may be no JSON at all.
        let mut unreadable = None;
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
                "USER_LIST"
                | "USERS_JOINED"
                | "USERS_LEFT"
                | "MESSAGES"
                | ids::IDS
                | ids::TIMES
                | meta::META
                    if capability_of(&key).is_none_or(|of| self.known.has(of)) =>
                {
                    let list = object.next_value::<&RawValue>()?;
                    let list = self.body.slice_ref(list.get().as_bytes());
                    if let Err(code) = frame.take_list(&key, &list, &mut notes) {
                        unreadable.get_or_insert(code);
                    }
                }
                word => match ServerKeys::take(&mut frame.keys, word, self.known, &mut object)? {
                    ReadKey::Sound => {}
                    ReadKey::Wrong(key, of) => notes.note(Deviation::WrongValue(key, of)),
                    ReadKey::Unknown => {
                        object.next_value_seed(ReadShape::MEMBER)?;
                        let short: String = key.chars().take(KEY_KEPT).collect();
                        notes.note(Deviation::UnknownKey(WireText::new(short)));
                    }
                },
            }
        }
        Ok(match unreadable {
            Some(code) => Err(code),
            None => Ok((frame, notes)),
        })
    }
}

/// The capability that a list belongs to; `None` for those of the base protocol.
fn capability_of(list: &str) -> Option<Capability> {
    match list {
        ids::IDS | ids::TIMES => Some(Capability::Ids),
        meta::META => Some(Capability::Meta),
        _ => None,
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

impl LazyFrame {
    /// Checks a list and keeps it.
    fn take_list(&mut self, key: &str, json: &Bytes, notes: &mut Deviations) -> Result<(), Code> {
        match key {
            "USER_LIST" => self.user_list = names(json, "USER_LIST", clause::UL_1, notes)?,
            "USERS_JOINED" => {
                self.joined = names(json, "USERS_JOINED", clause::UJ_1, notes)?.unwrap_or_default();
            }
            "USERS_LEFT" => {
                self.left = names(json, "USERS_LEFT", clause::UX_1, notes)?.unwrap_or_default();
            }
            "MESSAGES" => self.messages = messages(json, notes)?,
            ids::TIMES => self.times = numbers(ids::TIMES, Capability::Ids, json, notes)?,
            meta::META => self.metas = numbers(meta::META, Capability::Meta, json, notes)?,
            _ => self.ids = numbers(ids::IDS, Capability::Ids, json, notes)?,
        }
        Ok(())
    }
}

fn is_list(json: &Bytes) -> bool {
    json.first() == Some(&b'[')
}

fn names(
    json: &Bytes,
    key: &'static str,
    clause: Clause,
    notes: &mut Deviations,
) -> Result<Option<Names>, Code> {
    let bare = json.first() == Some(&b'"');
    if !is_list(json) && !bare {
        check_value(json)?;
        notes.note(Deviation::WrongType(key, clause));
        return Ok(None);
    }
    if bare {
        notes.note(Deviation::NamesAsString(key, clause));
    }
    let names = Names::check(json, |_, exact| match exact {
        Some(true) => {}
        Some(false) => notes.note(Deviation::UserAsObject),
        None => notes.note(Deviation::WrongType(key, clause)),
    })?;
    Ok(Some(names))
}

fn messages(json: &Bytes, notes: &mut Deviations) -> Result<Option<Entries>, Code> {
    if !is_list(json) {
        check_value(json)?;
        notes.note(Deviation::WrongType("MESSAGES", clause::MM_1));
        return Ok(None);
    }
    let messages = Entries::check(json, |place, exact| match exact {
        Some(true) => {}
        Some(false) => notes.note(Deviation::TimeNotInteger(place)),
        None => notes.note(Deviation::NotAMessage(place)),
    })?;
    Ok(Some(messages))
}

/// A list that is parallel to MESSAGES.
fn numbers<E: Element>(
    key: &'static str,
    of: Capability,
    json: &Bytes,
    notes: &mut Deviations,
) -> Result<Option<List<E>>, Code> {
    let mut sound = is_list(json);
    let numbers = if sound {
        List::check(json, |_, exact| sound &= exact.is_some())?
    } else {
        check_value(json)?;
        List::default()
    };
    if !sound {
        notes.note(Deviation::WrongValue(key, of));
    }
    Ok(sound.then_some(numbers))
}

/// Finds the faults of a value that is of no use, which make the whole frame unreadable all the same.
fn check_value(json: &[u8]) -> Result<(), Code> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    ReadShape::MEMBER.deserialize(&mut reader).map_err(|error| reading_failed(&error))?;
    Ok(())
}
