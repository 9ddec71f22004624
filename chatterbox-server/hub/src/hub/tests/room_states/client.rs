//! What a client makes of what it is told.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::room_kit::*;

#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) rooms: BTreeMap<u64, Map<String, Value>>,
    names: BTreeMap<String, u64>,
}

/// Without what is counted by the client itself, and lists without an order.
pub(super) fn comparable(mut room: Value) -> Value {
    let object = room.as_object_mut().unwrap();
    for key in ["COUNT", "LAST", "GAP"] {
        object.remove(key);
    }
    in_order(room)
}

impl Client {
    fn room(&mut self, called: &str) -> &mut Map<String, Value> {
        self.rooms.get_mut(&self.names[called]).unwrap()
    }

    pub(super) fn read(&mut self, object: &Value) {
        let each = |key: &str| object[key].as_object().cloned().unwrap_or_default();
        for (room, names) in each("ROOM_USERS_JOINED") {
            let room = self.room(&room);
            assert_eq!(room["ROSTER"], true, "RM-10");
            let users = room["USERS"].as_array_mut().unwrap();
            for name in names.as_array().unwrap() {
                assert!(!users.contains(name), "{name} was there already");
                users.push(name.clone());
            }
        }
        for (old, new) in each("USERS_RENAMED") {
            for room in self.rooms.values_mut() {
                let users = room.get_mut("USERS").and_then(Value::as_array_mut);
                for name in users.into_iter().flatten().filter(|name| **name == old) {
                    *name = new.clone();
                }
                let staff = room["STAFF"].as_object_mut().unwrap();
                if let Some(level) = staff.remove(&old) {
                    staff.insert(new.as_str().unwrap().to_owned(), level);
                }
            }
        }
        for told in object["ROOMS"].as_array().into_iter().flatten() {
            let Some(number) = told["NUMBER"].as_u64() else { continue };
            let told = told.as_object().unwrap().clone();
            if told.contains_key("LAST") {
                self.names.insert(told["ROOM"].as_str().unwrap().to_owned(), number);
                self.rooms.insert(number, told);
            } else {
                let known = self.rooms.get_mut(&number).expect("a change of a known room");
                if told.get("ROSTER") == Some(&Value::Bool(false)) {
                    known.remove("USERS");
                }
                known.extend(told);
            }
        }
        for (room, names) in each("ROOM_USERS_LEFT") {
            let room = self.room(&room);
            assert_eq!(room["ROSTER"], true, "RM-10");
            for name in names.as_array().unwrap() {
                let users = room["USERS"].as_array_mut().unwrap();
                let place = users.iter().position(|user| user == name);
                users.remove(place.unwrap_or_else(|| panic!("{name} was not there")));
                room["STAFF"].as_object_mut().unwrap().remove(name.as_str().unwrap());
            }
        }
        for left in object["ROOMS_LEFT"].as_array().into_iter().flatten() {
            let known = self.rooms.remove(&left["NUMBER"].as_u64().unwrap());
            assert!(known.is_some() || object.get("USER_LIST").is_some(), "{left}");
            self.names.remove(left["ROOM"].as_str().unwrap());
        }
    }
}
