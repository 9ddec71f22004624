//! `marks`: how far a user has read, told to nobody but their own devices (MK-1, MK-2).
//!
//! A mark is an id, not a time: it never lies between two messages of one second, and never ahead of what is stored.

use serde_json::Value;

use super::ids::{Id, read_id, signed};
use crate::json::Object;
use crate::limits;
use crate::name::ALL;
use crate::room_name::RoomName;
use crate::text::WireText;

/// How far somebody has read: of a client `{"WITH", "UPTO"}`, of a server `{with: id}`.
pub const READ: &str = "READ";
/// How much is unread, an object `{with: n}` in the welcome (MK-2).
pub const UNREAD: &str = "UNREAD";

const WITH: &str = "WITH";
const UPTO: &str = "UPTO";

/// A conversation has been read up to a message (MK-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadUpTo {
    /// `ALL`, a room, or the other user of a private conversation.
    pub with: WireText<'static>,
    /// The id of the last message that was read.
    pub upto: Id,
}

impl ReadUpTo {
    /// Whether the public messages were read.
    pub fn is_public(&self) -> bool {
        self.with.as_wire() == ALL
    }

    /// Whether the messages of a room were read.
    pub fn is_of_room(&self) -> bool {
        RoomName::is_meant(self.with.as_wire())
    }

    /// `READ`, as a client says it.
    pub fn to_object(&self) -> Object {
        let mark = Object::with_capacity(64).string(WITH, self.with.as_wire());
        let mark = mark.integer(UPTO, signed(self.upto)).into_value();
        Object::with_capacity(mark.len() + 16).json(READ, &mark)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let with = value.get(WITH)?.as_str().filter(|with| with.len() <= limits::PAGE_WITH)?;
        Some(Self { with: WireText::new(with.to_owned()), upto: read_id(value.get(UPTO)?)? })
    }
}

/// `READ` or `UNREAD` with these numbers, as a server tells them.
pub fn numbers<'a>(key: &str, all: impl IntoIterator<Item = (&'a str, u64)>) -> Object {
    let mut numbers = Object::with_capacity(64);
    for (with, number) in all {
        numbers = numbers.integer(with, signed(number));
    }
    let numbers = numbers.into_value();
    Object::with_capacity(numbers.len() + 16).json(key, &numbers)
}

/// Reads what a server tells: conversations, each with a number. `None` when the value is none.
pub(crate) fn read_numbers(value: Value) -> Option<Vec<(WireText<'static>, u64)>> {
    let Value::Object(all) = value else { return None };
    let number = |(with, number): (String, Value)| Some((WireText::new(with), read_id(&number)?));
    all.into_iter().take(limits::MARKS).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (with, upto) in [("ALL", 0), ("#lab", 7), ("b\"ob", (1 << 53) - 1)] {
            let mark = ReadUpTo { with: WireText::new(with.to_owned()), upto };
            let bytes = [b"{", &mark.to_object().into_members()[..], b"}"].concat();
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(ReadUpTo::read(&value[READ]), Some(mark));
        }
        let told = numbers(UNREAD, [("ALL", 3), ("\u{e9}", 100)]).into_members();
        let value: Value = serde_json::from_slice(&[b"{", &told[..], b"}"].concat()).unwrap();
        let read = read_numbers(value[UNREAD].clone()).unwrap();
        assert_eq!(read, [(WireText::new("ALL"), 3), (WireText::new("\u{e9}".to_owned()), 100)]);
    }

    #[test]
    fn what_is_no_mark_is_none() {
        let long = "x".repeat(limits::PAGE_WITH + 1);
        for text in [
            "7",
            "{}",
            r#"{"WITH": "ALL"}"#,
            r#"{"UPTO": 7}"#,
            r#"{"WITH": 7, "UPTO": 7}"#,
            r#"{"WITH": "ALL", "UPTO": -1}"#,
            r#"{"WITH": "ALL", "UPTO": 1.5}"#,
            r#"{"WITH": "ALL", "UPTO": "7"}"#,
            &format!(r#"{{"WITH": "{long}", "UPTO": 7}}"#),
        ] {
            assert_eq!(ReadUpTo::read(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
        for text in ["7", "[]", r#"{"ALL": -1}"#, r#"{"ALL": null}"#] {
            assert_eq!(read_numbers(serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
