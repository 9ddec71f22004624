//! All that is so of rooms and outlives the process, as facts that make it again: for a store that begins with a state, and not with
//! the records that have led to it.

use chatterbox_proto::Username;

use crate::ids::RoomNumber;
use crate::replica::rooms::definition::{AccountRef, RoomMember};
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::Who;
use crate::replica::rooms::table::RoomTable;

impl RoomTable {
    /// The facts, which make the rooms again when they are applied in this order.
    pub(crate) fn facts(&self) -> Vec<RoomRecord> {
        let mut facts = vec![RoomRecord::Defined(Box::new((**self.lobby()).clone()))];
        for (_, room) in self.iter() {
            facts.push(RoomRecord::Defined(Box::new((*room.definition).clone())));
        }
        for (number, room) in self.iter() {
            let who = |account: &AccountRef| RoomMember::Account(account.clone());
            facts.extend(room.in_order().into_iter().map(|(account, since)| RoomRecord::Entered {
                room: number,
                who: who(account),
                since,
            }));
            facts.extend(room.left_by().into_iter().map(|id| {
                // Only the number counts.
                let account = AccountRef { id, name: Username::stored("") };
                RoomRecord::Left { room: number, who: who(&account), stays_out: true }
            }));
            facts.extend(room.levels().into_iter().map(|(account, level)| RoomRecord::LevelSet {
                room: number,
                account: account.clone(),
                level: *level,
            }));
            facts.extend(room.all_invitations(i64::MIN).map(|(who, invitation)| {
                let (by, until) = (invitation.by.clone(), invitation.until);
                RoomRecord::Invited { room: number, who: who.clone(), by, until }
            }));
        }
        facts.extend(self.defaults().filter_map(|(who, room)| match who {
            Who::Account(account) => Some(RoomRecord::DefaultSet { account, room: Some(room) }),
            Who::Guest(_) => None,
        }));
        facts.retain(RoomRecord::is_durable);
        facts
    }

    /// Where users begin who don't begin in the lobby.
    fn defaults(&self) -> impl Iterator<Item = (Who, RoomNumber)> {
        self.users().filter_map(|(who, own)| Some((who, own.default?)))
    }
}
