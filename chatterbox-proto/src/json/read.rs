//! A reader that classifies any JSON value without building a tree.
//!
//! A wrong type is a result and no error, so that it becomes a fault with an index. Values that are not needed are skipped,
//! with the depth bounded (JS-5).

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::code::Code;
use crate::limits;

/// What a JSON value is; the inside of lists and objects is not kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number with a fraction, an exponent, or beyond 64 bits.
    Float(f64),
    String(Cow<'a, str>),
    List,
    Object,
}

/// Reads one value as a [`Shape`]; `depth` is how many levels it may still have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadShape {
    pub(crate) depth: usize,
}

impl ReadShape {
    /// For a value that is a member of the frame's object.
    pub(crate) const MEMBER: Self = Self { depth: limits::JSON_DEPTH - 1 };

    /// For an element of a list that is such a member.
    pub(crate) const ELEMENT: Self = Self { depth: limits::JSON_DEPTH - 2 };

    pub(crate) fn inner<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth }),
            None => Err(E::custom("nested too deep")),
        }
    }

    /// Walks over the rest of a list.
    pub(crate) fn skip_list<'de, A: SeqAccess<'de>>(self, list: &mut A) -> Result<usize, A::Error> {
        let mut skipped = 0;
        while list.next_element_seed(self)?.is_some() {
            skipped += 1;
        }
        Ok(skipped)
    }

    /// Walks over the rest of an object.
    pub(crate) fn skip_object<'de, A: MapAccess<'de>>(
        self,
        object: &mut A,
    ) -> Result<(), A::Error> {
        while object.next_key::<Key<'de>>()?.is_some() {
            object.next_value_seed(self)?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for ReadShape {
    type Value = Shape<'de>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Shape<'de>, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadShape {
    type Value = Shape<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Shape<'de>, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Shape<'de>, E> {
        Ok(Shape::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Shape<'de>, E> {
        Ok(Shape::Integer(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "only said to be too large, never computed with"
    )]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Shape<'de>, E> {
        Ok(i64::try_from(value).map_or(Shape::Float(value as f64), Shape::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Shape<'de>, E> {
        Ok(Shape::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Shape<'de>, E> {
        Ok(Shape::String(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Shape<'de>, E> {
        Ok(Shape::String(Cow::Borrowed(value)))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Shape<'de>, E> {
        Ok(Shape::String(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape<'de>, A::Error> {
        self.inner()?.skip_list(&mut list)?;
        Ok(Shape::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Shape<'de>, A::Error> {
        self.inner()?.skip_object(&mut object)?;
        Ok(Shape::Object)
    }
}

/// A key of an object; borrowed where the text has no escapes.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Implements the scalar half of a [`Visitor`] whose interest is in one container, by handing a [`Shape`] on.
macro_rules! scalars_as_shape {
    ($de:lifetime, $make:expr) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("any JSON value")
        }
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok($make($crate::json::read::Shape::Null))
        }
        fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
            Ok($make($crate::json::read::Shape::Bool(value)))
        }
        fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
            Ok($make($crate::json::read::Shape::Integer(value)))
        }
        fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
            $crate::json::read::ReadShape::MEMBER.visit_u64(value).map($make)
        }
        fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
            Ok($make($crate::json::read::Shape::Float(value)))
        }
        fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
            $crate::json::read::ReadShape::MEMBER.visit_str(value).map($make)
        }
        fn visit_borrowed_str<E: serde::de::Error>(self, value: &$de str) -> Result<Self::Value, E> {
            $crate::json::read::ReadShape::MEMBER.visit_borrowed_str(value).map($make)
        }
    };
}
pub(crate) use scalars_as_shape;

/// The elements of a list that should be a message: as many as a message has, and how many there were.
#[derive(Debug, PartialEq)]
pub(crate) enum TupleShape<'a> {
    List { elements: Vec<Shape<'a>>, count: usize },
    Other(Shape<'a>),
}

/// Reads one element of MESSAGES.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadTuple {
    pub(crate) within: ReadShape,
}

/// How many elements a message has (T4-1).
pub(crate) const TUPLE: usize = 4;

impl<'de> DeserializeSeed<'de> for ReadTuple {
    type Value = TupleShape<'de>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<TupleShape<'de>, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadTuple {
    type Value = TupleShape<'de>;

    scalars_as_shape!('de, TupleShape::Other);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<TupleShape<'de>, A::Error> {
        let inner = self.within.inner()?;
        let mut elements = Vec::with_capacity(TUPLE);
        while elements.len() < TUPLE {
            match list.next_element_seed(inner)? {
                Some(element) => elements.push(element),
                None => return Ok(TupleShape::List { count: elements.len(), elements }),
            }
        }
        let count = TUPLE + inner.skip_list(&mut list)?;
        Ok(TupleShape::List { elements, count })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<TupleShape<'de>, A::Error> {
        self.within.inner()?.skip_object(&mut object)?;
        Ok(TupleShape::Other(Shape::Object))
    }
}

/// Reads a list by handing each element to `seed` and its value to `each`; `false` when the value was no list.
#[derive(Debug)]
pub(crate) struct ReadList<S, F> {
    pub(crate) seed: S,
    pub(crate) within: ReadShape,
    pub(crate) each: F,
}

impl<'de, S, F> DeserializeSeed<'de> for ReadList<S, F>
where
    S: DeserializeSeed<'de> + Copy,
    F: FnMut(S::Value),
{
    type Value = Option<Shape<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de, S, F> Visitor<'de> for ReadList<S, F>
where
    S: DeserializeSeed<'de> + Copy,
    F: FnMut(S::Value),
{
    /// `None` for a list, otherwise what it was instead.
    type Value = Option<Shape<'de>>;

    scalars_as_shape!('de, Some);

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        while let Some(element) = list.next_element_seed(self.seed)? {
            (self.each)(element);
        }
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        self.within.inner()?.skip_object(&mut object)?;
        Ok(Some(Shape::Object))
    }
}

/// The text of a body, or the fault that makes it unreadable.
pub(crate) fn body_text(body: &[u8]) -> Result<&str, Code> {
    if body.is_empty() {
        return Err(Code::FrameEmpty);
    }
    std::str::from_utf8(body).map_err(|_| Code::NotUtf8)
}

/// The fault behind an error of the JSON reader.
pub(crate) fn reading_failed(error: &serde_json::Error) -> Code {
    // The readers themselves only ever fail on depth.
    if error.is_data() { Code::TooDeep } else { Code::NotJson }
}
