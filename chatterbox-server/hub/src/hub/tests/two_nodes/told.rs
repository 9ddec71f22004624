//! What a member is told, and whether two are told the same.

use chatterbox_proto::frame::Decoder;
use chatterbox_proto::limits;
use serde_json::Value;

use crate::{Delivery, Hub, JoinReply, MemberId, Removal};

/// The members of an object in the order in which they stand.
pub(super) struct Members(pub(super) Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(InOrder)
    }
}

/// What is told by objects, one thing after the other, whatever shares an object.
pub(super) fn facts(objects: &[Members]) -> Vec<String> {
    let mut facts = Vec::new();
    for Members(members) in objects {
        let ids = members.iter().find(|(key, _)| key == "IDS").map(|(_, ids)| ids);
        for (key, value) in members.iter().filter(|(key, _)| key != "IDS" && key != "TIMES") {
            match value {
                Value::Array(all) => {
                    let ids = ids.filter(|_| key == "MESSAGES");
                    let id = |place: usize| ids.map(|ids| ids[place].to_string());
                    let one = |(place, one)| format!("{key} {one} {:?}", id(place));
                    facts.extend(all.iter().enumerate().map(one));
                }
                Value::Object(rooms) if key.starts_with("ROOM_") => {
                    for (room, names) in rooms {
                        let names = names.as_array().unwrap().iter();
                        facts.extend(names.map(|name| format!("{key} {room} {name}")));
                    }
                }
                other => facts.push(format!("{key} {other}")),
            }
        }
    }
    facts
}

/// What waits for a member, or why it was removed.
pub(super) fn read(hub: &mut Hub, id: MemberId) -> (Vec<Members>, Option<Removal>) {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    let mut objects = Vec::new();
    let removal = loop {
        match hub.take(id) {
            Delivery::Frames { frames, .. } => {
                frames.frames().iter().for_each(|frame| decoder.push(frame));
            }
            Delivery::UpToDate => break None,
            Delivery::Removed(why) => break Some(why),
        }
    };
    while let Some(body) = decoder.next_body().unwrap() {
        objects.push(serde_json::from_slice(&body).unwrap());
    }
    (objects, removal)
}

pub(super) fn welcomed(reply: &JoinReply) -> Value {
    let welcome = reply.welcome.clone().assemble().unwrap().concat();
    serde_json::from_slice(&welcome[4..]).unwrap()
}
