//! What a client makes of what it is told of rooms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a client makes of what it is told.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) ids: Vec<u64>,
    pub(super) last: u64,
    /// Rosters by the number of their rooms.
    pub(super) rooms: BTreeMap<u64, BTreeSet<String>>,
    pub(super) names: BTreeMap<String, u64>,
    pub(super) gaps: BTreeSet<u64>,
}

impl Client {
    /// Reads one object in the order of its meaning, and gives the ids of its messages (CP-10).
    pub(super) fn read(&mut self, object: &Value) -> Vec<u64> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for (room, names) in object["ROOM_USERS_JOINED"].as_object().into_iter().flatten() {
            let roster = self.rooms.get_mut(&self.names[room]).unwrap();
            for name in list(names) {
                assert!(roster.insert(text(&name)), "{name} was there already");
            }
        }
        for (old, new) in object["USERS_RENAMED"].as_object().into_iter().flatten() {
            for roster in self.rooms.values_mut() {
                if roster.remove(old) {
                    assert!(roster.insert(text(new)));
                }
            }
        }
        self.read_rooms(&object["ROOMS"]);
        let mut ids = Vec::new();
        for (message, id) in list(&object["MESSAGES"]).iter().zip(list(&object["IDS"])) {
            let id = id.as_u64().unwrap();
            assert!(id > self.last, "ids rise on one connection");
            self.last = id;
            ids.push(id);
            if let Some(room) = message[1].as_str().filter(|to| to.starts_with('#')) {
                let roster = &self.rooms[&self.names[room]];
                let by = message[0].as_str().unwrap();
                assert!(roster.contains(by), "{by} is in the roster before the message (RM-9)");
            }
        }
        for (room, names) in object["ROOM_USERS_LEFT"].as_object().into_iter().flatten() {
            let roster = self.rooms.get_mut(&self.names[room]).unwrap();
            for name in list(names) {
                assert!(roster.remove(&text(&name)), "{name} was not there");
            }
        }
        for left in list(&object["ROOMS_LEFT"]) {
            assert!(self.rooms.remove(&left["NUMBER"].as_u64().unwrap()).is_some());
            self.names.remove(left["ROOM"].as_str().unwrap());
        }
        self.ids.extend(&ids);
        ids
    }

    pub(super) fn read_rooms(&mut self, rooms: &Value) {
        for room in rooms.as_array().into_iter().flatten() {
            if room["ROOM"] == "ALL" {
                continue;
            }
            let number = room["NUMBER"].as_u64().unwrap();
            self.names.insert(room["ROOM"].as_str().unwrap().to_owned(), number);
            if let Some(users) = room["USERS"].as_array() {
                let users = users.iter().map(|name| name.as_str().unwrap().to_owned());
                self.rooms.insert(number, users.collect());
            }
            if room["GAP"] == true {
                self.gaps.insert(number);
            }
        }
    }
}
