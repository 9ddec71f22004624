//! `ids`: messages have sequence numbers, so they can be acknowledged, paged and resumed (ID-1 to ID-8).
//!
//! A tag is an idempotency key: the client chooses one for each message, and a message that is sent again with the same tag
//! in the same session is acknowledged again, but neither stored nor delivered twice (ID-5).

use bytes::Bytes;
use serde_json::Value;

use super::accounts::Secret;
pub use super::id::Id;
pub(crate) use super::id::read_id;
use super::meta::{self, META, Meta};
use crate::code::Code;
use crate::entry::Entry;
use crate::json::{self, Object};
use crate::limits;
use crate::name::ALL;
use crate::room_name::RoomName;
use crate::text::WireText;

/// The ids of the messages, a list parallel to MESSAGES (ID-1).
pub const IDS: &str = "IDS";
/// The idempotency keys of a client's messages, a list parallel to MESSAGES (ID-3).
pub const TAGS: &str = "TAGS";
/// Acknowledgements, an object `{tag: id}` (ID-4).
pub const ACKS: &str = "ACKS";
/// Rejections, an object `{tag: {CODE, ERROR}}` (ID-4).
pub const REFUSED: &str = "REFUSED";
/// A query for a page of history, and the page (ID-6).
pub const HISTORY: &str = "HISTORY";
/// The token of a session, in the welcome; the request to resume it, beside USERNAME (ID-7).
pub const RESUME: &str = "RESUME";
/// Whether the session was resumed (ID-7, ID-8).
pub const RESUMED: &str = "RESUMED";

/// When the server took the messages, a list parallel to IDS: seconds since 1970 UTC, or null for what has no id.
pub const TIMES: &str = "TIMES";
/// After how many seconds trying again makes sense (CP-12).
pub const WAIT: &str = "WAIT";
/// Until when something holds, in seconds since 1970 UTC (CP-12, NO-1, NO-5).
pub const UNTIL: &str = "UNTIL";

const WITH: &str = "WITH";
const BEFORE: &str = "BEFORE";
const AFTER: &str = "AFTER";
const LIMIT: &str = "LIMIT";
const MORE: &str = "MORE";
const MESSAGES: &str = "MESSAGES";
const TOKEN: &str = "TOKEN";

/// A request to resume a session (ID-7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The token of the session.
    pub token: Secret,
    /// The id of the last message that the client has received; 0 if there is none.
    pub after: Id,
}

impl Resume {
    /// The value of `RESUME`, as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let object = Object::with_capacity(80).string(TOKEN, self.token.reveal());
        object.integer(AFTER, signed(self.after)).into_value()
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let token = Secret::new(value.get(TOKEN)?.as_str()?);
        Some(Self { token, after: read_id(value.get(AFTER)?)? })
    }
}

/// The direction in which a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Backwards: the newest messages before this id.
    Before(Id),
    /// Forwards: the oldest messages after this id.
    After(Id),
    /// Backwards from the end: the newest messages.
    Newest,
}

/// A query for a page of history (ID-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `ALL`, or the other user of a private conversation.
    pub with: WireText<'static>,
    /// The direction, and the id at which the page begins.
    pub side: Side,
    /// The most messages that the page may hold.
    pub limit: u16,
}

impl Query {
    /// Whether it asks for the public messages.
    pub fn is_public(&self) -> bool {
        self.with.as_wire() == ALL
    }

    /// Whether it asks for the messages of a room (RH-1).
    pub fn is_of_room(&self) -> bool {
        RoomName::is_meant(self.with.as_wire())
    }

    /// `HISTORY`, as a client asks.
    pub fn to_object(&self) -> Object {
        let mut query = Object::with_capacity(96).string(WITH, self.with.as_wire());
        query = match self.side {
            Side::Before(id) => query.integer(BEFORE, signed(id)),
            Side::After(id) => query.integer(AFTER, signed(id)),
            Side::Newest => query,
        };
        let query = query.integer(LIMIT, i64::from(self.limit)).into_value();
        Object::with_capacity(query.len() + 16).json(HISTORY, &query)
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let with = value.get(WITH)?.as_str().filter(|with| with.len() <= limits::PAGE_WITH)?;
        let side = match (value.get(BEFORE), value.get(AFTER)) {
            (None, None) => Side::Newest,
            (Some(id), None) => Side::Before(read_id(id)?),
            (None, Some(id)) => Side::After(read_id(id)?),
            (Some(_), Some(_)) => return None,
        };
        let limit = match value.get(LIMIT) {
            None => limits::PAGE_DEFAULT,
            Some(limit) => u16::try_from(limit.as_u64()?).ok()?,
        };
        let fits = (1..=limits::PAGE).contains(&limit);
        fits.then(|| Self { with: WireText::new(with.to_owned()), side, limit })
    }
}

