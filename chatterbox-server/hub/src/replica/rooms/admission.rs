//! Who gets into a room: places, passwords, invitations (RM-12, RM-13).

use chatterbox_proto::limits;

use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomMember};
use crate::replica::rooms::judge::{Judged, Wisher, judged};
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::{Room, Who};
use crate::replica::rooms::wish::{RoomActor, RoomDone, RoomRefusal, RoomWish};
use crate::replica::state::Replica;

/// Members of one room.
const MEMBERS: usize = 5000;
/// Invitations of one room that count.
const INVITATIONS: usize = 20;
/// How long an invitation counts, in seconds.
const INVITED_FOR: i64 = 7 * 24 * 60 * 60;

impl Replica {
    pub(super) fn enter(
        &self,
        by: &Wisher,
        room: RoomNumber,
        shown: Option<&str>,
        number: Sequence,
        wish: &RoomWish,
    ) -> Result<Judged, RoomRefusal> {
        let now = wish.now;
        let room = self.room(room)?;
        let who = by.member.clone().ok_or(RoomRefusal::Failed)?;
        let key = Who::from(&who);
        if room.has(key) {
            return Err(RoomRefusal::Already);
        }
        let settings = &room.definition.settings;
        let is_invited = room.invitation(key, now).is_some();
        let is_staff = by.level_in(room) >= Level::OPERATOR;
        // Who may not know of it is not told that it is there (RM-12).
        let is_shut = settings.hidden && !is_invited;
        let refusal = |code| if is_shut { RoomRefusal::NoSuchRoom } else { code };
        // No invitation helps (RM-13).
        if self.is_banned_from(room.definition.number, wish.by, now) {
            return Err(refusal(RoomRefusal::Banned));
        }
        if !is_invited && !is_staff {
            if settings.closed {
                return Err(refusal(RoomRefusal::Closed));
            }
            if settings.password.is_some() && settings.password.as_deref() != shown {
                return Err(refusal(RoomRefusal::WrongPassword));
            }
        }
        if !self.has_place(room, is_staff) {
            return Err(RoomRefusal::Full);
        }
        if self.rooms.count_of(key) >= limits::MEMBERSHIPS {
            return Err(RoomRefusal::TooMany);
        }
        let mut records = Vec::with_capacity(2);
        if is_invited {
            // It counts once (RM-13).
            let room = room.definition.number;
            records.push(RoomRecord::Uninvited { room, who: who.clone() });
        }
        records.push(RoomRecord::Entered { room: room.definition.number, who, since: number });
        Ok(judged(room, records))
    }

    /// Whether somebody is banned from a room (MO-4); who may do everything is not.
    pub(super) fn is_banned_from(&self, room: RoomNumber, by: RoomActor, now: i64) -> bool {
        let RoomActor::Member(member) = by else { return false };
        let who = self.known(member).filter(|who| who.identity.actor().level < Level::ADMIN);
        who.is_some_and(|who| self.sanctions.bans_from(who, room, now))
    }

    /// Whether one more may be a member of a room; its LIMIT is not for those of level 4 there (RM-12).
    pub(super) fn has_place(&self, room: &Room, is_staff: bool) -> bool {
        let limit = usize::try_from(room.definition.settings.limit).unwrap_or(usize::MAX);
        let is_within = || {
            let counted = room.counted();
            // Those who have level 4 on the server are known while they are here; they are looked for where it matters.
            counted < limit || counted - self.staff_of_the_server(room) < limit
        };
        room.count() < MEMBERS && (limit == 0 || is_staff || is_within())
    }

    /// How many members of a room have level 4 on the server, and not in the room.
    fn staff_of_the_server(&self, room: &Room) -> usize {
        let accounts =
            room.accounts().filter(|account| room.level_of(account.id) < Level::OPERATOR);
        accounts.filter(|account| self.level_on_server(account) >= Level::OPERATOR).count()
    }

    pub(super) fn may_invite(&self, by: &Wisher, room: &Room) -> Result<(), RoomRefusal> {
        let level = by.level_in(room);
        if !by.is_in(room) && level < Level::OPERATOR {
            return Err(RoomRefusal::NotAMember);
        }
        by.account()?;
        let needed = if room.definition.settings.closed { Level::HELPER } else { Level::USER };
        by.needs(needed, level)
    }

    pub(super) fn invite(
        &self,
        by: &Wisher,
        room: RoomNumber,
        who: &RoomMember,
        now: i64,
    ) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        self.may_invite(by, room)?;
        let key = Who::from(who);
        if room.has(key) {
            return Err(RoomRefusal::Already);
        }
        // Guests who are gone take no place; nor may they be invited any more.
        let is_here = |who: &RoomMember| match who {
            RoomMember::Account(_) => true,
            RoomMember::Guest(member) => self.presence().identity(*member).is_some(),
        };
        if !is_here(who) {
            return Err(RoomRefusal::NoSuchUser);
        }
        if let RoomMember::Account(account) = who {
            self.is_there(account)?;
        }
        if room.invitation(key, now).is_some() {
            return Err(RoomRefusal::Already);
        }
        let open = room.all_invitations(now).filter(|(who, _)| is_here(who)).count();
        if open >= INVITATIONS {
            return Err(RoomRefusal::TooMany);
        }
        let until = now.saturating_add(INVITED_FOR);
        let (room_number, who, by) = (room.definition.number, who.clone(), by.name.clone());
        let invited = RoomRecord::Invited { room: room_number, who, by, until };
        Ok(judged(room, vec![invited]))
    }

    pub(super) fn enter_auto(&self, account: &AccountRef, number: Sequence, now: i64) -> Judged {
        let who = Who::Account(account.id);
        let places = limits::MEMBERSHIPS.saturating_sub(self.rooms.count_of(who));
        let missing = self.rooms.iter().filter(|(_, room)| {
            room.definition.auto
                && !room.has(who)
                && !room.was_left_by(account.id)
                && !self.sanctions.bans_account_from(account.id, room.definition.number, now)
                && self.has_place(room, room.level_of(account.id) >= Level::OPERATOR)
        });
        let enter = |(room, _): (RoomNumber, &Room)| RoomRecord::Entered {
            room,
            who: RoomMember::Account(account.clone()),
            since: number,
        };
        let records = missing.take(places).map(enter).collect();
        Judged { done: RoomDone { room: None }, records }
    }
}
