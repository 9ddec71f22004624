//! What can be set in a room: its topic, its settings, and what is not shown any more.

use conformance_suite::fault::Fault;
use serde_json::json;

use super::{
    super::state::{Refusal, Reply},
    commands::{Done, MISSING, NO_SUCH_ROOM, Order},
    room::{LONGEST_TOPIC, Room},
};
use crate::chat::Chat;

const BAD_VALUE: Refusal = Refusal::new("bad-arguments", "that can't be set so");
const TOO_LONG: Refusal = Refusal::new("too-long", "that is too long");

impl Chat {
    /// `topic [room] <text...>`
    pub(super) fn set_topic(&mut self, order: &Order<'_>) -> Reply {
        let f = self.faults.clone();
        let muted = self.silenced(&order.member, Some(order.number));
        if let Some(refusal) = muted.filter(|_| !f.acts(Fault::MuteTopicsFree)) {
            return refusal.into();
        }
        let topic = order.text(0);
        if topic.chars().count() > LONGEST_TOPIC {
            return TOO_LONG.into();
        }
        let Some(room) = self.rooms.get_mut(order.number) else { return NO_SUCH_ROOM.into() };
        room.topic.clone_from(&topic);
        if f.acts(Fault::RoomTopicLate) {
            let change = json!({"ROOM": room.name, "NUMBER": room.number, "TOPIC": topic});
            room.late = Some(json!({"ROOMS": [change]}));
        } else if !f.acts(Fault::RoomTopicUntold) {
            self.tell_change(order.number, &["TOPIC"], None);
        }
        Reply::done("it has another topic")
    }

    /// `set-room <room> <setting> <value...>`
    pub(super) fn set_room(&mut self, order: &Order<'_>) -> Done {
        let f = self.faults.clone();
        let Some(setting) = order.rest.first() else { return MISSING.into() };
        let secret = *setting == "password" && order.rest.len() < 2;
        let value = match order.answer {
            None if secret => return Done::Asks("Which password?", true),
            Some(answer) if secret => answer.to_owned(),
            _ => order.text(1),
        };
        let before = self.rosters();
        let Some(room) = self.rooms.get_mut(order.number) else { return NO_SUCH_ROOM.into() };
        let keys = match set(room, setting, &value) {
            Ok(keys) => keys,
            Err(refusal) => return refusal.into(),
        };
        room.trim(&f);
        let owner = order.member.party();
        if *setting == "password" && f.acts(Fault::RoomPasswordEvicts) {
            let others = room.members.iter().map(|one| one.party.clone());
            let others: Vec<_> = others.filter(|party| *party != owner).collect();
            for party in others {
                self.end_membership(order.number, &party, ("left", None, ""));
            }
            self.tell_rosters(&before, None);
        }
        self.tell_change(order.number, keys, None);
        Reply::done("it is set").into()
    }

    /// `clear [room]`, which asks for a yes.
    pub(super) fn clear(&mut self, order: &Order<'_>) -> Done {
        let f = self.faults.clone();
        match order.answer.or_else(|| order.rest.first().copied()) {
            None => return Done::Asks("Really? yes or no", false),
            Some(yes) if yes.eq_ignore_ascii_case("yes") || yes.eq_ignore_ascii_case("y") => {}
            Some(_) => return Refusal::new("cancelled", "as you wish").into(),
        }
        let Some(room) = self.rooms.get_mut(order.number) else { return NO_SUCH_ROOM.into() };
        room.floor = room.last;
        if !f.acts(Fault::RoomClearLeaves) {
            room.past.clear();
        }
        self.forget_files(order.number);
        if !f.acts(Fault::RoomClearUntold) {
            self.tell_change(order.number, &["FLOOR"], None);
        }
        Reply::done("it is cleared").into()
    }
}

/// Changes a setting; the keys that change with it.
fn set(room: &mut Room, setting: &str, value: &str) -> Result<&'static [&'static str], Refusal> {
    let switch = || match value {
        "on" | "yes" | "true" => Ok(true),
        "off" | "no" | "false" => Ok(false),
        _ => Err(BAD_VALUE),
    };
    let number = |most: usize| {
        let number = value.parse::<usize>().ok().filter(|number| *number <= most);
        number.ok_or(BAD_VALUE)
    };
    Ok(match setting {
        "description" if value.chars().count() > LONGEST_TOPIC => return Err(TOO_LONG),
        "description" => {
            value.clone_into(&mut room.description);
            &["DESCRIPTION"]
        }
        "limit" => {
            room.limit = number(usize::MAX)?;
            &["LIMIT"]
        }
        "password" => {
            room.password = (!matches!(value, "" | "none")).then(|| value.to_owned());
            &["FLAGS"]
        }
        "hidden" => {
            room.hidden = switch()?;
            &["FLAGS"]
        }
        "closed" => {
            room.closed = switch()?;
            &["FLAGS"]
        }
        "talk" => {
            room.talk = u8::try_from(number(4)?).map_err(|_| BAD_VALUE)?;
            &["TALK"]
        }
        "slow" => {
            room.slow = u64::try_from(number(3_600)?).map_err(|_| BAD_VALUE)?;
            &["SLOW"]
        }
        "length" => {
            room.length = number(usize::MAX).ok().filter(|n| *n > 0).ok_or(BAD_VALUE)?;
            &["LENGTH"]
        }
        "keep" => {
            room.keep = match value {
                "all" => None,
                "off" => Some(0),
                _ => Some(number(usize::MAX).ok().filter(|n| *n > 0).ok_or(BAD_VALUE)?),
            };
            &["KEEP"]
        }
        "show" => {
            room.show_joined = match value {
                "all" => false,
                "joined" => true,
                _ => return Err(BAD_VALUE),
            };
            &["SHOW"]
        }
        "roster" => {
            room.roster = switch()?;
            &["ROSTER", "COUNT", "USERS"]
        }
        _ => return Err(BAD_VALUE),
    })
}
