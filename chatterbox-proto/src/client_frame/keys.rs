//! The keys of a client's frame beyond the base protocol.
//!
//! Before joining, the keys that belong beside USERNAME count; after joining, those of the negotiated capabilities. Every
//! other key is unknown, and its value is not judged (CP-6).

use std::borrow::Cow;

use std::marker::PhantomData;

use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::capability::accounts::{self, Proof, Secret};
use crate::capability::e2ee;
use crate::capability::ids::{self, Resume};
use crate::capability::meta::DeviceId;
use crate::capability::meta::{self, ElementMeta, NewMeta};
use crate::capability::recent;
use crate::capability::request::RequestKey;
use crate::capability::{self, Capabilities, Capability, Request};
use crate::code::Code;
use crate::fault::Fault;
use crate::json::read::{ReadList, ReadShape, Shape};
use crate::json::tree::read_tree;
use crate::limits;

/// Selects the keys that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The keys of a connection that has not joined.
    Joining,
    /// The keys of a joined connection with these capabilities.
    Agreed(Capabilities),
}

impl Known {
    /// Whether messages may have idempotency keys.
    pub(crate) fn has_tags(self) -> bool {
        matches!(self, Self::Agreed(agreed) if agreed.has(Capability::Ids))
    }
}

/// The elements of `TAGS`: for each message an idempotency key or null. A null takes no memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags<'a> {
    count: usize,
    /// The keys with their indices, in order.
    each: Vec<(usize, Option<Cow<'a, str>>)>,
}

impl<'a> Tags<'a> {
    /// How many elements there are, null or not.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes the key of the message at an index.
    pub fn take(&mut self, index: usize) -> Option<Cow<'a, str>> {
        let at = self.each.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.each.get_mut(at)?.1.take()
    }
}

/// The elements of `META`: for each message what goes with it, or null. A null takes no memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metas {
    count: usize,
    /// What is there, with the indices, in order.
    each: Vec<(usize, Box<NewMeta>)>,
}

impl Metas {
    /// How many elements there are, null or not.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes what goes with the message at an index.
    pub fn take(&mut self, index: usize) -> Option<Box<NewMeta>> {
        let at = self.each.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        let (_, meta) = self.each.get_mut(at)?;
        let meta = std::mem::take(&mut **meta);
        (!meta.is_empty()).then(|| Box::new(meta))
    }
}

/// The keys of a client's frame beyond the base protocol. Each is judged by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientKeys<'a> {
    /// `CAPABILITIES`: the capabilities that the client offers.
    pub offer: Option<Result<Capabilities, Fault>>,
    /// `PASSWORD` or `TOKEN`: the credential.
    pub proof: Option<Result<Proof, Fault>>,
    /// `RESUME`: the session to resume.
    pub resume: Option<Result<Resume, Fault>>,
    /// `RECENT`: how many messages a short welcome has (RC-1).
    pub recent: Option<Result<u16, Fault>>,
    /// `DEVICE`: the device of the account that this connection is (EE-4).
    pub device: Option<Result<DeviceId, Fault>>,
    /// `TAGS`: the idempotency keys of the messages.
    pub tags: Option<Result<Tags<'a>, Fault>>,
    /// `META`: what goes with the messages.
    pub meta: Option<Result<Metas, Fault>>,
    /// The keys that are requests of their own.
    pub requests: Requests,
}

/// The requests of one frame, in the order in which they are handled; each is judged by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requests(Vec<(usize, Result<Request, Fault>)>);

impl Requests {
    /// Adds a request at its place in the table of keys. Says whether there was one at this place.
    fn add(&mut self, place: usize, request: Result<Request, Fault>) -> bool {
        let found = self.0.binary_search_by_key(&place, |(other, _)| *other);
        if let Err(at) = found {
            self.0.insert(at, (place, request));
        }
        found.is_ok()
    }
}

impl IntoIterator for Requests {
    type Item = Result<Request, Fault>;
    type IntoIter = std::iter::Map<
        std::vec::IntoIter<(usize, Self::Item)>,
        fn((usize, Self::Item)) -> Self::Item,
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(_, request)| request)
    }
}

