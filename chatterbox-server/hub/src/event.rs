//! Events: the things that receivers are told, encoded once for all of them.

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::capability::notices::NOTICES;
use chatterbox_proto::capability::presence::PRESENCE;
use chatterbox_proto::capability::{rename, rooms};
use chatterbox_proto::json::{self, Object};

use crate::encode::view::View;
use crate::own_device::OwnDevice;
use crate::record::{Record, Sequence};
use crate::record_meta::RecordMeta;

/// One thing that a joined connection is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The key of the body and its size, worked out once: every batch that holds the event asks for them several times.
    key: Key,
    size: u32,
    /// Whether it is for one member, and nothing in it is private or a secret: such a frame may be compressed (ZS-3).
    is_compressible: bool,
    pub(crate) body: Body,
}

/// The kind of an event, with its parts as JSON. Receivers share these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// A user has joined; the name.
    Joined(Bytes),
    /// A user has another name.
    Renamed { old: Bytes, new: Bytes },
    /// A room has a new member; the names of room and member.
    RoomJoined { room: Bytes, name: Bytes },
    /// Something of a room has changed; an object for `ROOMS`.
    RoomChanged(Bytes),
    /// A member of a room is none any more; the names of room and member.
    RoomLeft { room: Bytes, name: Bytes },
    /// A message of the history; its tuple, its number, its source, when the server took it, and what goes with it.
    Message {
        id: Sequence,
        source: Username,
        json: Bytes,
        arrived: i64,
        meta: Option<Arc<RecordMeta>>,
    },
    /// A message of the server itself, which has no number; the tuple.
    Notice(Bytes),
    /// What is told of users to who agreed to `presence`, an object (PR-1); the others are told nothing.
    Presence(Bytes),
    /// Something that all should know: a tuple for who did not agree to `notices`, an element of NOTICES for the others (NO-2).
    Announced { tuple: Bytes, told: Bytes },
    /// An element of NOTICES (NO-1).
    Told(Bytes),
    /// A user has left; the name.
    Left(Bytes),
    /// Keys of capabilities for one member, with their values. Nothing may stand behind them.
    Own(Bytes),
    /// An ERROR text.
    Error(Bytes),
}

/// The keys, in the order of their meaning inside one object (PB-2, RN-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// `USERS_JOINED`
    Joined,
    /// `ROOM_USERS_JOINED`
    RoomJoined,
    /// `USERS_RENAMED`, one per object; for the base protocol `USERS_LEFT` and then `USERS_JOINED`.
    Renamed,
    /// `ROOMS`
    Rooms,
    /// `MESSAGES`
    Messages,
    /// `PRESENCE`, one per object.
    Presence,
    /// `NOTICES`; what is announced to all is a message for who did not agree to them.
    Notices,
    /// `ROOM_USERS_LEFT`
    RoomLeft,
    /// `USERS_LEFT`
    Left,
    /// The keys that [`Body::Own`] brings.
    Own,
    /// `ERROR`, one per object.
    Error,
}

impl Key {
    /// The key as it is written; [`Key::Own`] has none.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "USERS_JOINED",
            Self::RoomJoined => rooms::ROOM_USERS_JOINED,
            Self::Renamed => rename::USERS_RENAMED,
            Self::Rooms => rooms::ROOMS,
            Self::Messages => "MESSAGES",
            Self::Presence => PRESENCE,
            Self::Notices => NOTICES,
            Self::RoomLeft => rooms::ROOM_USERS_LEFT,
            Self::Left => "USERS_LEFT",
            Self::Own => "",
            Self::Error => "ERROR",
        }
    }

    /// Whether `next` can stand in the same object behind this.
    pub(crate) fn may_precede(self, next: Self) -> bool {
        match self {
            Self::Renamed | Self::Presence => self < next,
            Self::Own | Self::Error => false,
            // What one object has of them is of one room, as a batch is.
            Self::Joined
            | Self::RoomJoined
            | Self::Rooms
            | Self::Messages
            | Self::Notices
            | Self::RoomLeft
            | Self::Left => self <= next,
        }
    }
}

