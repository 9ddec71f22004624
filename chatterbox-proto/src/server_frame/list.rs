//! Lists that are left in the frame and read element by element.
//!
//! A server may name millions of messages or users in one frame. As values of their own they would take twenty times the
//! frame's size, so the first reading only checks and counts them; a [`List`] keeps the frame's bytes and a place in them.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::Deserialize;

use super::element::{Element, IdElement, MessageElement, MetaElement, NameElement, TimeElement};
use crate::code::Code;
use crate::json::read::reading_failed;

/// Names of users, as [`crate::WireText`].
pub type Names = List<NameElement>;
/// Messages, as [`crate::Entry`].
pub type Entries = List<MessageElement>;
/// Ids of messages; `None` for a message without one.
pub type Ids = List<IdElement>;
/// What goes with messages; `None` for a message that nothing goes with.
pub type Metas = List<MetaElement>;
/// When the server took messages; `None` for a message without an id.
pub type Times = List<TimeElement>;

/// A list of a frame that is read when it is needed; elements that mean nothing are passed over.
pub struct List<E> {
    /// The JSON from the next element on.
    rest: Bytes,
    /// How many elements with a meaning follow.
    left: usize,
    element: PhantomData<fn() -> E>,
}

impl<E: Element> List<E> {
    /// Checks and counts the elements of a JSON list, or a bare value that stands for a list of one. `each` gets the
    /// place of every element, and whether it is as the protocol has it (`None`: it means nothing).
    pub(super) fn check(
        json: &Bytes,
        mut each: impl FnMut(usize, Option<bool>),
    ) -> Result<Self, Code> {
        let begin = usize::from(json.first() == Some(&b'['));
        let mut list = Self { rest: json.slice(begin..), left: 0, element: PhantomData };
        let start = list.rest.clone();
        for place in 0.. {
            let Some(read) = element::<E::Json<'_>>(&list.rest) else { break };
            let (json, length) = read.map_err(|error| reading_failed(&error))?;
            let exact = E::meaning(json).map(|(_, exact)| exact);
            list.left += usize::from(exact.is_some());
            each(place, exact);
            list.pass(length);
        }
        list.rest = start;
        Ok(list)
    }

    /// How many elements follow.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether no element follows.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Reads the next element and hands it to `take`. Its text is borrowed from the frame where it has no escapes.
    pub fn next_with<T>(&mut self, take: impl FnOnce(E::Meaning<'_>) -> T) -> Option<T> {
        while self.left > 0 {
            let bytes = self.rest.clone();
            // The check found no error, so there is none now.
            let Some(Ok((json, length))) = element::<E::Json<'_>>(&bytes) else { break };
            self.pass(length);
            if let Some((meaning, _)) = E::meaning(json) {
                self.left -= 1;
                if self.left == 0 {
                    // A list at its end does not keep the frame.
                    self.rest = Bytes::new();
                }
                return Some(take(meaning));
            }
        }
        *self = Self::default();
        None
    }

    /// Reads everything that follows.
    pub fn collect_with<T>(mut self, mut make: impl FnMut(E::Meaning<'_>) -> T) -> Vec<T> {
        std::iter::from_fn(|| self.next_with(&mut make)).collect()
    }

    fn pass(&mut self, length: usize) {
        self.rest = self.rest.slice(length.min(self.rest.len())..);
    }
}

/// Reads the element at the beginning of the rest of a list. Returns its length as well, with what stands before it.
fn element<'a, T: Deserialize<'a>>(
    rest: &'a [u8],
) -> Option<Result<(T, usize), serde_json::Error>> {
    let before =
        rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','))?;
    let rest = rest.get(before..).filter(|rest| rest.first() != Some(&b']'))?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter();
    let value = values.next()?;
    let length = before + values.byte_offset();
    Some(value.map(|value| (value, length)))
}

impl<E> Clone for List<E> {
    fn clone(&self) -> Self {
        Self { rest: self.rest.clone(), left: self.left, element: PhantomData }
    }
}

impl<E> Default for List<E> {
    fn default() -> Self {
        Self { rest: Bytes::new(), left: 0, element: PhantomData }
    }
}

impl<E> fmt::Debug for List<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({} left)", self.left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blank() -> impl Strategy<Value = String> {
        "[ \t\r\n]{0,2}"
    }

    /// Elements, most of which are names, and the JSON of their list with blanks between them.
    fn lists() -> impl Strategy<Value = (Vec<serde_json::Value>, String)> {
        let element = prop_oneof![
            5 => any::<String>().prop_map(serde_json::Value::from),
            1 => any::<i64>().prop_map(serde_json::Value::from),
            1 => Just(serde_json::json!(["a", [{}], null])),
            1 => Just(serde_json::json!({"x": 1})),
        ];
        prop::collection::vec((element, blank(), blank()), 0..20).prop_map(|elements| {
            let text = |(value, before, behind): &(_, _, _)| format!("{before}{value}{behind}");
            let texts: Vec<_> = elements.iter().map(text).collect();
            (elements.into_iter().map(|(value, ..)| value).collect(), texts.join(","))
        })
    }

    proptest! {
        /// Against the list as a tree.
        #[test]
        fn the_elements_are_those_of_the_tree((values, json) in lists(), blank in blank()) {
            let json = Bytes::from(format!("[{json}{blank}]"));
            let mut places = Vec::new();
            let mut names = Names::check(&json, |place, exact| places.push((place, exact))).unwrap();
            let expected: Vec<_> = values.iter().filter_map(|value| value.as_str()).collect();
            prop_assert_eq!(places.len(), values.len());
            for ((number, (place, exact)), value) in places.into_iter().enumerate().zip(&values) {
                prop_assert_eq!((number, exact), (place, value.is_string().then_some(true)));
            }
            prop_assert_eq!(names.len(), expected.len());
            let copy = names.clone().collect_with(|name| name.as_wire().to_owned());
            prop_assert_eq!(&copy, &expected);
            for left in (0..expected.len()).rev() {
                prop_assert!(names.next_with(|_| ()).is_some());
                prop_assert_eq!(names.len(), left);
            }
            prop_assert!(names.next_with(|_| ()).is_none() && names.is_empty());
            prop_assert!(names.rest.is_empty(), "a list at its end does not keep its frame");
        }
    }
}
