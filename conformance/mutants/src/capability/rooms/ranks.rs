//! Levels in rooms: who has which, and who gives them.

use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::state::{Party, Refusal, Reply},
    commands::{MISSING, NO_SUCH_ROOM, Order},
    room::OWNER,
};
use crate::chat::Chat;

impl Chat {
    /// `set-perm <user> <level> [room]`
    pub(super) fn set_level(&mut self, order: &Order<'_>) -> Reply {
        let [name, level, ..] = order.rest.as_slice() else { return MISSING.into() };
        let f = self.faults.clone();
        let most = if f.has(Fault::RoomLevelsAbove) { 5 } else { OWNER };
        let level = level.parse::<u8>().ok().filter(|level| *level <= most);
        let Some(level) = level else {
            return Refusal::new("bad-arguments", "a level is 0 to 4").into();
        };
        let target = self.party_of(name);
        let Some(room) = self.rooms.get_mut(order.number) else { return NO_SUCH_ROOM.into() };
        let Some(target) = target.filter(|party| room.has(party)) else {
            return Refusal::new("no-such-user", "no member has that name").into();
        };
        let own = room.level_of(&order.member.party());
        let above = level > own && !f.acts(Fault::RoomLevelsAbove);
        if above || room.level_of(&target) >= own {
            return Refusal::new("forbidden", "that is above you").into();
        }
        if matches!(target, Party::Guest(_)) && !f.acts(Fault::RoomGuestLevels) {
            return Refusal::new("failed", "a guest has no levels").into();
        }
        if let Some(membership) = room.membership_mut(&target) {
            membership.level = level;
        }
        self.tell_change(order.number, &["LEVEL", "STAFF"], None);
        Reply::done("done").with(self.rank(order.number, name, &target))
    }

    /// `perm [user] [room]`
    pub(super) fn show_level(&self, order: &Order<'_>) -> Reply {
        let name = order.rest.first().copied().unwrap_or(&order.member.name);
        match self.party_of(name) {
            Some(party) => Reply::done("here").with(self.rank(order.number, name, &party)),
            None => Refusal::new("no-such-user", "nobody has that name").into(),
        }
    }

    /// The level that a member has in a room.
    pub(in super::super) fn level_in_room(&self, party: &Party, number: u64) -> Option<u8> {
        let room = self.rooms.get(number).filter(|room| room.has(party))?;
        Some(room.level_of(party))
    }

    fn rank(&self, number: u64, name: &str, party: &Party) -> Value {
        let account = match party {
            Party::Account(account) => Some(account),
            Party::Guest(_) => None,
        };
        let server = u8::from(account.is_some());
        let level = self.rooms.get(number).map_or(server, |room| room.level_of(party));
        json!({"NAME": name, "LEVEL": level, "ACCOUNT": account})
    }
}