impl Event {
    pub(crate) fn new(body: Body) -> Self {
        let (key, size) = match &body {
            Body::Joined(json) => (Key::Joined, json.len()),
            Body::Renamed { old, new } => (Key::Renamed, old.len() + ": ".len() + new.len()),
            Body::RoomJoined { room, name } => {
                (Key::RoomJoined, room.len() + ": []".len() + name.len())
            }
            Body::RoomChanged(json) => (Key::Rooms, json.len()),
            Body::RoomLeft { room, name } => {
                (Key::RoomLeft, room.len() + ": []".len() + name.len())
            }
            Body::Message { json, meta, .. } => {
                let beside = meta.as_ref().map_or(0, |meta| meta.json.len());
                (Key::Messages, json.len() + beside)
            }
            Body::Notice(json) => (Key::Messages, json.len()),
            Body::Presence(json) => (Key::Presence, json.len()),
            Body::Announced { tuple, told } => (Key::Notices, longer(tuple.len(), told.len())),
            Body::Told(json) => (Key::Notices, json.len()),
            Body::Left(json) => (Key::Left, json.len()),
            Body::Own(json) => (Key::Own, json.len()),
            Body::Error(json) => (Key::Error, json.len()),
        };
        // No event is larger than a frame, whose length has 32 bits.
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a larger one is cut to the largest that fits"
        )]
        let size = if size > u32::MAX as usize { u32::MAX } else { size as u32 };
        Self { key, size, is_compressible: false, body }
    }

    /// A user has joined; `name` is a JSON string.
    pub(crate) fn joined(name: Bytes) -> Self {
        Self::new(Body::Joined(name))
    }

    /// A user has left; `name` is a JSON string.
    pub(crate) fn left(name: Bytes) -> Self {
        Self::new(Body::Left(name))
    }

    /// A user has another name; both are JSON strings.
    pub(crate) fn renamed(old: Bytes, new: Bytes) -> Self {
        Self::new(Body::Renamed { old, new })
    }

    /// A user has another name, for one member who is told of it alone.
    pub fn other_name(old: &Username, new: &Username) -> Self {
        Self::renamed(json::string(old.as_str()), json::string(new.as_str()))
    }

    /// A room has a new member; both names are JSON strings.
    pub(crate) fn room_joined(room: Bytes, name: Bytes) -> Self {
        Self::new(Body::RoomJoined { room, name })
    }

    /// Something of a room has changed; an object for `ROOMS`.
    pub(crate) fn room_changed(object: Bytes) -> Self {
        Self::new(Body::RoomChanged(object))
    }

    /// A member of a room is none any more; both names are JSON strings.
    pub(crate) fn room_left(room: Bytes, name: Bytes) -> Self {
        Self::new(Body::RoomLeft { room, name })
    }

    /// A message that the store has under this number, for a connection of this device, or for everybody.
    pub(crate) fn message(id: Sequence, record: Record, device: Option<&OwnDevice>) -> Self {
        let Record { source, json, arrived, meta, .. } = record;
        let device = device.and_then(|own| own.reads(id, arrived));
        let meta = meta.and_then(|meta| meta.told(device));
        Self::new(Body::Message { id, source, json, arrived, meta })
    }

    /// A message of the server itself, already a JSON tuple. It is not part of the history.
    pub fn notice(json: Bytes) -> Self {
        Self::new(Body::Notice(json))
    }

    /// Something that all should know: a tuple of the server, and the same as an object for who agreed to `notices`. It is not
    /// part of the history.
    pub fn announcement(tuple: Bytes, notice: Bytes) -> Self {
        Self::new(Body::Announced { tuple, told: notice })
    }

    /// What is told of users: an object (PR-1).
    pub(crate) fn presence(object: Bytes) -> Self {
        Self::new(Body::Presence(object))
    }

    /// What one member who agreed to `notices` should know: an object, already JSON.
    pub fn told(notice: Bytes) -> Self {
        Self::new(Body::Told(notice))
    }

    /// Keys of capabilities, for one member.
    pub fn own(object: Object) -> Self {
        Self::members(object.into_members())
    }

    /// The same, where nothing of it is private or a secret, such as a page of what was said to all (ZS-3).
    pub fn own_compressible(object: Object) -> Self {
        Self { is_compressible: true, ..Self::own(object) }
    }

    /// The same, written already.
    pub fn members(members: Bytes) -> Self {
        Self::new(Body::Own(members))
    }

    /// An ERROR text.
    pub fn error(text: &str) -> Self {
        Self::new(Body::Error(json::string(text)))
    }

    /// The same, written as JSON already.
    pub(crate) fn raw_error(json: Bytes) -> Self {
        Self::new(Body::Error(json))
    }

    /// The key that it goes under.
    pub(crate) const fn key(&self) -> Key {
        self.key
    }

    /// The size of its JSON, by which rings, queues and batches are bounded.
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// Whether a frame with it may be compressed, although it is for one member (ZS-3).
    pub(crate) const fn is_compressible(&self) -> bool {
        self.is_compressible
    }

    /// The number of the message, if it is one of the history.
    pub(crate) const fn number(&self) -> Option<Sequence> {
        match &self.body {
            Body::Message { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// What goes with the message, as JSON, if that is anything.
    pub(crate) fn meta(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Message { meta, .. } => meta.as_ref().map(|meta| &meta.json),
            _ => None,
        }
    }

    /// The user who sent the message, if it is one of a user.
    pub(crate) const fn source(&self) -> Option<&Username> {
        match &self.body {
            Body::Message { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Whether somebody with this view is told it in other words; see [`Event::in_words_of`].
    pub(crate) const fn has_other_words(&self, view: View) -> bool {
        match &self.body {
            Body::Renamed { .. } => !view.renames(),
            Body::Presence(_) => !view.presence(),
            Body::Announced { .. } => true,
            _ => false,
        }
    }

    /// What somebody with this view is told in its place: of a change of name that one user left and another joined, of an
    /// announcement one of its two forms, and of what is told of users nothing.
    pub(crate) fn in_words_of(&self, view: View) -> Option<Vec<Self>> {
        match &self.body {
            Body::Renamed { old, new } if !view.renames() => {
                Some(vec![Self::left(old.clone()), Self::joined(new.clone())])
            }
            Body::Presence(_) if !view.presence() => Some(Vec::new()),
            Body::Announced { told, .. } if view.notices() => Some(vec![Self::told(told.clone())]),
            Body::Announced { tuple, .. } => Some(vec![Self::notice(tuple.clone())]),
            _ => None,
        }
    }
}

const fn longer(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_comes_apart_whatever_is_in_the_names() {
        for (old, new) in [("ann", "bob"), ("a\"b", "\\"), ("\\\"", "c: \"d"), ("\u{e9}", "x")] {
            let event = Event::renamed(json::string(old), json::string(new));
            assert!(event.has_other_words(View::BASE));
            let [left, joined] = event.in_words_of(View::BASE).unwrap().try_into().unwrap();
            assert_eq!((left.key(), left.body), (Key::Left, Body::Left(json::string(old))));
            assert_eq!((joined.key(), joined.body), (Key::Joined, Body::Joined(json::string(new))));
        }
    }

    #[test]
    fn an_event_is_small() {
        // The timeline holds 16,384 of them, and every queue its own.
        assert!(size_of::<Event>() <= 80, "{}", size_of::<Event>());
    }
}
