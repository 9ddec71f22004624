//! The keys that a client's frame may have beyond the base protocol, and which of them count when.
//!
//! Before a name is accepted those count that belong beside it; afterwards those of the agreed capabilities. All others are
//! unknown keys, whatever their value is (CP-6).

use std::borrow::Cow;

use serde::de::MapAccess;
use serde_json::Value;

use crate::capability::accounts::{self, Proof, Secret};
use crate::capability::commands::{self, Answer, Call};
use crate::capability::ids::{self, Query, Resume};
use crate::capability::{self, Capabilities, Capability, ping};
use crate::code::{Code, Fault};
use crate::json::read::{ReadList, ReadShape, Shape};
use crate::json::tree::read_tree;
use crate::limits;

/// Which keys count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Those of somebody who has not joined.
    Joining,
    /// Those of somebody who has, with what was agreed.
    Agreed(Capabilities),
}

impl Known {
    /// Whether messages may have tags.
    pub(crate) fn has_tags(self) -> bool {
        matches!(self, Self::Agreed(agreed) if agreed.has(Capability::Ids))
    }
}

/// The elements of `TAGS`: a tag or null for each message, none when it is anything else.
pub type Tags<'a> = Vec<Option<Cow<'a, str>>>;

/// What stands in a client's frame beside the keys of the base protocol. Each key is judged by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientKeys<'a> {
    /// `CAPABILITIES`.
    pub offer: Option<Result<Capabilities, Fault>>,
    /// `PASSWORD` or `TOKEN`.
    pub proof: Option<Result<Proof, Fault>>,
    /// `RESUME`.
    pub resume: Option<Result<Resume, Fault>>,
    /// `TAGS`.
    pub tags: Option<Result<Tags<'a>, Fault>>,
    /// `HISTORY`.
    pub history: Option<Result<Query, Fault>>,
    /// `COMMAND`.
    pub call: Option<Result<Call, Fault>>,
    /// `ANSWER`.
    pub answer: Option<Result<Answer, Fault>>,
    /// `PING`.
    pub ping: Option<Result<i64, Fault>>,
    /// `PONG`.
    pub pong: Option<Result<i64, Fault>>,
}

/// The values of one key of a client are no more than this; COMMAND has the most.
const VALUES: usize = 4 * limits::ARGUMENTS;

impl<'a> ClientKeys<'a> {
    /// Reads the value of a key if the key counts; says whether it did, and whether it was there before.
    pub(crate) fn take<'de: 'a, A: MapAccess<'de>>(
        keys: &mut Option<Box<Self>>,
        key: &str,
        known: Known,
        object: &mut A,
    ) -> Result<Taken, A::Error> {
        let Some(key) = Word::of(key, known) else { return Ok(Taken::Unknown) };
        let keys = keys.get_or_insert_default();
        let twice = match key {
            Word::Offer => {
                let offer = match object.next_value_seed(ReadShape::MEMBER)? {
                    Shape::String(text) => Capabilities::parse_offer(&text),
                    _ => Err(Code::BadOffer),
                };
                keys.offer.replace(offer.map_err(Fault::from)).is_some()
            }
            Word::Password | Word::Token => {
                let proof = match (object.next_value_seed(ReadShape::MEMBER)?, key, &keys.proof) {
                    (Shape::String(text), Word::Password, None) => {
                        Ok(Proof::Password(Secret::new(text)))
                    }
                    (Shape::String(text), _, None) => Ok(Proof::Token(Secret::new(text))),
                    _ => Err(Code::BadProof),
                };
                keys.proof = Some(proof.map_err(Fault::from));
                false
            }
            Word::Tags => {
                keys.tags.replace(read_tags(object)?.ok_or(Code::BadTags.into())).is_some()
            }
            Word::Ping | Word::Pong => {
                let number = match object.next_value_seed(ReadShape::MEMBER)? {
                    Shape::Integer(number) => Ok(number),
                    _ => Err(Code::BadPing.into()),
                };
                let place = if key == Word::Ping { &mut keys.ping } else { &mut keys.pong };
                place.replace(number).is_some()
            }
            Word::Resume => put(&mut keys.resume, object, Code::BadResume, Resume::read)?,
            Word::History => put(&mut keys.history, object, Code::BadHistory, Query::read)?,
            Word::Command => put(&mut keys.call, object, Code::BadCommand, Call::read)?,
            Word::Answer => put(&mut keys.answer, object, Code::BadAnswer, Answer::read)?,
        };
        Ok(if twice { Taken::Twice } else { Taken::Once })
    }
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Unknown,
    Once,
    Twice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Offer,
    Password,
    Token,
    Resume,
    Tags,
    History,
    Command,
    Answer,
    Ping,
    Pong,
}

impl Word {
    /// Which key this is, if it counts.
    fn of(key: &str, known: Known) -> Option<Self> {
        if key == capability::CAPABILITIES {
            return Some(Self::Offer);
        }
        match known {
            Known::Joining => match key {
                accounts::PASSWORD => Some(Self::Password),
                accounts::TOKEN => Some(Self::Token),
                ids::RESUME => Some(Self::Resume),
                _ => None,
            },
            Known::Agreed(agreed) if agreed.is_empty() => None,
            Known::Agreed(agreed) => {
                let (word, of) = match key {
                    ids::TAGS => (Self::Tags, Capability::Ids),
                    ids::HISTORY => (Self::History, Capability::Ids),
                    commands::COMMAND => (Self::Command, Capability::Commands),
                    commands::ANSWER => (Self::Answer, Capability::Commands),
                    ping::PING => (Self::Ping, Capability::Ping),
                    ping::PONG => (Self::Pong, Capability::Ping),
                    _ => return None,
                };
                agreed.has(of).then_some(word)
            }
        }
    }
}

fn put<'de, T, A: MapAccess<'de>>(
    place: &mut Option<Result<T, Fault>>,
    object: &mut A,
    otherwise: Code,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<bool, A::Error> {
    let value = read_tree(object, VALUES)?.and_then(|value| read(&value));
    Ok(place.replace(value.ok_or(otherwise.into())).is_some())
}

/// A list of null and short strings, not too many of them; `None` when it is something else (ID-3).
fn read_tags<'de, A: MapAccess<'de>>(object: &mut A) -> Result<Option<Tags<'de>>, A::Error> {
    let within = ReadShape::MEMBER.inner()?;
    let mut tags = Vec::new();
    let (mut used, mut sound) = (0, true);
    let each = |element| match element {
        Shape::Null if sound => tags.push(None),
        Shape::String(tag) if sound && (1..=limits::TAG).contains(&tag.len()) => {
            used += 1;
            sound = used <= limits::TAGS;
            tags.push(Some(tag));
        }
        _ => sound = false,
    };
    let other = object.next_value_seed(ReadList { seed: within, within, each })?;
    Ok((sound && other.is_none()).then_some(tags))
}
