//! Invitations: whoever has one may join a closed room once (RM-13).

use conformance_suite::fault::Fault;

use super::{
    super::state::{Refusal, Reply},
    commands::{MISSING, NO_SUCH_ROOM, Order},
};
use crate::chat::Chat;

/// The most invitations that are open for a room.
const MOST_INVITED: usize = 20;

impl Chat {
    /// `invite <room> <users...>`
    pub(super) fn invite(&mut self, order: &Order<'_>) -> Reply {
        if order.rest.is_empty() {
            return MISSING.into();
        }
        let muted = self.silenced(&order.member, Some(order.number));
        if let Some(refusal) = muted.filter(|_| !self.faults.acts(Fault::MuteInvitesFree)) {
            return refusal.into();
        }
        let own = order.member.name.clone();
        for name in names(order) {
            let Some(party) = self.party_of(name) else {
                return Refusal::new("no-such-user", "nobody has that name").into();
            };
            if self.apart(&own, name) {
                return Refusal::new("blocked", "one of you has blocked the other").into();
            }
            let Some(room) = self.rooms.get_mut(order.number) else { return NO_SUCH_ROOM.into() };
            if room.has(&party) {
                return Refusal::new("already", "they are in it").into();
            }
            if room.invited.len() >= MOST_INVITED {
                return Refusal::new("too-many", "too many invitations are open").into();
            }
            room.invited.insert(party.clone());
            let room = room.name.clone();
            self.notify(&party, "invited", &room, &own);
        }
        Reply::done("invited")
    }

    /// `uninvite <room> <users...>`
    pub(super) fn uninvite(&mut self, order: &Order<'_>) -> Reply {
        if order.rest.is_empty() {
            return MISSING.into();
        }
        for name in names(order) {
            let party = self.party_of(name);
            let Some(room) = self.rooms.get_mut(order.number) else { return NO_SUCH_ROOM.into() };
            let Some(party) = party.filter(|party| room.invited.remove(party)) else {
                return Refusal::new("no-such-user", "nobody with that name is invited").into();
            };
            let room = room.name.clone();
            self.notify(&party, "uninvited", &room, &order.member.name);
        }
        Reply::done("not invited any more")
    }
}

/// The users that a command names, in one argument or in several.
fn names<'a>(order: &Order<'a>) -> impl Iterator<Item = &'a str> {
    order.rest.clone().into_iter().flat_map(str::split_whitespace)
}
