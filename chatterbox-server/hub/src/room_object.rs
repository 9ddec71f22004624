//! A room as a JSON object, as a member of it is told (`ROOMS`).
//!
//! Most of it is the same for all members, and lies written with the room until something of it changes.

use bytes::Bytes;
use chatterbox_proto::json::{self, Object};

use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{RoomDefinition, RoomKeep, RoomMember, RoomShow};
use crate::replica::rooms::room::Room;
use crate::replica::state::Replica;

/// What is the same for all members: everything but ROOM, NUMBER, LEVEL, LAST and GAP.
pub(crate) fn shared(replica: &Replica, room: &Room) -> Bytes {
    let object = Object::with_capacity(512);
    let object = owner(object, &room.definition);
    let object = staff(object, replica, room);
    let object = settings(object, None, &room.definition);
    roster(object, replica, room).into_members()
}

/// The whole object of a room for one member, and maybe that something of it was missed (RH-6).
pub(crate) fn whole(room: &Room, shared: &[u8], level: Level, gap: bool) -> Vec<u8> {
    let object = Object::with_capacity(shared.len() + 128);
    let object = identified(object, &room.definition).integer("LEVEL", level.number().into());
    let object = object.members(shared).integer("LAST", signed(room.last));
    if gap { object.boolean("GAP", true) } else { object }.into_value()
}

/// What the lobby has of a room (RM-4).
pub(crate) fn lobby(definition: &RoomDefinition) -> Vec<u8> {
    let object = Object::with_capacity(128).string("ROOM", chatterbox_proto::ALL);
    lobby_settings(object, None, definition).into_value()
}

/// What has changed of the lobby; nothing when none of it is told.
pub(crate) fn changed_lobby(before: &RoomDefinition, now: &RoomDefinition) -> Option<Bytes> {
    let object = Object::with_capacity(128).string("ROOM", chatterbox_proto::ALL);
    let known = object.written();
    let object = lobby_settings(object, Some(before), now);
    (object.written() > known).then(|| object.into_value().into())
}

/// What has changed of the definition of a room; nothing when none of it is told.
pub(crate) fn changed(before: &RoomDefinition, room: &Room) -> Option<Object> {
    let now = &*room.definition;
    let object = identified(Object::with_capacity(256), now);
    let known = object.written();
    let object = settings(object, Some(before), now);
    let object = if before.owner == now.owner { object } else { owner(object, now) };
    (object.written() > known).then_some(object)
}

/// Which room it is.
pub(crate) fn identified(object: Object, definition: &RoomDefinition) -> Object {
    object.string("ROOM", definition.name.as_str()).integer("NUMBER", signed(definition.number.0))
}

/// OWNER
pub(crate) fn owner(object: Object, definition: &RoomDefinition) -> Object {
    match &definition.owner {
        Some(owner) => object.string("OWNER", owner.name.as_str()),
        None => object.json("OWNER", b"null"),
    }
}

/// STAFF: the members with level 2 or more in the room.
pub(crate) fn staff(object: Object, replica: &Replica, room: &Room) -> Object {
    let mut staff = Object::with_capacity(64);
    for account in room.accounts() {
        let level = replica.level_of_account_in(room, account);
        if level >= Level::HELPER {
            for name in replica.roster_names(&RoomMember::Account(account.clone())) {
                staff = staff.integer(name.as_str(), level.number().into());
            }
        }
    }
    object.json("STAFF", &staff.into_value())
}

/// ROSTER and COUNT, and USERS where members are listed (RM-10).
pub(crate) fn roster(object: Object, replica: &Replica, room: &Room) -> Object {
    let has_roster = room.has_roster();
    let object = object.boolean("ROSTER", has_roster).integer("COUNT", count(room.count()));
    if !has_roster {
        return object;
    }
    let accounts = room.accounts().cloned().map(RoomMember::Account);
    let members = accounts.chain(room.guests().map(RoomMember::Guest));
    let names = members.flat_map(|who| replica.roster_names(&who));
    object.list("USERS", names.map(|name| json::string(name.as_str())))
}

/// The settings, those that differ if there is something to differ from.
fn settings(object: Object, before: Option<&RoomDefinition>, now: &RoomDefinition) -> Object {
    let old = before.map(|before| &before.settings);
    let new = &now.settings;
    let mut object = lobby_settings(object, before, now);
    if old.is_none_or(|old| old.description != new.description) {
        object = object.string("DESCRIPTION", &new.description);
    }
    if old.is_none_or(|old| old.limit != new.limit) {
        object = object.integer("LIMIT", new.limit.into());
    }
    if old.is_none_or(|old| old.length != new.length) {
        object = object.integer("LENGTH", new.length.into());
    }
    if old.is_none_or(|old| old.keep != new.keep) {
        object = match new.keep {
            RoomKeep::Off => object.string("KEEP", "off"),
            RoomKeep::Newest(messages) => object.integer("KEEP", messages.into()),
            RoomKeep::All => object.string("KEEP", "all"),
        };
    }
    if old.is_none_or(|old| old.show != new.show) {
        let show = if new.show == RoomShow::All { "all" } else { "joined" };
        object = object.string("SHOW", show);
    }
    let (before, flags) = (before.map(flags), flags(now));
    if before.is_none_or(|before| before != flags) {
        object = object.list("FLAGS", flags.iter().map(|flag| json::string(flag)));
    }
    object
}

/// Those that the lobby has as well.
fn lobby_settings(
    mut object: Object,
    before: Option<&RoomDefinition>,
    now: &RoomDefinition,
) -> Object {
    let old = before.map(|before| &before.settings);
    let new = &now.settings;
    if old.is_none_or(|old| old.topic != new.topic) {
        object = object.string("TOPIC", &new.topic);
    }
    if old.is_none_or(|old| old.talk != new.talk) {
        object = object.integer("TALK", new.talk.number().into());
    }
    if old.is_none_or(|old| old.slow != new.slow) {
        object = object.integer("SLOW", new.slow.into());
    }
    if before.is_none_or(|before| before.floor != now.floor) {
        object = object.integer("FLOOR", signed(now.floor));
    }
    object
}

/// FLAGS
pub(crate) fn flags(definition: &RoomDefinition) -> Vec<&'static str> {
    let settings = &definition.settings;
    let all = [
        (settings.hidden, "hidden"),
        (settings.closed, "closed"),
        (settings.password.is_some(), "password"),
        (definition.configured, "configured"),
    ];
    all.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect()
}

/// Ids are far below the bounds of 64 bits (ID-1).
pub(crate) fn signed(number: Sequence) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
