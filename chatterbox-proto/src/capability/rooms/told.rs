//! What a server tells of rooms, as the client reads it: leniently, key by key.

use serde_json::{Map, Value};

use crate::capability::ids::{self, Id};
use crate::limits::USERNAME_CHARS_MOST;
use crate::text::WireText;

/// The most bytes of a name: no server of ours has a longer one, and a client may have to keep very many.
const NAME: usize = 4 * USERNAME_CHARS_MOST;

/// How many of its messages a room keeps (RH-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// None.
    Off,
    /// The newest so many.
    Newest(u64),
    /// As many as the server's retention lets it.
    All,
}

/// What newcomers may read of a room (RH-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Everything that is kept.
    All,
    /// What was said since they joined.
    Joined,
}

/// One element of `ROOMS`: every key of a room, or those that have changed (RM-5, RM-6, RM-11). A key that is missing, or
/// has a value that means nothing, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomTold {
    /// The name in the room's spelling, or `ALL` for the lobby.
    pub room: WireText<'static>,
    /// The number, which no other room ever has; `None` for the lobby.
    pub number: Option<u64>,
    /// The account that owns it; `Some(None)` when nobody does.
    pub owner: Option<Option<WireText<'static>>>,
    /// The level of this user in it.
    pub level: Option<u8>,
    /// The members of level 2 or more, and their levels.
    pub staff: Option<Vec<(WireText<'static>, u8)>>,
    /// What is talked about now.
    pub topic: Option<WireText<'static>>,
    /// What it is for.
    pub description: Option<WireText<'static>>,
    /// Whether its members are listed.
    pub roster: Option<bool>,
    /// How many members it has.
    pub count: Option<u64>,
    /// The names of its members.
    pub users: Option<Vec<WireText<'static>>>,
    /// Members at most; 0 is no limit.
    pub limit: Option<u64>,
    /// The longest message in characters.
    pub length: Option<u64>,
    /// The lowest level that may write.
    pub talk: Option<u8>,
    /// Seconds between two messages of one user.
    pub slow: Option<u64>,
    /// How many messages are kept.
    pub keep: Option<Kept>,
    /// What newcomers may read.
    pub show: Option<Shown>,
    /// Further words, such as `hidden`.
    pub flags: Option<Vec<WireText<'static>>>,
    /// The newest message; 0 is none.
    pub last: Option<Id>,
    /// Nothing up to this message is shown any more (RH-4).
    pub floor: Option<Id>,
    /// Whether some of what was missed was not sent (RH-6).
    pub gap: bool,
}

impl RoomTold {
    /// Reads one object; `None` without a name, or a room without a number.
    fn read(value: Value) -> Option<Self> {
        let Value::Object(mut room) = value else { return None };
        let name = room.get("ROOM")?.as_str()?;
        let number = room.get("NUMBER").and_then(Value::as_u64);
        if number.is_none() && name != crate::ALL {
            return None;
        }
        Some(Self {
            room: WireText::new(name.to_owned()),
            number,
            owner: room.get("OWNER").map(|owner| owner.as_str().map(wire)),
            level: level(room.get("LEVEL")),
            staff: room.remove("STAFF").and_then(staff),
            topic: text(&room, "TOPIC"),
            description: text(&room, "DESCRIPTION"),
            roster: room.get("ROSTER").and_then(Value::as_bool),
            count: integer(&room, "COUNT"),
            users: room.remove("USERS").and_then(names),
            limit: integer(&room, "LIMIT"),
            length: integer(&room, "LENGTH"),
            talk: level(room.get("TALK")),
            slow: integer(&room, "SLOW"),
            keep: match room.get("KEEP") {
                Some(Value::String(word)) if word == "off" => Some(Kept::Off),
                Some(Value::String(word)) if word == "all" => Some(Kept::All),
                Some(number) => number.as_u64().map(Kept::Newest),
                None => None,
            },
            show: match room.get("SHOW").and_then(Value::as_str) {
                Some("all") => Some(Shown::All),
                Some("joined") => Some(Shown::Joined),
                _ => None,
            },
            flags: room.remove("FLAGS").and_then(names),
            last: room.get("LAST").and_then(ids::read_id),
            floor: room.get("FLOOR").and_then(ids::read_id),
            gap: room.get("GAP").and_then(Value::as_bool) == Some(true),
        })
    }
}

/// One element of `ROOMS_LEFT`: a membership that has ended (RM-7).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomLeft {
    /// The name of the room.
    pub room: WireText<'static>,
    /// The number of the room.
    pub number: Option<u64>,
    /// The machine word of the reason; `None` where the server just does not name the room any more.
    pub code: Option<WireText<'static>>,
    /// Who did it.
    pub by: Option<WireText<'static>>,
    /// The reason in words.
    pub info: Option<WireText<'static>>,
}

/// Rooms, and the names of their members who came or left (RM-6, RM-7).
pub(crate) type RoomUsers = Vec<(WireText<'static>, Vec<WireText<'static>>)>;

/// The rooms that can be read, and whether that is all of them; `None` when the value is no list.
pub(crate) fn read_rooms(value: Value) -> Option<(Vec<RoomTold>, bool)> {
    let Value::Array(rooms) = value else { return None };
    let named = rooms.len();
    let rooms: Vec<_> = rooms.into_iter().filter_map(RoomTold::read).collect();
    let all = rooms.len() == named;
    Some((rooms, all))
}

/// The memberships that have ended.
pub(crate) fn read_left(value: &Value) -> Option<Vec<RoomLeft>> {
    let left = |value: &Value| {
        let left = value.as_object()?;
        Some(RoomLeft {
            room: text(left, "ROOM")?,
            number: integer(left, "NUMBER"),
            code: text(left, "CODE"),
            by: text(left, "BY"),
            info: text(left, "INFO").filter(|info| !info.as_wire().is_empty()),
        })
    };
    value.as_array()?.iter().map(left).collect()
}

/// An object `{room: [name...]}`.
pub(crate) fn read_users(value: Value) -> Option<RoomUsers> {
    let Value::Object(rooms) = value else { return None };
    rooms.into_iter().map(|(room, users)| Some((WireText::new(room), names(users)?))).collect()
}

fn wire(text: &str) -> WireText<'static> {
    WireText::new(text.to_owned())
}

fn text(object: &Map<String, Value>, key: &str) -> Option<WireText<'static>> {
    object.get(key).and_then(Value::as_str).map(wire)
}

fn integer(object: &Map<String, Value>, key: &str) -> Option<u64> {
    object.get(key).and_then(Value::as_u64)
}

fn level(value: Option<&Value>) -> Option<u8> {
    value.and_then(Value::as_u64).and_then(|level| u8::try_from(level).ok())
}

/// A list of names; those that are longer than any name can be, and what is no text, are left out.
fn names(value: Value) -> Option<Vec<WireText<'static>>> {
    let Value::Array(names) = value else { return None };
    let name = |name| match name {
        Value::String(name) if name.len() <= NAME => Some(WireText::new(name)),
        _ => None,
    };
    Some(names.into_iter().filter_map(name).collect())
}

fn staff(value: Value) -> Option<Vec<(WireText<'static>, u8)>> {
    let Value::Object(staff) = value else { return None };
    let member = |(name, value): (String, Value)| {
        let level = level(Some(&value)).filter(|_| name.len() <= NAME)?;
        Some((WireText::new(name), level))
    };
    Some(staff.into_iter().filter_map(member).collect())
}
