//! Lists of rooms, members and invitations, and the small commands about a room.

use conformance_kit::clock::unix_seconds;
use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::state::{Refusal, Reply},
    commands::{MISSING, NO_SUCH_ROOM, Order},
    saying::stranger,
};
use crate::chat::Chat;

impl Chat {
    /// `rooms`
    pub(super) fn list_rooms(&self, order: &Order<'_>) -> Reply {
        let party = order.member.party();
        let seen = |hidden: bool, member: bool| {
            !hidden || member || self.faults.acts(Fault::RoomHiddenListed)
        };
        let rows: Vec<Value> = self
            .rooms
            .all
            .iter()
            .filter(|room| seen(room.hidden, room.has(&party)))
            .map(|room| {
                let shown = room.shown(&self.faults);
                let flags = shown.get("FLAGS").cloned().unwrap_or_default();
                let count = self.roster(room).len();
                json!([room.name, count, room.limit, room.description, flags, room.has(&party)])
            })
            .collect();
        let columns = ["NAME", "COUNT", "LIMIT", "DESCRIPTION", "FLAGS", "MEMBER"];
        Reply::done("here").with(json!({"COLUMNS": columns, "ROWS": rows}))
    }

    /// `list [room]`
    pub(super) fn list_members(&self, order: &Order<'_>) -> Reply {
        let Some(room) = self.rooms.get(order.number) else { return NO_SUCH_ROOM.into() };
        let rows: Vec<Value> = room
            .members
            .iter()
            .filter_map(|membership| {
                let party = &membership.party;
                let online = self.members.iter().any(|member| member.party() == *party);
                Some(json!([self.shown_name(membership)?, online, room.level_of(party)]))
            })
            .collect();
        let table = json!({"COLUMNS": ["NAME", "ONLINE", "LEVEL"], "ROWS": rows});
        Reply::done("here").with(table)
    }

    /// `invitations`
    pub(super) fn list_invitations(&self, order: &Order<'_>) -> Reply {
        let party = order.member.party();
        let open = self.rooms.all.iter().filter(|room| room.invited.contains(&party));
        let rows: Vec<Value> = open.map(|room| json!([room.name])).collect();
        Reply::done("here").with(json!({"COLUMNS": ["NAME"], "ROWS": rows}))
    }

    /// `default <room>`
    pub(super) fn set_default(&mut self, order: &Order<'_>) -> Reply {
        let Some(name) = order.rest.first() else { return MISSING.into() };
        let party = order.member.party();
        if name.eq_ignore_ascii_case("ALL") {
            self.rooms.defaults.remove(&party);
            return Reply::done("the lobby");
        }
        let Some(number) = self.rooms.find(name, &self.faults) else { return NO_SUCH_ROOM.into() };
        match self.rooms.get(number) {
            Some(room) if !room.has(&party) => stranger(room, &self.faults).into(),
            _ => {
                self.rooms.defaults.insert(party, number);
                Reply::done("it is where you are")
            }
        }
    }

    /// `say <room> <text...>`
    pub(super) fn say(&mut self, order: &Order<'_>) -> Reply {
        let (Some(name), true) = (order.rest.first(), order.rest.len() > 1) else {
            return MISSING.into();
        };
        if !name.starts_with('#') {
            return Refusal::new("no-such-room", "that is no room").into();
        }
        let parts =
            [json!(order.member.name), json!(name), json!(unix_seconds()), json!(order.text(1))];
        match self.say_in_room(order.member.connection, name, &parts, None) {
            Ok(_) => Reply::done("said"),
            Err(refusal) => refusal.into(),
        }
    }
}