/// The most JSON values that one key of a client may have; COMMAND and KEYS_PUT need the most.
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
            Word::Meta => {
                keys.meta.replace(read_metas(object)?.ok_or(Code::BadMeta.into())).is_some()
            }
            Word::Resume => {
                let resume = read_tree(object, VALUES)?.and_then(|value| Resume::read(&value));
                keys.resume.replace(resume.ok_or(Code::BadResume.into())).is_some()
            }
            Word::Recent => {
                let recent = match object.next_value_seed(ReadShape::MEMBER)? {
                    Shape::Integer(count) => recent::read(count),
                    _ => None,
                };
                keys.recent.replace(recent.ok_or(Code::BadRecent.into())).is_some()
            }
            Word::Device => {
                let device = match object.next_value_seed(ReadShape::MEMBER)? {
                    Shape::String(text) => DeviceId::parse(&text),
                    _ => None,
                };
                keys.device.replace(device.ok_or(Code::BadDevice.into())).is_some()
            }
            Word::Request(place, row) => {
                let value = read_tree(object, VALUES)?;
                keys.requests.add(place, row.read(value.as_ref()).map_err(Fault::from))
            }
        };
        Ok(if twice { Taken::Twice } else { Taken::Once })
    }
}

/// The result of reading a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Unknown,
    Once,
    Twice,
}

#[derive(Clone, Copy)]
enum Word {
    Offer,
    Password,
    Token,
    Resume,
    Recent,
    Device,
    Tags,
    Meta,
    Request(usize, &'static RequestKey),
}

impl Word {
    /// The known key of this name, if it counts.
    fn of(key: &str, known: Known) -> Option<Self> {
        if key == capability::CAPABILITIES {
            return Some(Self::Offer);
        }
        match known {
            Known::Joining => match key {
                accounts::PASSWORD => Some(Self::Password),
                accounts::TOKEN => Some(Self::Token),
                ids::RESUME => Some(Self::Resume),
                recent::RECENT => Some(Self::Recent),
                e2ee::DEVICE => Some(Self::Device),
                _ => None,
            },
            Known::Agreed(agreed) if agreed.is_empty() => None,
            Known::Agreed(_) if key == ids::TAGS => known.has_tags().then_some(Self::Tags),
            Known::Agreed(agreed) if key == meta::META => {
                agreed.has(Capability::Meta).then_some(Self::Meta)
            }
            Known::Agreed(agreed) => {
                RequestKey::find(key, agreed).map(|(place, row)| Self::Request(place, row))
            }
        }
    }
}

/// A list of null and short strings, not too many of them; `None` when it is something else (ID-3).
fn read_tags<'de, A: MapAccess<'de>>(object: &mut A) -> Result<Option<Tags<'de>>, A::Error> {
    let within = ReadShape::MEMBER.inner()?;
    let mut tags = Tags::default();
    let mut sound = true;
    let each = |element| {
        match element {
            Shape::Null => {}
            Shape::String(tag) if sound && (1..=limits::TAG).contains(&tag.len()) => {
                tags.each.push((tags.count, Some(tag)));
                sound = tags.each.len() <= limits::TAGS;
            }
            _ => sound = false,
        }
        tags.count += 1;
    };
    let other = object.next_value_seed(ReadList { seed: within, within, each })?;
    Ok((sound && other.is_none()).then_some(tags))
}

/// A list of null and of objects that MT-2 allows, not too many of them; `None` when it is something else.
fn read_metas<'de, A: MapAccess<'de>>(object: &mut A) -> Result<Option<Metas>, A::Error> {
    let within = ReadShape::MEMBER.inner()?;
    let mut metas = Metas::default();
    let mut sound = true;
    let each = |element: &'de RawValue| {
        if sound {
            match ElementMeta::read(element) {
                Ok(None) => {}
                Ok(Some(meta)) if metas.each.len() < limits::METAS => {
                    metas.each.push((metas.count, Box::new(meta)));
                }
                _ => sound = false,
            }
        }
        metas.count += 1;
    };
    let other =
        object.next_value_seed(ReadList { seed: PhantomData::<&RawValue>, within, each })?;
    Ok((sound && other.is_none()).then_some(metas))
}
