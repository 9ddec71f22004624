//! The objects of a server as a user of the run reads them. Whatever has another shape counts as not there.

use serde_json::Value;

use super::line::Object;
use crate::{
    evidence::{Entry, Name, Place, Print, Seen, Side},
    setting::Shared,
};

/// One message with its id.
struct Told<'a> {
    id: u64,
    src: &'a str,
    dest: &'a str,
    text: &'a str,
}

fn list<'a>(object: &'a Object, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn told_as(message: &Value, id: u64) -> Option<Told<'_>> {
    let part = |at: usize| message.get(at).and_then(Value::as_str);
    Some(Told { id, src: part(0)?, dest: part(1)?, text: part(3)? })
}

fn told(object: &Object) -> Vec<Told<'_>> {
    let messages = list(object, "MESSAGES").iter().zip(list(object, "IDS"));
    messages.filter_map(|(message, id)| told_as(message, id.as_u64()?)).collect()
}

/// The messages of the run in an object of the base protocol: without ids.
pub(super) fn base_messages(object: &Object, shared: &Shared, me: &str) -> Vec<Seen> {
    let messages = list(object, "MESSAGES").iter().filter_map(|message| told_as(message, 0));
    of_run(messages, shared, me, false)
}

/// The messages of the run in an object; with `all` also those of others, which only have ids that count.
pub(super) fn messages(object: &Object, shared: &Shared, me: &str, all: bool) -> Vec<Seen> {
    of_run(told(object).into_iter(), shared, me, all)
}

fn of_run<'a>(
    told: impl Iterator<Item = Told<'a>>,
    shared: &Shared,
    me: &str,
    all: bool,
) -> Vec<Seen> {
    let mark = shared.setting.mark();
    told
        // A server may tell senders of private messages what they sent (RT-7).
        .filter(|told| {
            told.dest == "ALL" || told.dest == me || told.src != me || told.dest.starts_with('#')
        })
        .filter(|told| all || told.text.starts_with(&mark))
        .map(|told| {
            let side = match (told.dest, shared.room(told.dest)) {
                ("ALL", _) => Side::Lobby,
                (dest, _) if dest == me => Side::Me,
                (_, Some(room)) => Side::Room(room),
                _ => Side::Foreign,
            };
            Seen { id: told.id, print: Print::of(told.src, told.dest, told.text), side }
        })
        .collect()
}

/// A page of history.
pub(super) struct Page {
    /// The messages of the run.
    pub(super) entries: Vec<Entry>,
    /// All others.
    pub(super) older: Vec<Entry>,
    /// The greatest id.
    pub(super) last: Option<u64>,
}

/// Reads a page.
pub(super) fn page(object: &Object, shared: &Shared) -> Page {
    let mark = shared.setting.mark();
    let told = told(object);
    let last = told.iter().map(|told| told.id).max();
    let (own, others): (Vec<Told<'_>>, Vec<Told<'_>>) =
        told.into_iter().partition(|told| told.text.starts_with(&mark));
    let entry = |told: &Told<'_>| Entry {
        id: told.id,
        print: Print::of(told.src, told.dest, told.text),
        src: shared.name(told.src),
        place: match (told.dest, shared.room(told.dest)) {
            ("ALL", _) => Some(Place::Lobby),
            (_, Some(room)) => Some(Place::Room(room)),
            (dest, None) => shared.name(dest).map(Place::User),
        },
    };
    let entries = own.iter().map(entry).collect();
    Page { entries, older: others.iter().map(entry).collect(), last }
}

/// The names of the run in a list.
pub(super) fn names(object: &Object, key: &str, shared: &Shared) -> Vec<Name> {
    let names = list(object, key).iter().filter_map(Value::as_str);
    names.filter_map(|name| shared.name(name)).collect()
}

/// A room in ROOMS: its place in the list of the run, its newest message, and whether there is a gap.
pub(super) struct Room {
    pub(super) room: u16,
    pub(super) last: Option<u64>,
    pub(super) gap: bool,
}

/// The rooms of the run in ROOMS, or in ROOMS_LEFT.
pub(super) fn rooms(object: &Object, key: &str, shared: &Shared) -> Vec<Room> {
    let rooms = list(object, key).iter().filter_map(|room| {
        Some(Room {
            room: shared.room(room.get("ROOM")?.as_str()?)?,
            last: room.get("LAST").and_then(Value::as_u64),
            gap: room.get("GAP").and_then(Value::as_bool) == Some(true),
        })
    });
    rooms.collect()
}

/// The posts in ACKS with their ids.
pub(super) fn acks(object: &Object) -> Vec<(u32, u64)> {
    let acks = object.get("ACKS").and_then(Value::as_object);
    let acks = acks.into_iter().flatten();
    acks.filter_map(|(tag, id)| Some((tag.parse().ok()?, id.as_u64()?))).collect()
}

/// The posts in REFUSED with the words for why.
pub(super) fn refusals(object: &Object) -> Vec<(u32, String)> {
    let refused = object.get("REFUSED").and_then(Value::as_object).into_iter().flatten();
    let code = |why: &Value| why.get("CODE").and_then(Value::as_str).unwrap_or("?").to_owned();
    refused.filter_map(|(tag, why)| Some((tag.parse().ok()?, code(why)))).collect()
}

/// The word for why the connection ends.
pub(super) fn closed(object: &Object) -> Option<String> {
    let code = object.get("CLOSED")?.get("CODE").and_then(Value::as_str);
    Some(code.unwrap_or("?").to_owned())
}

/// Whether the server announces something to everybody.
pub(super) fn announces(object: &Object) -> bool {
    let code = |notice: &Value| notice.get("CODE").and_then(Value::as_str) == Some("announcement");
    list(object, "NOTICES").iter().any(code)
}

/// The word for why a name was not given.
pub(super) fn turned_away(object: &Object) -> String {
    object.get("CODE").and_then(Value::as_str).unwrap_or("?").to_owned()
}

/// Whether a node lets the user in.
pub(super) fn is_welcome(object: &Object) -> bool {
    object.get("USERNAME_ACCEPTED").and_then(Value::as_bool) == Some(true)
}

/// Those of the run who wrote to this user alone.
pub(super) fn senders(object: &Object, shared: &Shared, me: &str) -> Vec<Name> {
    let told = list(object, "MESSAGES").iter().filter_map(|message| told_as(message, 0));
    told.filter(|told| told.dest == me).filter_map(|told| shared.name(told.src)).collect()
}
