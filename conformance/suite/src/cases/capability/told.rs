//! Reads what a server tells of rooms.

use conformance_kit::wire::frame::Frame;
use serde_json::Value;

use crate::server::peer::{Mark, Peer};

/// The keys of frames that only who agreed on `rooms` gets.
const KEYS: [&str; 5] = ["ROOMS", "DEFAULT", "ROOM_USERS_JOINED", "ROOM_USERS_LEFT", "ROOMS_LEFT"];

fn entry(frame: &Frame, key: &str, room: &str) -> Option<Value> {
    let is_it = |entry: &&Value| entry.get("ROOM").and_then(Value::as_str) == Some(room);
    frame.key(key)?.as_array()?.iter().find(is_it).cloned()
}

/// The object of a room in a frame.
pub(super) fn object(frame: &Frame, room: &str) -> Option<Value> {
    entry(frame, "ROOMS", room)
}

/// The keys that no change of a room has at once, and its whole object has.
const WHOLE: usize = 10;

/// The whole object of a room in a frame: what has changed in it comes under the same key.
pub(super) fn whole_object(frame: &Frame, room: &str) -> Option<Value> {
    object(frame, room).filter(|object| object.as_object().is_some_and(|o| o.len() >= WHOLE))
}

/// Everything that a user was told of a room since a mark, in its order.
pub(super) fn objects(peer: &mut Peer, since: Mark, room: &str) -> Vec<Value> {
    peer.frames(since).iter().filter_map(|frame| object(frame, room)).collect()
}

/// The end of a membership in a frame.
pub(super) fn ended(frame: &Frame, room: &str) -> Option<Value> {
    entry(frame, "ROOMS_LEFT", room)
}

fn names(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn of_room(frame: &Frame, key: &str, room: &str) -> Vec<String> {
    frame.key(key).and_then(|rooms| rooms.get(room)).map(names).unwrap_or_default()
}

/// The names that a frame announces in a room.
pub(super) fn joined(frame: &Frame, room: &str) -> Vec<String> {
    of_room(frame, "ROOM_USERS_JOINED", room)
}

/// The names that a frame tells to have left a room.
pub(super) fn left(frame: &Frame, room: &str) -> Vec<String> {
    of_room(frame, "ROOM_USERS_LEFT", room)
}

/// Whether a frame tells of any coming or going in a room.
pub(super) fn comings_and_goings(frame: &Frame, room: &str) -> bool {
    ["ROOM_USERS_JOINED", "ROOM_USERS_LEFT"]
        .iter()
        .any(|key| frame.key(key).is_some_and(|rooms| rooms.get(room).is_some()))
}

/// The roster in the object of a room.
pub(super) fn users(object: &Value) -> Vec<String> {
    object.get("USERS").map(names).unwrap_or_default()
}

/// A text of an object.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A number of an object.
pub(super) fn number(object: &Value, key: &str) -> Option<u64> {
    object.get(key)?.as_u64()
}

/// Whether an object has a flag.
pub(super) fn flag(object: &Value, flag: &str) -> bool {
    object.get("FLAGS").map(names).unwrap_or_default().iter().any(|one| one == flag)
}

/// A key of a room's object, and the values that it may have.
type Kept<'a> = (&'static str, &'a dyn Fn(&Value) -> bool);

/// The first key of a room's whole object that is missing or of a wrong type.
pub(super) fn complaint(object: &Value) -> Option<&'static str> {
    let numbers = |value: &Value| {
        value.as_object().is_some_and(|all| all.values().all(|level| level.as_u64().is_some()))
    };
    let strings =
        |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let level = |value: &Value| value.as_u64().is_some_and(|level| level <= 5);
    let roster = object.get("ROSTER").and_then(Value::as_bool);
    let rows: [Kept<'_>; 18] = [
        ("ROOM", &|value| value.as_str().is_some_and(|name| name.starts_with('#'))),
        ("NUMBER", &Value::is_u64),
        ("OWNER", &|value| value.is_null() || value.is_string()),
        ("LEVEL", &level),
        ("STAFF", &numbers),
        ("TOPIC", &Value::is_string),
        ("DESCRIPTION", &Value::is_string),
        ("ROSTER", &Value::is_boolean),
        ("COUNT", &Value::is_u64),
        ("LIMIT", &Value::is_u64),
        ("LENGTH", &Value::is_u64),
        ("TALK", &level),
        ("SLOW", &Value::is_u64),
        ("KEEP", &|value| value.is_u64() || value == "off" || value == "all"),
        ("SHOW", &|value| value == "all" || value == "joined"),
        ("FLAGS", &strings),
        ("LAST", &Value::is_u64),
        ("FLOOR", &Value::is_u64),
    ];
    let bad = |(key, holds): &&Kept<'_>| !object.get(*key).is_some_and(*holds);
    if let Some((key, _)) = rows.iter().find(bad) {
        return Some(key);
    }
    let listed = object.get("USERS").map(strings);
    (listed != roster.filter(|listed| *listed)).then_some("USERS")
}

/// Whether a frame tells of rooms at all: by a key, by a destination or by the name of this one.
pub(super) fn mentions(frame: &Frame, room: &str) -> bool {
    let keys = KEYS.iter().any(|key| frame.key(key).is_some());
    let said = frame.messages().iter().any(|message| message.dest.starts_with('#'));
    let body = String::from_utf8_lossy(&frame.body);
    // An ERROR may name whom a message was for.
    let named = frame.error().is_none() && body.contains(room);
    keys || said || named
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole() -> Value {
        json!({"ROOM": "#lab", "NUMBER": 1, "OWNER": null, "LEVEL": 4, "STAFF": {"ann": 4},
            "TOPIC": "", "DESCRIPTION": "", "ROSTER": true, "USERS": ["ann"], "COUNT": 1,
            "LIMIT": 0, "LENGTH": 100, "TALK": 0, "SLOW": 0, "KEEP": "all", "SHOW": "all",
            "FLAGS": [], "LAST": 0, "FLOOR": 0})
    }

    #[test]
    fn every_key_is_asked_for() {
        assert_eq!(complaint(&whole()), None);
        let keys: Vec<String> = whole().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut object = whole();
            object.as_object_mut().unwrap().remove(&key);
            assert_eq!(complaint(&object), Some(key.as_str()));
        }
    }

    #[test]
    fn the_roster_is_there_when_it_is_said_to_be() {
        let mut object = whole();
        object["ROSTER"] = json!(false);
        assert_eq!(complaint(&object), Some("USERS"));
        object.as_object_mut().unwrap().remove("USERS");
        assert_eq!(complaint(&object), None);
        object["KEEP"] = json!("some");
        assert_eq!(complaint(&object), Some("KEEP"));
    }
}
