//! The elements of lists in a server's frame, read leniently: names, messages, ids.

use std::borrow::Cow;
use std::cell::Cell;

use serde::Deserializer;
use serde::de::{Deserialize, DeserializeSeed as _, MapAccess, SeqAccess, Visitor};

use crate::capability::ids::Id;
use crate::capability::meta::{self, Meta};
use crate::entry::Entry;
use crate::json::read::{Key, ReadShape, ReadTuple, Shape, TUPLE, TupleShape, scalars_as_shape};
use crate::json::tree::ReadTree;
use crate::limits;
use crate::text::WireText;

/// A kind of element.
pub trait Element {
    /// The JSON value, read without a tree.
    type Json<'a>: Deserialize<'a>;
    /// What it means.
    type Meaning<'a>;

    /// What a value means, and whether it is exactly as the protocol has it; `None` when it means nothing.
    fn meaning(json: Self::Json<'_>) -> Option<(Self::Meaning<'_>, bool)>;
}

/// A name: a string, or an object that has one.
#[derive(Debug)]
pub struct NameElement;

impl Element for NameElement {
    type Json<'a> = NameJson<'a>;
    type Meaning<'a> = WireText<'a>;

    fn meaning(json: Self::Json<'_>) -> Option<(Self::Meaning<'_>, bool)> {
        let (name, plain) = json.0?;
        Some((WireText::new(name), plain))
    }
}

/// A message.
#[derive(Debug)]
pub struct MessageElement;

impl Element for MessageElement {
    type Json<'a> = MessageJson<'a>;
    type Meaning<'a> = Entry<'a>;

    fn meaning(json: Self::Json<'_>) -> Option<(Self::Meaning<'_>, bool)> {
        let TupleShape::List { elements, .. } = json.0 else {
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
            #[expect(
                clippy::cast_possible_truncation,
                reason = "`as` saturates, and it is only shown"
            )]
            Shape::Float(seconds) => (seconds as i64, false),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "`as` saturates, and it is only shown"
            )]
            Shape::String(text) => (text.trim().parse::<f64>().unwrap_or_default() as i64, false),
            _ => (0, false),
        };
        Some((Entry { source, destination, timestamp, content }, exact))
    }
}

/// The id of a message, or null. Anything else makes the whole list unsound.
#[derive(Debug)]
pub struct IdElement;

impl Element for IdElement {
    type Json<'a> = IdJson;
    type Meaning<'a> = Option<Id>;

    fn meaning(json: Self::Json<'_>) -> Option<(Self::Meaning<'_>, bool)> {
        Some((json.0?, true))
    }
}

/// When the server took a message, or null. Anything else makes the whole list unsound.
#[derive(Debug)]
pub struct TimeElement;

impl Element for TimeElement {
    type Json<'a> = TimeJson;
    type Meaning<'a> = Option<i64>;

    fn meaning(json: Self::Json<'_>) -> Option<(Self::Meaning<'_>, bool)> {
        Some((json.0?, true))
    }
}

/// What goes with a message, or null. Anything else makes the whole list unsound.
#[derive(Debug)]
pub struct MetaElement;

impl Element for MetaElement {
    type Json<'a> = MetaJson;
    type Meaning<'a> = Option<Box<Meta>>;

    fn meaning(json: Self::Json<'_>) -> Option<(Self::Meaning<'_>, bool)> {
        Some((json.0?, true))
    }
}

/// A value where what goes with a message should stand.
#[derive(Debug)]
pub struct MetaJson(Option<Option<Box<Meta>>>);

/// The most JSON values that are read of what goes with one message; what has more means nothing.
const META_VALUES: usize = 256;

impl<'de> Deserialize<'de> for MetaJson {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let budget = Cell::new(META_VALUES);
        let value = ReadTree { within: ReadShape::ELEMENT, budget: &budget }.deserialize(value)?;
        let sound = value.is_null() || value.is_object();
        let meta = meta::read(&value).filter(|_| budget.get() > 0);
        Ok(Self(sound.then(|| meta.map(Box::new))))
    }
}

/// A value where a name should stand: the name, and whether it was a plain string.
#[derive(Debug)]
pub struct NameJson<'a>(Option<(Cow<'a, str>, bool)>);

impl<'de> Deserialize<'de> for NameJson<'de> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(ReadName)
    }
}

struct ReadName;

fn plain_name(shape: Shape<'_>) -> NameJson<'_> {
    match shape {
        Shape::String(name) => NameJson(Some((name, true))),
        _ => NameJson(None),
    }
}

impl<'de> Visitor<'de> for ReadName {
    type Value = NameJson<'de>;

    scalars_as_shape!('de, plain_name);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        ReadShape::ELEMENT.inner()?.skip_list(&mut list)?;
        Ok(NameJson(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let inner = ReadShape::ELEMENT.inner()?;
        let mut name = None;
        while let Some(Key(key)) = object.next_key()? {
            let value = object.next_value_seed(inner)?;
            if let Shape::String(text) = value {
                let telling =
                    ["username", "name", "user"].iter().any(|k| key.eq_ignore_ascii_case(k));
                if telling || name.is_none() {
                    name = Some(text);
                }
            }
        }
        Ok(NameJson(name.map(|name| (name, false))))
    }
}

/// A value where a message should stand.
#[derive(Debug)]
pub struct MessageJson<'a>(TupleShape<'a>);

impl<'de> Deserialize<'de> for MessageJson<'de> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        ReadTuple { within: ReadShape::ELEMENT }.deserialize(value).map(Self)
    }
}

/// A value where an id should stand.
#[derive(Debug)]
pub struct IdJson(Option<Option<Id>>);

impl<'de> Deserialize<'de> for IdJson {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let id = match ReadShape::ELEMENT.deserialize(value)? {
            Shape::Null => Some(None),
            Shape::Integer(id) => match Id::try_from(id) {
                Ok(id @ 1..=limits::LARGEST_ID) => Some(Some(id)),
                _ => None,
            },
            _ => None,
        };
        Ok(Self(id))
    }
}

/// A value where a time should stand.
#[derive(Debug)]
pub struct TimeJson(Option<Option<i64>>);

impl<'de> Deserialize<'de> for TimeJson {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(Self(match ReadShape::ELEMENT.deserialize(value)? {
            Shape::Null => Some(None),
            Shape::Integer(seconds) => Some(Some(seconds)),
            _ => None,
        }))
    }
}