/// A page of history, as the client gets it (ID-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The conversation, as the query named it.
    pub with: WireText<'static>,
    /// The messages, oldest first.
    pub messages: Vec<Paged>,
    /// Whether there are more messages in the direction of the query.
    pub more: bool,
    /// The machine word of the reason why this user may not read it (RH-1).
    pub code: Option<WireText<'static>>,
}

/// A message of a page, as the client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged {
    /// Its id.
    pub id: Id,
    /// When the server took it, in seconds since 1970 UTC, where it says so.
    pub taken: Option<i64>,
    /// The message.
    pub entry: Entry<'static>,
    /// What goes with it (MT-1).
    pub meta: Option<Box<Meta>>,
}

impl Page {
    pub(crate) fn read(value: Value) -> Option<Self> {
        let Value::Object(mut page) = value else { return None };
        let with = WireText::new(page.get(WITH)?.as_str()?.to_owned());
        let more = page.get(MORE)?.as_bool()?;
        let ids: Vec<Id> = page.get(IDS)?.as_array()?.iter().map(read_id).collect::<Option<_>>()?;
        let Value::Array(messages) = page.remove(MESSAGES)? else { return None };
        if ids.len() != messages.len() {
            return None;
        }
        let code = page.get("CODE").and_then(Value::as_str);
        let code = code.map(|code| WireText::new(code.to_owned()));
        let times = page.get(TIMES).and_then(Value::as_array).filter(|t| t.len() == ids.len());
        let metas = page.get(META).and_then(Value::as_array).filter(|m| m.len() == ids.len());
        let time = |place| times.and_then(|times| times.get(place)).and_then(Value::as_i64);
        let message = |(place, (id, tuple))| {
            let meta = metas.and_then(|metas| metas.get(place)).and_then(meta::read).map(Box::new);
            Some(Paged { id, taken: time(place), entry: read_entry(tuple)?, meta })
        };
        let messages = ids.into_iter().zip(messages).enumerate().map(message);
        Some(Self { with, messages: messages.collect::<Option<_>>()?, more, code })
    }
}

/// A message of a page, as the server writes it.
#[derive(Debug, Clone, Copy)]
pub struct PageMessage<'a> {
    /// Its id.
    pub id: Id,
    /// When the server took it, in seconds since 1970 UTC.
    pub time: i64,
    /// The JSON tuple.
    pub json: &'a [u8],
    /// What goes with it for who reads the page, as JSON; `None` where that is nothing.
    pub meta: Option<&'a [u8]>,
}

/// `HISTORY`, as the server answers.
pub fn page<'a>(
    with: &str,
    messages: impl Iterator<Item = PageMessage<'a>> + Clone,
    more: bool,
) -> Object {
    let size: usize = messages
        .clone()
        .map(|message| message.json.len() + message.meta.map_or(0, <[u8]>::len) + 36)
        .sum();
    let page = Object::with_capacity(size + with.len() + 64)
        .string(WITH, with)
        .list(MESSAGES, messages.clone().map(|message| message.json))
        .list(IDS, messages.clone().map(|message| integer_json(signed(message.id))))
        .list(TIMES, messages.clone().map(|message| integer_json(message.time)));
    let page = if messages.clone().any(|message| message.meta.is_some()) {
        page.list(META, messages.map(|message| message.meta.unwrap_or(b"null")))
    } else {
        page
    };
    let page = page.boolean(MORE, more).into_value();
    Object::with_capacity(page.len() + 16).json(HISTORY, &page)
}

/// `HISTORY` for somebody who may not read it (RH-1).
pub fn no_page(with: &str, code: &str) -> Object {
    let nothing = || std::iter::empty::<&[u8]>();
    let page = Object::with_capacity(with.len() + 96)
        .string(WITH, with)
        .list(MESSAGES, nothing())
        .list(IDS, nothing())
        .boolean(MORE, false)
        .string("CODE", code)
        .into_value();
    Object::with_capacity(page.len() + 16).json(HISTORY, &page)
}

