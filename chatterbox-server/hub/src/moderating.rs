//! What is asked before somebody moderates: which sanctions hold, and whom new ones would be on.

use std::sync::Arc;

use chatterbox_proto::{Refusal, RoomName, Username};

use crate::event::Event;
use crate::hub::Hub;
use crate::identity::Identity;
use crate::ids::{MemberId, RoomNumber};
use crate::replica::moderation_act::Hit;
use crate::replica::sanctions::Known;
use crate::sanction::{Sanction, SanctionKind};
use crate::wake::Wake;

impl Hub {
    /// The sanctions that hold at a moment, in seconds since 1970 UTC, in the order in which they were imposed.
    pub fn sanctions(&self, now: i64) -> impl Iterator<Item = &Arc<Sanction>> {
        self.replica.sanctions.iter().filter(move |sanction| sanction.holds(now))
    }

    /// The connections that sanctions would be on.
    pub fn hits(&self, sanctions: &[Sanction]) -> Vec<Hit> {
        self.replica.hits_of(sanctions).collect()
    }

    /// Why somebody who is here may not be under another name, or keep the one that they have for good, if they may not.
    pub fn excluded_as(&self, member: MemberId, name: &Username, now: i64) -> Option<Refusal> {
        let who = self.replica.known(member)?;
        let identity = Identity { name: name.clone(), ..who.identity.clone() };
        self.replica.sanctions.excludes(Known { identity: &identity, ..who }, now)
    }

    /// The newest connection of a guest of this name who was cut off, and may come back to their session.
    pub fn cut_off(&self, name: &Username) -> Option<MemberId> {
        self.replica.sessions.cut_off(name)
    }

    /// The name of a room that is there.
    pub fn name_of_room(&self, room: RoomNumber) -> Option<RoomName> {
        self.replica.rooms.get(room).map(|room| room.definition.name.clone())
    }

    /// Tells the members of a room something that is not part of the history.
    pub fn announce_to(&mut self, room: RoomNumber, event: Event) -> Wake {
        match self.desk.id(room) {
            Some(id) if self.rooms.push(id, event) => Wake::Room(id),
            _ => Wake::Nobody,
        }
    }

    /// The mute that keeps a member from writing to all, or in a room, if there is one.
    pub fn mute_of(
        &self,
        member: MemberId,
        room: Option<RoomNumber>,
        now: i64,
    ) -> Option<&Arc<Sanction>> {
        self.replica.sanctions.mute_on(self.replica.known(member)?, room, now)
    }

    /// The ban that keeps a member from a room, if there is one.
    pub fn ban_of(&self, member: MemberId, room: RoomNumber, now: i64) -> Option<&Arc<Sanction>> {
        let who = self.replica.known(member)?;
        self.replica.sanctions.on(SanctionKind::Ban, who, Some(room), now)
    }
}
