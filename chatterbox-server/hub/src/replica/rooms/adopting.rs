//! Connections get another account: a guest logs in, or registers, and the account takes over the memberships that they had as a
//! guest; or somebody logs out.

use chatterbox_proto::limits;

use crate::identity::LoggedIn;
use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::record::Sequence;
use crate::replica::rooms::definition::RoomMember;
use crate::replica::rooms::judge::{Judged, Wisher};
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::Who;
use crate::replica::rooms::told::{LeftWhy, RoomTold};
use crate::replica::rooms::wish::{RoomActor, RoomDone, RoomRefusal};
use crate::replica::state::Replica;

impl Replica {
    /// A guest has an account now, which takes over their memberships, with all that they have missed there. What is beyond
    /// those that an account may have is left.
    pub(super) fn adopt(
        &self,
        by: &Wisher,
        actor: RoomActor,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        let account = by.account()?;
        let RoomActor::Member(member) = actor else { return Err(RoomRefusal::Failed) };
        let who = RoomMember::Account(account.clone());
        let key = Who::from(&who);
        let mut places = limits::MEMBERSHIPS.saturating_sub(self.rooms.count_of(key));
        let mut records = Vec::new();
        for (room, found) in self.rooms.rooms_of(Who::Guest(member)) {
            let guest = RoomMember::Guest(member);
            let since = found.since(Who::Guest(member)).unwrap_or(number);
            records.push(RoomRecord::Left { room, who: guest, stays_out: false });
            if !found.has(key) && places > 0 {
                places -= 1;
                records.push(RoomRecord::Entered { room, who: who.clone(), since });
            }
        }
        Ok(Judged { done: RoomDone { room: None }, records })
    }

    /// A guest's account takes over their memberships. In each room their name stands once, before and after, so of that nobody
    /// is told (RM-8); they are told what is another thing now, their level.
    pub(super) fn adopt_rooms(
        &mut self,
        member: MemberId,
        records: &[RoomRecord],
        number: Sequence,
        told: &mut Vec<RoomTold>,
    ) {
        let Some(account) = self.room_member(member) else { return };
        let own = self.roster_names(&RoomMember::Guest(member));
        for record in records {
            match record {
                RoomRecord::Left { room, who, .. } => {
                    let Some(found) = self.rooms.get(*room) else { continue };
                    let (room, was_in) =
                        (found.definition.to_ref(), found.has(Who::from(&account)));
                    let is_kept = records.iter().any(
                        |record| matches!(record, RoomRecord::Entered { room: kept, .. } if *kept == room.number),
                    );
                    self.entering(room.number, told, |replica, told| {
                        replica.rooms.apply(record);
                        if !was_in && !is_kept {
                            let why = LeftWhy::Left;
                            let (room, who, names) = (room.clone(), who.clone(), own.clone());
                            told.push(RoomTold::Left { room, who, names, why });
                        }
                    });
                    if was_in {
                        // There is one member less, under the same names.
                        let (room, left, joined) = (room.number, Vec::new(), Vec::new());
                        told.push(RoomTold::Renamed { room, left, joined });
                        told.push(RoomTold::LevelChanged(room, member));
                    } else if !is_kept {
                        let departed = vec![Who::from(&account)];
                        self.rooms.departures.note(number, room, departed, "left", ("", ""));
                    }
                }
                RoomRecord::Entered { room, who, .. } => {
                    self.entering(*room, told, |replica, told| {
                        replica.rooms.apply(record);
                        let mut names = replica.roster_names(who);
                        // The account may be here under other names as well.
                        names.retain(|name| !own.contains(name));
                        told.push(RoomTold::Entered { room: *room, who: who.clone(), names });
                    });
                    self.enters_staff(*room, who, told);
                }
                _ => self.rooms.apply(record),
            }
        }
    }

    /// What a connection is told that was one of an account and is one of another now, of which it has been told nothing.
    pub(crate) fn account_changed_in_rooms(
        &self,
        member: MemberId,
        before: Option<&LoggedIn>,
        after: Option<&LoggedIn>,
    ) -> RoomTold {
        let rooms = |login: Option<&LoggedIn>| {
            let who = login.map(|login| Who::Account(login.account_key.id));
            who.into_iter().flat_map(|who| self.rooms.rooms_of(who))
        };
        let is_new = |number: &RoomNumber| !rooms(before).any(|(other, _)| other == *number);
        let is_old = |number: &RoomNumber| !rooms(after).any(|(other, _)| other == *number);
        let left = rooms(before).map(|(number, _)| number).filter(is_old).collect();
        let entered = rooms(after).map(|(number, _)| number).filter(is_new).collect();
        RoomTold::AccountChanged { member, left, entered }
    }
}