/// `ACKS`; a tag that occurs twice is acknowledged once, with its first id.
pub fn acks<'a>(acks: impl IntoIterator<Item = (&'a str, Id)>) -> Object {
    let mut seen = std::collections::HashSet::new();
    let mut object = Object::with_capacity(128);
    for (tag, id) in acks {
        if seen.insert(tag) {
            object = object.integer(tag, signed(id));
        }
    }
    let acks = object.into_value();
    Object::with_capacity(acks.len() + 16).json(ACKS, &acks)
}

/// `REFUSED`; a tag that occurs twice is refused once, for its first reason.
pub fn refused(refused: &[(String, Code)]) -> Object {
    let mut seen = std::collections::HashSet::new();
    let mut object = Object::with_capacity(128);
    for (tag, code) in refused {
        if seen.insert(tag) {
            let reason =
                Object::with_capacity(96).string("CODE", code.word()).string("ERROR", code.text());
            let reason = match code.wait() {
                Some(wait) => reason.integer(WAIT, wait.into()),
                None => reason,
            };
            let reason = match code.until() {
                Some(until) => reason.integer(UNTIL, until),
                None => reason,
            };
            object = object.json(tag, &reason.into_value());
        }
    }
    let refused = object.into_value();
    Object::with_capacity(refused.len() + 16).json(REFUSED, &refused)
}

/// An id as it stands in a list: a number, or null for what has none.
pub fn push_id(out: &mut Vec<u8>, id: Option<Id>) {
    match id {
        Some(id) => json::push_integer(out, signed(id)),
        None => out.extend_from_slice(b"null"),
    }
}

/// A time as it stands in a list: seconds since 1970 UTC, or null for what has none.
pub fn push_time(out: &mut Vec<u8>, time: Option<i64>) {
    match time {
        Some(time) => json::push_integer(out, time),
        None => out.extend_from_slice(b"null"),
    }
}

fn integer_json(number: i64) -> Bytes {
    let mut out = Vec::with_capacity(20);
    json::push_integer(&mut out, number);
    out.into()
}

/// Ids are far below the bounds of 64 bits (ID-1).
pub(super) fn signed(id: Id) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// Reads acknowledgements: `{tag: id}`.
pub(crate) fn read_acks(value: Value) -> Option<Vec<(WireText<'static>, Id)>> {
    let Value::Object(acks) = value else { return None };
    acks.into_iter().map(|(tag, id)| Some((WireText::new(tag), read_id(&id)?))).collect()
}

/// The rejection of a message (ID-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTag {
    /// The idempotency key of the message.
    pub tag: WireText<'static>,
    /// The machine word of the reason.
    pub code: WireText<'static>,
    /// The reason, for the user.
    pub error: WireText<'static>,
    /// After how many seconds trying again makes sense (CP-12).
    pub wait: Option<u64>,
    /// Until when the reason holds, in seconds since 1970 UTC (CP-12).
    pub until: Option<i64>,
}

pub(crate) fn read_refused(value: Value) -> Option<Vec<RefusedTag>> {
    let Value::Object(refused) = value else { return None };
    let text = |reason: &Value, key| Some(WireText::new(reason.get(key)?.as_str()?.to_owned()));
    refused
        .into_iter()
        .map(|(tag, reason)| {
            let (code, error) = (text(&reason, "CODE")?, text(&reason, "ERROR")?);
            let wait = reason.get(WAIT).and_then(Value::as_u64);
            let until = reason.get(UNTIL).and_then(Value::as_i64);
            Some(RefusedTag { tag: WireText::new(tag), code, error, wait, until })
        })
        .collect()
}

fn read_entry(tuple: Value) -> Option<Entry<'static>> {
    let Value::Array(elements) = tuple else { return None };
    let [source, destination, timestamp, content] = <[Value; 4]>::try_from(elements).ok()?;
    let (Value::String(source), Value::String(destination), Value::String(content)) =
        (source, destination, content)
    else {
        return None;
    };
    Some(Entry {
        source: source.into(),
        destination: destination.into(),
        timestamp: timestamp.as_i64()?,
        content: content.into(),
    })
}
