//! Who says something, as far as flood control is concerned (FL-1 to FL-4).

use std::hash::BuildHasher as _;

use chatterbox_proto::{NameKey, Username};

use crate::filing::Party;
use crate::hub::Hub;
use crate::identity::Identity;
use crate::ids::{MemberId, RoomNumber};
use crate::level::Level;

/// Whose messages are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaker {
    /// The number of an account, or one that stands for a guest's name and network: whoever connects again under the same name
    /// is the same one.
    pub number: i64,
    /// Whether nothing is counted that they say.
    pub is_exempt: bool,
}

impl Hub {
    /// Who a member is for flood control. Staff is exempt, and so are the accounts of these names (FL-4).
    pub fn speaker(&self, member: MemberId, exempt: &[Username]) -> Option<Speaker> {
        let identity = self.identity(member)?;
        let is_named = |account: &Username| exempt.iter().any(|name| name.key() == account.key());
        let is_exempt = is_staff(identity) || identity.account().is_some_and(is_named);
        Some(Speaker { number: self.sender_of(identity).number, is_exempt })
    }

    /// The room of a name that a member is in, and whether they are staff there: the bucket of the room does not hold for them
    /// (FL-4), but their own does, since everybody with an account is staff of the rooms that they make.
    pub fn room_of_speaker(
        &self,
        member: MemberId,
        name: &impl NameKey,
    ) -> Option<(RoomNumber, bool)> {
        let room = self.replica.rooms.named(name.name_key())?;
        self.replica.membership(member, room)?;
        Some((room.definition.number, self.replica.level_in(member, room) >= Level::HELPER))
    }

    /// Whether somebody who is muted may write to the user of this name, because they may undo it (MO-3).
    pub fn hears_the_muted(&self, name: &impl NameKey) -> bool {
        let identity = self.who(name).and_then(|id| self.identity(id));
        identity.is_some_and(|identity| identity.actor().level >= Level::MODERATOR)
    }

    /// Stands for whom a private message is to, while the server runs.
    pub fn recipient_number(&self, to: &Party) -> u64 {
        self.sender_hasher.hash_one(to)
    }
}

fn is_staff(identity: &Identity) -> bool {
    let actor = identity.actor();
    actor.registered && actor.level >= Level::HELPER
}
