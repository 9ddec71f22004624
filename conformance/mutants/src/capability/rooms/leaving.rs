//! The ends of memberships: leaving, being removed, and rooms that are deleted.

use conformance_suite::fault::Fault;

use super::{
    super::state::{Party, Refusal, Reply},
    commands::{Done, MISSING, NO_SUCH_ROOM, Order},
    names,
};
use crate::chat::Chat;

impl Chat {
    /// `leave [room]`
    pub(super) fn walk_out(&mut self, order: &Order<'_>) -> Reply {
        let before = self.rosters();
        let party = order.member.party();
        self.end_membership(order.number, &party, ("left", None, ""));
        self.tell_rosters(&before, Some(order.member.connection));
        Reply::done("you have left it")
    }

    /// `kick-from <room> <user> [reason...]`
    pub(super) fn kick_from(&mut self, order: &Order<'_>) -> Reply {
        let Some(name) = order.rest.first() else { return MISSING.into() };
        let Some(room) = self.rooms.get(order.number) else { return NO_SUCH_ROOM.into() };
        let target = self.party_of(name).filter(|party| room.has(party));
        let Some(target) = target else {
            return Refusal::new("no-such-user", "no member has that name").into();
        };
        let below = room.level_of(&target) < room.level_of(&order.member.party());
        if !below && !self.faults.acts(Fault::RoomRankIgnored) {
            return Refusal::new("forbidden", "they are not below you").into();
        }
        let before = self.rosters();
        let (by, reason) = (order.member.name.clone(), order.text(1));
        self.end_membership(order.number, &target, ("kicked", Some(&by), &reason));
        self.tell_rosters(&before, None);
        Reply::done("they are gone")
    }

    /// `delete-room <room>`, which asks for the name once more.
    pub(super) fn delete(&mut self, order: &Order<'_>) -> Done {
        let Some(room) = self.rooms.get(order.number) else { return NO_SUCH_ROOM.into() };
        let again = order.answer.or_else(|| order.rest.first().copied());
        match again {
            None => return Done::Asks("Its name once more?", false),
            Some(again) if names::same(again, &room.name) => {}
            Some(_) => return Refusal::new("cancelled", "that is not its name").into(),
        }
        let members: Vec<Party> = room.members.iter().map(|one| one.party.clone()).collect();
        let by = order.member.name.clone();
        for party in members {
            self.end_membership(order.number, &party, ("deleted", Some(&by), ""));
        }
        if let Some(at) = self.rooms.all.iter().position(|room| room.number == order.number) {
            let room = self.rooms.all.remove(at);
            self.rooms.deleted.push(room);
        }
        Reply::done("it is gone").into()
    }

    /// Whom a name means: a user who is here, or an account.
    pub(in super::super) fn party_of(&self, name: &str) -> Option<Party> {
        let here = self.members.iter().find(|member| names::same(&member.name, name));
        let account = || self.account_of(name).map(|own| Party::Account(own.to_owned()));
        here.map(|member| member.party()).or_else(account)
    }
}
