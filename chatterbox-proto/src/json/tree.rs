//! Small JSON values as a tree, for the keys of capabilities, bounded in depth and in the number of values (JS-5).
//!
//! Messages never go this way: they are read in place by [`super::read`].

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::read::{Key, ReadShape};

/// Reads one value as a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadTree<'b> {
    pub(crate) within: ReadShape,
    /// How many values it may still have; what is beyond is walked over.
    pub(crate) budget: &'b Cell<usize>,
}

impl ReadTree<'_> {
    /// Whether there is room for one value more.
    fn spend(self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    fn inner<E: Error>(self) -> Result<Self, E> {
        Ok(Self { within: self.within.inner()?, ..self })
    }
}

/// Reads a member of an object as a tree of at most `budget` values; `None` when it has more.
pub(crate) fn read_tree<'de, A: MapAccess<'de>>(
    object: &mut A,
    budget: usize,
) -> Result<Option<Value>, A::Error> {
    let budget = Cell::new(budget);
    let value = object.next_value_seed(ReadTree { within: ReadShape::MEMBER, budget: &budget })?;
    Ok((budget.get() > 0).then_some(value))
}

impl<'de> DeserializeSeed<'de> for ReadTree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadTree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut elements = Vec::new();
        while self.spend() {
            match list.next_element_seed(inner)? {
                Some(element) => elements.push(element),
                None => return Ok(elements.into()),
            }
        }
        inner.within.skip_list(&mut list)?;
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = serde_json::Map::new();
        while self.spend() {
            match object.next_key::<Key<'de>>()? {
                Some(Key(key)) => {
                    let value = object.next_value_seed(inner)?;
                    members.insert(key.into_owned(), value);
                }
                None => return Ok(members.into()),
            }
        }
        inner.within.skip_object(&mut object)?;
        Ok(Value::Null)
    }
}
