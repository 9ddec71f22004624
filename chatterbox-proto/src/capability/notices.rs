//! `notices`: what a user should know and did not ask for, and why a connection ends, for programs (NO-1 to NO-5).

mod write;

use serde_json::{Map, Value};

use super::ids::{self, Id};
use crate::text::WireText;

pub use write::{ClosedCode, NewNotice, NoticeCode, closed, one};

/// What this user should know and did not ask for, a list of objects (NO-1).
pub const NOTICES: &str = "NOTICES";
/// Why the server ends the connection, in its last frame (NO-3).
pub const CLOSED: &str = "CLOSED";

/// One element of `NOTICES`, as the client reads it (NO-1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    /// The machine word of what has happened.
    pub code: WireText<'static>,
    /// The words for the user: what is announced, or the reason.
    pub info: Option<WireText<'static>>,
    /// The room that it is about.
    pub room: Option<WireText<'static>>,
    /// The user that it is about.
    pub name: Option<WireText<'static>>,
    /// Who did it.
    pub by: Option<WireText<'static>>,
    /// Until when it holds, in seconds since 1970 UTC.
    pub until: Option<i64>,
    /// For how many seconds it holds.
    pub wait: Option<u64>,
    /// The message that it is about.
    pub id: Option<Id>,
}

impl Notice {
    fn read(value: &Value) -> Option<Self> {
        let notice = value.as_object()?;
        Some(Self {
            code: text(notice, "CODE")?,
            info: text(notice, "INFO"),
            room: text(notice, "ROOM"),
            name: text(notice, "NAME"),
            by: text(notice, "BY"),
            until: notice.get(ids::UNTIL).and_then(Value::as_i64),
            wait: notice.get(ids::WAIT).and_then(Value::as_u64),
            id: notice.get("ID").and_then(ids::read_id),
        })
    }
}

/// When a client may come back by itself (NO-3, NO-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not by itself.
    Never,
    /// Not before so many seconds.
    After(u64),
}

/// `CLOSED`: why the server ends the connection (NO-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The machine word of the reason.
    pub code: WireText<'static>,
    /// The words for the user.
    pub info: Option<WireText<'static>>,
    /// Until when it holds, in seconds since 1970 UTC.
    pub until: Option<i64>,
    /// When the client may come back; `None` when the server does not say.
    pub retry: Option<Retry>,
}

impl Closed {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let closed = value.as_object()?;
        Some(Self {
            code: text(closed, "CODE")?,
            info: text(closed, "INFO"),
            until: closed.get(ids::UNTIL).and_then(Value::as_i64),
            retry: match closed.get("RETRY") {
                Some(Value::Null) => Some(Retry::Never),
                Some(retry) => retry.as_u64().map(Retry::After),
                None => None,
            },
        })
    }
}

/// The notices that can be read; `None` when the value is no list, or one of them is none.
pub(crate) fn read(value: &Value) -> Option<Vec<Notice>> {
    value.as_array()?.iter().map(Notice::read).collect()
}

fn text(object: &Map<String, Value>, key: &str) -> Option<WireText<'static>> {
    object.get(key).and_then(Value::as_str).map(|text| WireText::new(text.to_owned()))
}
